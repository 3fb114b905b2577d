"""The square root of the target as an idea: proposed, paired, accepted, handed over, kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest
from test_refit import ended

from conftest import NewSession
from justright.core.codec import to_document
from justright.core.study import StudyHead
from justright.data.encoded import EncodedRows
from justright.data.options import DataOptions
from justright.deploy.network import Network, read_json, read_safetensors
from justright.designer.delivery.deliver import deliver
from justright.designer.delivery.refit import refit_study
from justright.designer.findings.facts import champion_fact
from justright.designer.improvement.improve import Improver
from justright.designer.improvement.situation import situation_of
from justright.designer.stages.finish import finish
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session, results
from justright.diagnosis.sanity import Word, judge
from justright.ideas.calibration import Calibration
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads
from justright.model.predictor import Model
from justright.recipe.recipe import TargetScale
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.recipes import plain_recipe
from justright.training.request import CHECKS, SanityRequest
from justright.training.sanity import check_sanity

STEPS = 60
TITLE = "the square root of the target"


def planted(rows: int = 400, low: float = 0.0) -> pl.DataFrame:
    """y = (3 + 1.5 a + 1.5 b + noise)², so that its noise grows with its root; c says nothing."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows, 3))
    root = np.maximum(3.0 + 1.5 * x[:, 0] + 1.5 * x[:, 1] + 0.3 * rng.normal(size=rows), 0.0)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": low + root**2})


def trained(session: Session, members: int = 1, target: TargetScale = "plain") -> Champion:
    """The start recipe on the screening blocks."""
    recipe = plain_recipe(replace(session.blocks.spec, target=target), 16)
    recipe = replace(recipe, shape=replace(recipe.shape, members=members))
    arm = Arm("start recipe", recipe, STEPS)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks)
    own = results(session.run(jobs), jobs)
    return Champion(arm, own, session.measure(own))


def proposed(session: Session, champion: Champion) -> list[str]:
    situation = situation_of(session, champion, Leads(), Calibration())
    return [m.idea.title for m in propose_moves(situation) if m.idea.slot == "target"]


def test_it_is_for_targets_that_are_skewed_to_the_right_and_never_negative(
    new_session: NewSession,
) -> None:
    skewed = new_session("a", frame=planted())
    champion = trained(skewed)
    assert proposed(skewed, champion) == [TITLE]
    assert proposed(new_session("b", frame=planted(low=-1e-6)), champion) == []
    even = planted().with_columns(pl.col("y").sqrt())
    assert proposed(new_session("c", frame=even), champion) == []
    mirrored = planted().with_columns(pl.col("y").max() - pl.col("y"))
    assert proposed(new_session("d", frame=mirrored), champion) == []


def test_where_it_is_right_it_is_accepted_on_the_same_rows(new_session: NewSession) -> None:
    """Planted: the root is linear and its errors are even, so it is learned sooner."""
    amounts = {"round 1": 1, f"round 1/target/screen {TITLE}": 1}
    amounts |= {"round 1/target/confirm part": 1, "round 1/target/confirm": 5}
    session = new_session(frame=planted(), plan=WorkPlan(granted=amounts, repeat=True))
    champion = trained(session)
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.0)
    found = improver.run(champion)
    (idea,) = [i for i in session.store.ideas.list("s") if i.idea.slot == "target"]
    assert [verdict.word for verdict in idea.verdicts] == ["better"]
    assert found.arm.recipe.preprocessing.target == "sqrt"
    assert found.loss < champion.loss
    seen: dict[str, set[tuple[str, int]]] = {}
    for trial in session.store.trials.list("s"):
        if trial.spec.stage.endswith("confirm"):
            scale = trial.spec.recipe["preprocessing"]["target"]
            seen.setdefault(scale, set()).add((trial.spec.partition, trial.spec.seed))
    assert len(seen["sqrt"]) == 5
    assert seen["sqrt"] == seen["plain"]


