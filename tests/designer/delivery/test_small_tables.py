"""Below 2,000 rows baselines count on all folds; below 500 repeated cross-validation decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from justright.core.study import StudyHead
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import REPORTED, make_splits
from justright.designer.delivery.headline import LOCKED, choice, headline
from justright.designer.delivery.repeats import KEY, Repeated, repeat
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.blocks import FOLDS, Blocks
from justright.designer.work.evidence import why_not
from justright.designer.work.jobs import EncodedBlock, NetworkJob
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import Arm, Champion, Session
from justright.recipe.recipe import Recipe
from justright.statistics.metrics import metric_named
from justright.store.holder import this_process
from justright.store.memory import MemoryStore


def frame(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, 2))
    return pl.DataFrame(
        {
            "a": x[:, 0],
            "b": x[:, 1],
            "team": rng.integers(0, 40, rows),
            "pair": rng.integers(0, 4, rows),
            "day": np.arange(rows, dtype=np.float64),
            "y": x[:, 0] + 0.1 * rng.normal(size=rows),
        }
    )


def session_of(tmp_path: Path, rows: int = 200, *, given: bool = False, **roles: str) -> Session:
    """A session as far as rows, store and plan go; nothing can be trained with it."""
    problem = make_problem(read_table(frame(rows)), DataOptions(target=("y",), **cast(Any, roles)))
    tested = np.arange(rows - 40, rows) if given else None
    splits = make_splits(problem, tested)
    store = MemoryStore()
    store.studies.open(StudyHead("s", "d", "g", {}, 0.0), this_process())
    blocks = Blocks(problem, splits, tmp_path, 0)
    made = SimpleNamespace(
        name="s",
        metric="rmse",
        store=store,
        blocks=blocks,
        plan=WorkPlan(),
        predictions=lambda trial: np.load(trial.result["predictions"]),
    )
    return cast(Session, cast(Any, made))


def trial(
    score: float, fold: int = 0, state: TrialState = TrialState.DONE, **result: Any
) -> Trial:
    spec = TrialSpec("baseline", "x", "baselines", {}, f"fold-{fold}", fold, 0)
    found = {"scores": {"rmse": score}, "seconds": 0.5, "best_step": 80, **result}
    return Trial(spec, state, found if state is TrialState.DONE else {}, "" if result else "cut")


def rival(name: str, scores: Sequence[float]) -> Rival:
    return Rival(name, tuple(trial(score, fold) for fold, score in enumerate(scores)))


def test_the_best_baseline_is_the_best_on_average_not_on_one_fold() -> None:
    """Planted: the first fold alone would choose the wrong one."""
    rivals = {
        "linear": rival("linear", [0.9, 0.5, 0.5, 0.5, 0.5]),
        "boosting": rival("boosting", [0.1, 0.8, 0.8, 0.8, 0.8]),
    }
    scores = score_of(rivals, "rmse")
    assert scores == {"linear": pytest.approx(0.58), "boosting": pytest.approx(0.66)}
    assert rivals["boosting"].trials[0].result["scores"]["rmse"] < 0.9


def test_a_baseline_without_all_folds_is_left_out_and_says_why() -> None:
    folds = [trial(0.1, fold) for fold in range(3)]
    cut = Trial(folds[0].spec, TrialState.CUT, {}, "cut by the time limit")
    found = Rival("boosting", (*folds, cut, cut))
    assert not found.done
    assert found.scores == {}
    assert found.state is TrialState.CUT
    assert found.reason == "only 3 of 5 folds done: cut by the time limit"
    assert found.training_s == pytest.approx(0.5)
    assert score_of({"boosting": found}, "rmse") == {}


def test_a_metric_that_a_fold_does_not_define_has_no_mean() -> None:
    assert score_of({"knn": rival("knn", [0.1, float("nan"), 0.2])}, "rmse") == {}


@pytest.mark.parametrize(
    ("rows", "given", "roles", "said"),
    [
        (200, False, {}, None),
        (499, False, {}, None),
        (500, False, {}, ""),
        (200, True, {}, "were given"),
        (200, False, {"time_column": "day"}, "order of time"),
        (200, False, {"group": "team"}, None),
        (200, False, {"group": "pair"}, "fewer than 5 groups"),
    ],
)
def test_who_is_cross_validated(
    tmp_path: Path, rows: int, given: bool, roles: dict[str, str], said: str | None
) -> None:
    reason = why_not(session_of(tmp_path, rows, given=given, **roles).blocks)
    if said is None or not said:
        assert reason == said
    else:
        assert reason is not None
        assert said in reason


def test_the_folds_are_none_that_a_decision_can_have_seen(tmp_path: Path) -> None:
    session = session_of(tmp_path)
    spec = session.blocks.spec
    fresh = [session.blocks.block(REPORTED + place, spec) for place in range(2 * FOLDS)]
    seen = {session.blocks.block(number, spec).partition for number in range(2 * FOLDS)}
    assert len({block.partition for block in fresh}) == 2 * FOLDS
    assert not seen & {block.partition for block in fresh}
    for repetition in (fresh[:FOLDS], fresh[FOLDS:]):  # each row is predicted once in each
        places = np.concatenate([block.validation for block in repetition])
        assert sorted(places.tolist()) == list(range(session.blocks.rows))


def champion_of(loss: float = 0.5) -> Champion:
    return Champion(Arm("start recipe", Recipe(), 100), (trial(loss),), loss)


def repeated(network: Sequence[float], **baselines: Sequence[float]) -> Repeated:
    none = np.empty(0, np.int64)
    blocks = tuple(
        EncodedBlock(place, f"p{place}", place, Path(), none, none, 0.25)
        for place in range(len(network))
    )
    return Repeated(
        blocks,
        tuple(trial(score) for score in network),
        {name: tuple(trial(score) for score in scores) for name, scores in baselines.items()},
    )


LOCKED_TEST: Mapping[str, Any] = {
    "metric": "rmse",
    "rows": 40,
    "methods": [{"name": "network", "scores": {"rmse": 0.2}, "interval": [0.1, 0.3]}],
    "comparisons": [
        {"against": "linear", "title": "linear", "word": "beats", "difference": 0.4,
         "low": 0.3, "high": 0.5}
    ],
    "word": "beats",
    "against": "linear",
}  # fmt: skip
"""Planted: the few locked rows would flatter the network."""


def test_one_lucky_fold_beats_nobody_and_the_locked_rows_do_not_decide(tmp_path: Path) -> None:
    found = headline(
        session_of(tmp_path),
        repeated([0.1, 0.9, 0.9, 0.9, 0.9], linear=[0.8] * 5),
        champion_of(),
        0.001,
        LOCKED_TEST,
    )
    assert found["word"] == "ties with"
    assert found["source"] == "repeated cross-validation, 1 × 5 folds"
    assert found["score"] == pytest.approx(0.74)
    assert found["low"] < found["score"] < found["high"]


@pytest.mark.parametrize(("gain", "word"), [(0.2, "beats"), (-0.2, "loses to")])
def test_a_difference_on_every_fold_is_said(tmp_path: Path, gain: float, word: str) -> None:
    own = [0.50, 0.51, 0.49, 0.52, 0.48] * 2
    other = [score + gain + 0.01 * (place % 3) for place, score in enumerate(own)]
    found = headline(
        session_of(tmp_path),
        repeated(own, linear=other, knn=own),
        champion_of(),
        0.01,
        LOCKED_TEST,
    )
    assert (found["word"], found["against"], found["blocks"]) == (word, "linear", 10)
    assert found["difference"] == pytest.approx(gain, abs=0.02)
    assert found["comparisons"][1]["word"] == "ties with"  # k-NN is the very same


def test_a_fold_without_the_metric_counts_for_nobody(tmp_path: Path) -> None:
    own, other = [0.5] * 9 + [float("nan")], [0.6] * 9 + [5.0]
    found = headline(
        session_of(tmp_path), repeated(own, linear=other), champion_of(), 0.001, LOCKED_TEST
    )
    assert found["blocks"] == 9
    assert found["difference"] == pytest.approx(0.1)


def test_without_folds_the_locked_test_is_the_headline_and_says_so(tmp_path: Path) -> None:
    found = headline(session_of(tmp_path), "no time", champion_of(), 0.001, LOCKED_TEST)
    assert (found["source"], found["reason"]) == (LOCKED, "no time")
    assert (found["word"], found["score"], found["difference"]) == ("beats", 0.2, 0.4)


def screened(
    session: Session,
    subject: str,
    noise: float,
    folder: Path,
    stage: str = "round 1/rate/screen",
    stop: int = 9,
) -> tuple[Trial, ...]:
    """A configuration on the screening folds: the truth plus noise of its own."""
    rng = np.random.default_rng(list(subject.encode()))
    specs = []
    for number in session.blocks.first:
        block = session.blocks.block(number, session.blocks.spec)
        recipe = {"is": subject, "stop": stop}
        spec = TrialSpec("network", subject, stage, recipe, block.partition, number, 9)
        specs.append((spec, session.blocks.sample(block).y))
    session.store.trials.plan("s", [spec for spec, _ in specs])
    attempt = session.store.trials.start("s", [spec.id for spec, _ in specs], this_process())
    for spec, y in specs:
        path = folder / f"{spec.id}.npy"
        np.save(path, y + noise * rng.normal(size=y.shape))
        result = {"scores": {"rmse": noise}, "predictions": str(path), "best_step": 9}
        session.store.trials.finish(attempt, spec.id, TrialState.DONE, result)
    return tuple(session.store.trials.get("s", spec.id) for spec, _ in specs)


def test_the_best_of_many_equals_is_found_too_good_and_pays_for_it(tmp_path: Path) -> None:
    """Planted: twelve configurations that differ by nothing but luck."""
    session = session_of(tmp_path)
    tried = [screened(session, f"idea {n}", 1.0, tmp_path) for n in range(12)]
    champion = Champion(Arm("idea 0", Recipe(), 9), tried[0], 1.0)
    found = choice(session, metric_named("rmse"), champion)
    assert found is not None
    assert len(found.chosen) == 12
    assert found.value > 0.02  # 1.6 standard errors of an RMSE of 1 on 160 rows are 0.09
    own = [0.5] * 4 + [0.51]
    said = headline(session, repeated(own, linear=[0.52] * 5), champion, 0.001, LOCKED_TEST)
    assert said["optimism"] == pytest.approx(found.value)
    assert said["score"] == pytest.approx(0.502 + found.value)
    assert said["word"] == "ties with"  # without the correction it would beat by 0.018 ± 0.008


def test_under_a_locked_test_it_is_said_of_the_validation_score_only(tmp_path: Path) -> None:
    session = session_of(tmp_path, 1_500)
    tried = [screened(session, f"idea {n}", 1.0, tmp_path) for n in range(12)]
    champion = Champion(Arm("idea 0", Recipe(), 9), tried[0], 1.0)
    said = headline(session, "", champion, 0.001, LOCKED_TEST)
    found = choice(session, metric_named("rmse"), champion)
    assert found is not None
    assert (said["optimism"], said["tried"]) == (pytest.approx(found.value), 12)
    assert said["source"] == LOCKED
    assert said["score"] == LOCKED_TEST["methods"][0]["scores"]["rmse"]


@pytest.mark.parametrize("step", ["ladder", "length", "shape"])
def test_the_sizes_among_which_the_search_chose_count(tmp_path: Path, step: str) -> None:
    session = session_of(tmp_path)
    own = screened(session, "start recipe", 1.0, tmp_path, stage="champion")
    champion = Champion(Arm("start recipe", Recipe(), 9), own, 1.0)
    for units in range(11):
        screened(session, f"size {units}", 1.0, tmp_path, stage=f"size/{step}")
    found = choice(session, metric_named("rmse"), champion)
    assert found is not None
    assert len(found.chosen) == 12
    assert found.value > 0.02  # as if they had been screened


@pytest.mark.parametrize(("stage", "stop"), [("size/ladder", 3), ("rate", 1), ("headline", 9)])
def test_what_chose_nothing_in_full_does_not_count(tmp_path: Path, stage: str, stop: int) -> None:
    session = session_of(tmp_path)
    own = screened(session, "start recipe", 1.0, tmp_path, stage="champion")
    screened(session, "other", 1.0, tmp_path, stage=stage, stop=stop)
    champion = Champion(Arm("start recipe", Recipe(), 9), own, 1.0)
    assert choice(session, metric_named("rmse"), champion) is None


def test_without_a_choice_nothing_is_corrected(tmp_path: Path) -> None:
    session = session_of(tmp_path)
    own = screened(session, "start recipe", 1.0, tmp_path)
    champion = Champion(Arm("start recipe", Recipe(), 9), own, 1.0)
    assert choice(session, metric_named("rmse"), champion) is None


class Planted:
    """Trainings that end as planted, where a crew would run them."""

    def __init__(self, session: Session, ends: Mapping[int, TrialState]) -> None:
        self.session, self.ends = session, ends
        self.jobs: list[Any] = []

    def train(self, arm: Arm, stage: str, blocks: Sequence[EncodedBlock], parts: int) -> Any:
        job = NetworkJob(arm.subject, stage, arm.recipe, arm.steps, tuple(blocks), "rmse", Path())
        return (job,)

    def run(self, jobs: Sequence[Any], reserve_s: float) -> dict[str, Trial]:
        self.jobs = list(jobs)
        found: dict[str, Trial] = {}
        for place, job in enumerate(jobs):
            for spec in job.specs:
                state = self.ends.get(place, TrialState.DONE)
                result = {"scores": {"rmse": 0.5}} if state is TrialState.DONE else {}
                found[spec.id] = Trial(spec, state, result, state.value)
        return found


RIVALS = {"linear": rival("linear", [0.5] * 5), "knn": rival("knn", [0.9] * 5)}


def repeat_planted(
    tmp_path: Path,
    plan: WorkPlan,
    ends: Mapping[int, TrialState] | None = None,
    rivals: Mapping[str, Rival] = RIVALS,
) -> tuple[Repeated | str, Session, Planted]:
    session = session_of(tmp_path)
    planted = Planted(session, ends or {})
    shared: Any = session
    shared.train, shared.run = planted.train, planted.run
    shared.plan = plan
    shared.folder = SimpleNamespace(trials=tmp_path)
    shared.clock = SimpleNamespace(work_left_s=1000.0, deadline=lambda reserve: 1e12)
    shared.crew, shared.seconds = SimpleNamespace(capacity=2), lambda *_: 1.0
    admission = Admission(session, 1.0, repeats=True)
    return repeat(session, champion_of(), 100, rivals, admission), session, planted


def granted(**amounts: int) -> WorkPlan:
    return WorkPlan(granted={"headline linear": 1, "headline knn": 1, KEY: 2, **amounts})


JOBS_A_REPETITION = 1 + 2 * FOLDS


def test_each_fold_is_trained_by_a_fixed_number_of_steps(tmp_path: Path) -> None:
    found, _, planted = repeat_planted(tmp_path, granted())
    assert isinstance(found, Repeated)
    assert (found.repetitions, set(found.baselines)) == (2, {"linear", "knn"})
    networks = [job for job in planted.jobs if hasattr(job, "evaluations")]
    assert {(job.steps, job.stop, job.evaluations) for job in networks} == {(100, 80, 1)}


def test_only_whole_repetitions_count(tmp_path: Path) -> None:
    """The clock cuts the network's second repetition; the plan says so."""
    found, session, _ = repeat_planted(tmp_path, granted(), {JOBS_A_REPETITION: TrialState.CUT})
    assert isinstance(found, Repeated)
    assert found.repetitions == 1
    assert session.plan.granted[KEY] == 1


