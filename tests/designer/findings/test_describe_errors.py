"""Where the champion errs is told from rows that it did not see, none of them test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from justright.core.finding import COST
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.designer.findings.describe_errors import (
    KEY,
    LISTED,
    _slice_finding,
    _slices,
    describe_errors,
)
from justright.designer.findings.heldout import held_out
from justright.designer.findings.importance import KEY as IMPORTANCE
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.blocks import Blocks
from justright.designer.work.jobs import BaselineJob
from justright.designer.work.rivals import Rival
from justright.designer.work.session import FOREVER, Arm, Champion, Session, results
from justright.diagnosis.losses import row_losses
from justright.recipe.recipe import LossSpec
from justright.statistics.metrics import metric_named
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]
FACTS = ("importance", "slices", "labels", "examples")


def table(uneven: bool) -> pl.DataFrame:
    """y = sin 2a + b + noise, the same everywhere or much more in Ulm; c says nothing."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    town = rng.choice(["Bonn", "Kiel", "Ulm"], 500)
    spread = np.where(town == "Ulm", 1.5, 0.1) if uneven else np.ones(500)
    y = np.sin(2 * x[:, 0]) + x[:, 1] + spread * rng.normal(size=500)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "town": town, "y": y})


def flipped_labels() -> tuple[pl.DataFrame, np.ndarray]:
    """Two classes that a line parts, an eighth of the labels flipped; which ones."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, 2))
    flipped = rng.random(600) < 0.125
    up = (x.sum(axis=1) > 0) != flipped
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(up, "up", "down")}), flipped


def studied(
    session: Session, frame: pl.DataFrame, names: Sequence[str] = ("constant", "knn")
) -> tuple[Session, Champion, dict[str, Rival]]:
    """The study of a table with a trained champion and baselines beside it."""
    problem = make_problem(read_table(frame), DataOptions(target=("y",)))
    session.blocks = Blocks(problem, make_splits(problem), session.folder.cache, 0)
    recipe = plain_recipe(session.blocks.spec, 32, 32, rate=0.02)
    if problem.task.is_classification:
        recipe = replace(recipe, loss=LossSpec("cross_entropy"))
    arm = Arm("start recipe", recipe, 300)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    rivals = {}
    for name in names:
        fits = [
            BaselineJob(
                name, "baselines", b, b.folder, b.validation, FOREVER, 1.0, session.folder.trials
            )
            for b in blocks
        ]
        rivals[name] = Rival(name, results(session.run(fits), fits))
    return session, Champion(arm, own, session.measure(own)), rivals


def facts(session: Session) -> dict[str, Any]:
    return {key: session.store.ledger.fact(session.name, key) for key in FACTS}


def test_what_was_planted_is_told(session: Session) -> None:
    study, champion, rivals = studied(session, table(uneven=True))
    describe_errors(study, champion, rivals)
    found = facts(study)
    order = [entry["column"] for entry in found["importance"]["columns"]]
    matters = {e["column"] for e in found["importance"]["columns"] if e["matters"]}
    assert set(order[:2]) == {"a", "b"}
    assert {"a", "b"} <= matters
    assert "c" not in matters
    assert found["slices"]["slices"][0]["label"] == "town = Ulm"
    assert found["slices"]["slices"][0]["weak"]
    (finding,) = [f for f in study.store.ledger.findings("s") if f.code == "weak-slice"]
    assert "town = Ulm" in finding.message
    assert finding.action
    held = held_out(study, champion, rivals)
    assert held is not None
    assert found["slices"]["rows"] == len(held.rows) == len(study.blocks.splits.rest)
    assert not np.isin(held.rows, study.blocks.splits.test).any()
    metric = metric_named("rmse")
    assert np.isclose(  # the mean over folds, and that over rows, of the same predictions
        np.mean([t.result["scores"]["rmse"] ** 2 for t in champion.trials]),
        metric(held.sample.y, held.prediction) ** 2,
        rtol=0.02,
    )


def test_a_slice_costs_what_somebody_does_better_there(session: Session) -> None:
    """Nothing where nobody errs less; without a baseline, what the network does elsewhere."""
    study, champion, rivals = studied(session, table(uneven=True))
    describe_errors(study, champion, rivals)
    (found,) = [f for f in study.store.ledger.findings("s") if f.code == "weak-slice"]
    fact = facts(study)["slices"]
    worst = fact["slices"][0]
    assert worst["other"] is None  # the baselines learned too little to be heard
    expected = worst["share"] * worst["difference"] / fact["mean"]
    assert np.isclose(found.numbers[COST], expected)
    held = held_out(study, champion, rivals)
    assert held is not None
    target = held.sample.y.reshape(held.prediction.shape)
    for other, share in ((held.prediction, 0.0), (target, worst["loss_share"])):
        beside = replace(held, others={"other": other})
        metric = metric_named("rmse")
        losses = row_losses(metric, held.sample.y, held.prediction)
        slices = _slices(study, beside, losses, ())
        (same,) = _slice_finding(slices, losses, beside, metric)
        assert np.isclose(same.numbers[COST], share, rtol=0.01, atol=1e-9)


def test_examples_are_rows_of_the_table(session: Session) -> None:
    some = pl.int_range(pl.len()) % 7 > 0  # rows without a target count where rows are numbered
    frame = table(uneven=True).with_columns(pl.when(some).then("y"))
    study, champion, rivals = studied(session, frame)
    describe_errors(study, champion, rivals)
    examples = facts(study)["examples"]
    tested = study.blocks.problem.table.origin[study.blocks.splits.test]
    kinds = {entry["kind"] for entry in examples["rows"]}
    assert kinds == {"best", "worst", "typical"}
    for entry in examples["rows"]:
        assert entry["target"] == [frame["y"][entry["row"]]]
        place = examples["columns"].index("town")
        assert entry["values"][place] == frame["town"][entry["row"]]
        assert entry["row"] not in tested
    loss = {kind: [e["loss"] for e in examples["rows"] if e["kind"] == kind] for kind in kinds}
    assert max(loss["best"]) < min(loss["typical"]) <= max(loss["typical"]) < min(loss["worst"])


def test_nothing_planted_and_nothing_is_found(session: Session) -> None:
    study, champion, rivals = studied(session, table(uneven=False))
    describe_errors(study, champion, rivals)
    codes = {finding.code for finding in study.store.ledger.findings("s")}
    assert not codes & {"weak-slice", "label-noise"}


def test_flipped_labels_are_listed_with_what_they_should_be(session: Session) -> None:
    frame, flipped = flipped_labels()
    study, champion, rivals = studied(session, frame, ("constant", "linear"))
    describe_errors(study, champion, rivals)
    fact = facts(study)["labels"]
    listed = [entry["row"] for entry in fact["list"]]
    assert fact["word"] == "material"
    assert fact["low"] < 0.125 < fact["high"]
    assert fact["trainings"] == 2
    planted = flipped[study.blocks.splits.rest].sum()
    assert 0.7 * planted < fact["contradicted"] < 1.1 * planted
    assert len(listed) == LISTED
    assert flipped[listed].all()  # the most suspicious first
    for entry in fact["list"]:
        assert entry["target"] == frame["y"][entry["row"]] != entry["instead"]
        assert entry["row"] not in study.blocks.splits.test
    (finding,) = [f for f in study.store.ledger.findings("s") if f.code == "label-noise"]
    assert "Suspicious labels" in finding.action
    assert 0.1 < finding.numbers[COST] <= 1.0


def test_clean_labels_are_silent(session: Session) -> None:
    frame, flipped = flipped_labels()
    right = np.where(frame["y"].to_numpy() == "up", ~flipped, flipped)
    clean = frame.with_columns(y=pl.Series(np.where(right, "up", "down")))
    study, champion, rivals = studied(session, clean, ("constant", "linear"))
    describe_errors(study, champion, rivals)
    fact = facts(study)["labels"]
    assert fact["word"] != "material"  # the surest 96 of 480 rows are too few for "small"
    assert fact["contradicted"] <= 0.01 * fact["rows"]
    assert "label-noise" not in {finding.code for finding in study.store.ledger.findings("s")}


def test_values_can_be_kept_out(session: Session) -> None:
    study, champion, rivals = studied(session, flipped_labels()[0], ("constant", "linear"))
    study.options = replace(study.options, examples=False)
    describe_errors(study, champion, rivals)
    found = facts(study)
    assert found["examples"]["rows"] == []
    assert len(found["labels"]["list"]) == LISTED
    for entry in found["labels"]["list"]:
        assert set(entry) <= {"row", "strength", "output", "instead"}
        assert entry["instead"] is None


def test_a_repetition_does_what_was_granted(new_session: NewSession) -> None:
    """Without the clock: nothing where nothing was granted, and the same again where it was."""
    first, champion, rivals = studied(new_session("s"), table(uneven=True))
    describe_errors(first, champion, rivals)
    granted = {key: first.plan.granted[key] for key in (KEY, IMPORTANCE)}
    again, champion, rivals = studied(
        new_session("t", WorkPlan({"alone from": 10**6, **granted}, repeat=True)),
        table(uneven=True),
    )
    describe_errors(again, champion, rivals)
    assert facts(again) == facts(first)
    empty, champion, rivals = studied(
        new_session("u", WorkPlan({"alone from": 10**6}, repeat=True)), table(uneven=True)
    )
    describe_errors(empty, champion, rivals)
    assert not any(facts(empty).values())


def test_without_time_for_shuffling_the_rest_is_told(new_session: NewSession) -> None:
    plan = WorkPlan({"alone from": 10**6, KEY: 1}, repeat=True)
    study, champion, rivals = studied(new_session("s", plan), table(uneven=True))
    describe_errors(study, champion, rivals)
    found = facts(study)
    assert found["importance"]["columns"] == []
    assert "no time" in found["importance"]["reason"]
    assert found["slices"]["slices"][0]["label"] == "town = Ulm"