@pytest.mark.parametrize("members", [1, 3])
def test_scores_and_deliveries_are_of_the_target_itself(
    new_session: NewSession, tmp_path: Path, members: int
) -> None:
    """Training's own predictions, float64 by hand, and the model handed over say the same."""
    session = new_session(frame=planted())
    champion = trained(session, members, "sqrt")
    arm, spec = champion.arm, champion.arm.recipe.preprocessing
    first = session.blocks.block(0, session.blocks.spec)
    block, trial = session.blocks.encoded_as(first, spec), champion.trials[0]
    assert block.folder != first.folder
    data = EncodedRows(block.folder)

    network = read_safetensors(session.folder.trials / Path(trial.result["weights"]).name)
    shape = {"shape": to_document(arm.recipe.shape), "inputs": to_document(data.meta.inputs)}
    outputs = Network(shape, network).outputs(data.x, data.c)
    train = session.blocks.rows_sample(session.blocks.splits.rest[block.train]).y
    roots = np.sqrt(train)
    decoded = np.maximum(outputs * roots.std(axis=0) + roots.mean(axis=0), 0.0) ** 2
    decoded = np.clip(decoded, train.min(axis=0), train.max(axis=0))
    by_hand = decoded[block.validation]
    y = session.blocks.sample(block).y
    np.testing.assert_allclose(session.predictions(trial), by_hand, rtol=1e-5, atol=1e-4)
    rmse = float(np.sqrt(np.mean((by_hand - y) ** 2)))
    assert trial.result["scores"]["rmse"] == pytest.approx(rmse, rel=1e-5)
    assert trial.result["loss"] == pytest.approx(rmse**2 / train.var(), rel=1e-5)
    steps, probe = session.store.curves.read("s", trial.spec.id, "probe_loss")
    own = np.mean((decoded[block.train] - train) ** 2) / train.var()
    assert probe[list(steps).index(trial.result["best_step"])] == pytest.approx(own, rel=1e-5)

    deliver(session, arm, trial, first.number)
    rows = session.blocks.splits.rest[block.validation]
    frame = session.blocks.problem.table.frame[rows]
    model = Model.load(session.folder.model)
    said = model.predict(frame).to_numpy()
    np.testing.assert_allclose(said, session.predictions(trial), rtol=1e-5, atol=1e-4)
    assert read_json(session.folder.model / "preprocessing.json")["target"]["curve"]
    done = model.export_onnx(tmp_path / "model.onnx", frame)
    assert done.comparison is not None
    assert done.comparison.difference < 1e-5


def test_the_short_experiments_find_no_fault_in_it(new_session: NewSession) -> None:
    """An untrained network says the mean of the roots, which is not the mean of the target."""
    session = new_session(frame=planted())
    recipe = plain_recipe(replace(session.blocks.spec, target="sqrt"), 16)
    block = session.blocks.block(0, recipe.preprocessing)
    request = SanityRequest(
        recipe, str(block.folder), block.train, block.validation, 0, len(CHECKS)
    )
    figures = check_sanity(request, lambda _: None)
    assert figures["initial"]["loss"] == pytest.approx(figures["initial"]["prior"], rel=1e-3)
    assert figures["initial"]["loss"] > 1.05  # in units of the variance, where the mean has 1
    assert {check.word for check in judge(figures)} == {Word.PASSED}


def test_zeros_that_rounding_makes_negative_in_some_folds_stop_no_study(
    new_session: NewSession,
) -> None:
    """A target from 0 on: in some folds its standardised 0 comes back as a little less."""
    champion = trained(new_session(frame=planted()))
    known = ["rmsle" in trial.result["scores"] for trial in champion.trials]
    assert len(set(known)) == 2
    order = np.argsort(known)[::-1]  # a fold that has the score comes first
    turned = replace(champion, trials=tuple(champion.trials[place] for place in order))
    assert set(champion_fact(turned, 0.0)["validation"]) == {"rmse", "mae", "r2"}


def test_baselines_are_refitted_on_the_target_itself(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the champion is trained on, and the rows are encoded only once for both."""
    monkeypatch.setattr(
        "justright.designer.stages.finish.baseline_names", lambda: ("constant", "linear")
    )
    scores = {}
    for target in get_args(TargetScale):
        session = new_session(target, frame=planted())
        champion = trained(session, target=target)
        spec = champion.arm.recipe.preprocessing
        final = finish(session, champion, Admission(session, 0.0))
        assert final.refitted
        assert session.blocks.encoded_everything(spec)
        assert session.blocks.encoded_everything(session.blocks.spec) == (target == "plain")
        curve = EncodedRows(final.block.folder).meta.curve
        assert (curve is None) == (target == "plain")
        scores[target] = {name: t.result["scores"] for name, t in final.baselines.items()}
    assert set(scores["plain"]) == {"constant", "linear"}
    assert scores["plain"] == scores["sqrt"]


def test_training_on_other_data_keeps_it(new_session: NewSession) -> None:
    store = MemoryStore()
    settings = to_document(DataOptions(target=("y",)))
    store.studies.open(StudyHead("s", "d", "g", settings, 0.0), this_process())
    session = new_session(frame=planted(), store=store)
    session.blocks.spec = replace(session.blocks.spec, target="sqrt")
    session = ended(session, store)
    changed = planted().with_columns(pl.col("y") * 3.0 + 5.0)
    made = refit_study(session.folder, store, changed, 60.0)
    assert made.word == "beats"
    curve = read_json(made.folder / "preprocessing.json")["target"]["curve"]
    root = changed["y"].sqrt()
    assert curve["shift"] == [0.0]
    assert curve["mean"][0] == pytest.approx(root.mean(), rel=0.05)
    assert curve["scale"][0] == pytest.approx(root.std(), rel=0.05)
