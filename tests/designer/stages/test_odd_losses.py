"""Whole studies whose losses are unusual: below 0, or no better than the constant's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.baselines.registry import BASELINES
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.designer.flow import Flow
from justright.designer.stages.size import NOTHING_LEARNED, UNDEFINED
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.blocks import Blocks
from justright.designer.work.session import Session
from justright.views.explain import size_lines

NewSession = Callable[..., Session]

ROWS = 260

PARAMS = 1_200
"""So few that the search soon ends."""

GRANTED = {
    "start recipe steps": 90,  # a ninth and a third of it are whole numbers
    "own length steps": 0,
    "noise start recipe": 0,
    "rate": 0,
    "late rate": 0,
    "size core-seconds": 10_000,
    "round 1": 1,
    **{f"round 1/{slot}/confirm": 0 for slot in ("length", "shape", "rate")},
    "round 2": 0,
    "headline repetitions": 0,
}
"""Little of what takes long; the search of sizes is the one stage that goes on to its end."""


def run(
    new_session: NewSession,
    columns: dict[str, np.ndarray],
    metric: str,
    only: str | None = None,
    plan: WorkPlan | None = None,
    params: int = PARAMS,
) -> Session:
    """Lead a study of a table to its end, in this process."""
    options = DataOptions(target=("y",), metric=metric)
    session = new_session(plan=plan or WorkPlan(granted=dict(GRANTED)), params=params)
    problem = make_problem(read_table(pl.DataFrame(columns)), options)
    session = replace(
        session,
        options=replace(session.options, data=options, only=only),
        blocks=Blocks(problem, make_splits(problem), session.folder.cache, 0),
    )
    Flow(session, "a test").run()
    return session


def sizes(session: Session) -> tuple[dict[str, Any], set[str]]:
    """What the search of sizes found, and the stages that it went through."""
    fact = session.store.ledger.fact("s", "size")
    assert fact is not None
    stages = {trial.spec.stage for trial in session.store.trials.list("s")}
    return fact, {stage for stage in stages if stage.startswith("size/")}


@pytest.fixture(autouse=True)
def two_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constant and linear: trees take long, and say nothing here."""
    monkeypatch.setattr("justright.baselines.registry.BASELINES", BASELINES[:2])


def test_a_metric_that_is_better_when_greater(new_session: NewSession) -> None:
    rng = np.random.default_rng(7)
    a, b, noise = rng.normal(size=(3, ROWS)) * [[1.0], [1.0], [0.3]]
    columns = {"a": a, "b": b, "y": np.where(np.sin(3 * a) * b + a > noise, "yes", "no")}
    session = run(new_session, columns, "auc", params=4_000)
    found, stages = sizes(session)
    assert {"size/ladder", "size/length", "size/shape"} <= stages
    best, worst = (pick(row["loss"] for row in found["rows"]) for pick in (min, max))
    assert -1.0 < best <= worst < 0.0
    predictions = [record.idea.prediction for record in session.store.ideas.list("s")]
    assert predictions
    assert all(prediction.gain[1] > 0 for prediction in predictions)
    test = session.store.ledger.fact("s", "test")
    assert test is not None
    assert test["methods"][0]["scores"]["auc"] > 0.8


def test_a_search_without_time_takes_what_is_left_at_the_end(new_session: NewSession) -> None:
    """It comes after the final training, and a repetition does the same without a clock."""
    a, b, noise = np.random.default_rng(7).normal(size=(3, ROWS)) * [[1.0], [1.0], [0.3]]
    columns = {"a": a, "b": b, "y": np.sin(3 * a) * b + a + noise}
    granted = {key: amount for key, amount in GRANTED.items() if key != "size core-seconds"}
    granted |= {"size core-seconds": 0, "size search": 0, "round 1": 0}
    granted |= {"late size core-seconds": 10_000, "late size search": 1}
    first = run(new_session, columns, "rmse", plan=WorkPlan(granted=granted), params=900)
    found, stages = sizes(first)
    assert {"size/ladder", "size/length"} <= stages
    assert found["chosen"] in [row["hidden"] for row in found["rows"]]
    trained = [trial.spec.stage for trial in first.store.trials.list("s")]
    assert trained.index("final") < trained.index("size/ladder")
    plan = WorkPlan(granted=dict(first.plan.granted), repeat=True)
    again = run(new_session, columns, "rmse", plan=plan, params=900)
    assert again.store.ledger.fact("s", "size") == found


def test_a_metric_that_is_not_defined(new_session: NewSession) -> None:
    """A class of one row is missing from the validation rows of most folds."""
    a, b = np.random.default_rng(7).normal(size=(2, ROWS))
    columns = {"a": a, "b": b, "y": np.where(np.arange(ROWS) == 3, "yes", "no")}
    session = run(new_session, columns, "auc", only="size")
    assert session.store.ledger.fact("s", "size") == {"reason": UNDEFINED}
    assert size_lines(session.store, "s") == [UNDEFINED]


def test_no_baseline_is_better_than_the_constant(new_session: NewSession) -> None:
    a, b, y = np.random.default_rng(7).normal(size=(3, ROWS))
    session = run(new_session, {"a": a, "b": b, "y": y}, "rmse", only="size")
    deltas = [
        d.measured["delta"] for d in session.store.ledger.decisions("s") if "delta" in d.measured
    ]
    assert deltas[0] == 0.0
    found = session.store.ledger.fact("s", "size")
    assert found == {"reason": NOTHING_LEARNED}
    assert not any(t.spec.stage.startswith("size/") for t in session.store.trials.list("s"))