def test_a_baseline_that_was_cut_is_left_out_unless_it_is_the_best(tmp_path: Path) -> None:
    found, _, _ = repeat_planted(tmp_path, granted(), {1 + FOLDS: TrialState.CUT})
    assert isinstance(found, Repeated)
    assert set(found.baselines) == {"linear"}
    cut, _, _ = repeat_planted(tmp_path, granted(), {1: TrialState.CUT})
    assert isinstance(cut, str)
    assert "cut the first repetition" in cut


def test_a_network_that_diverges_on_a_fold_has_no_headline(tmp_path: Path) -> None:
    found, _, _ = repeat_planted(tmp_path, granted(), {JOBS_A_REPETITION: TrialState.FAILED})
    assert isinstance(found, str)
    assert "failed on 5 of its folds" in found


def test_no_time_is_said(tmp_path: Path) -> None:
    plan = WorkPlan(granted={"headline linear": 0, KEY: 0})
    found, _, planted = repeat_planted(tmp_path, plan)
    assert found == "no time for a repetition of 5 folds"
    assert not planted.jobs


def test_a_repetition_takes_the_baselines_of_the_plan_whatever_they_cost_today(
    tmp_path: Path,
) -> None:
    """Planted: the one that was refused costs less than the one that was granted."""
    amounts = {"headline linear": 1, "headline boosting": 1, "headline knn": 0, KEY: 1}
    rivals = {**RIVALS, "boosting": costly("boosting")}
    plan = WorkPlan(granted=amounts, repeat=True)
    found, _, _ = repeat_planted(tmp_path, plan, rivals=rivals)
    assert isinstance(found, Repeated)
    assert list(found.baselines) == ["linear", "boosting"]


def costly(name: str) -> Rival:
    """A baseline whose folds take more than all the time that is left."""
    folds = (trial(0.9, fold, seconds=1000.0) for fold in range(FOLDS))
    return Rival(name, tuple(folds))


def test_a_costly_baseline_leaves_the_others_their_place(tmp_path: Path) -> None:
    rivals = {"boosting": costly("boosting"), **RIVALS}
    found, session, _ = repeat_planted(tmp_path, WorkPlan(granted={KEY: 1}), rivals=rivals)
    assert isinstance(found, Repeated)
    assert list(found.baselines) == ["linear", "knn"]
    assert session.plan.granted["headline boosting"] == 0


def test_without_time_for_the_best_baseline_no_other_takes_its_place(tmp_path: Path) -> None:
    rivals = {"boosting": costly("boosting"), "knn": rival("knn", [0.95] * FOLDS)}
    found, session, _ = repeat_planted(tmp_path, WorkPlan(granted={KEY: 1}), rivals=rivals)
    assert found == "no time for boosting on a repetition of 5 folds"
    assert "headline knn" not in session.plan.granted
