"""Out-of-fold predictions belong to the rows of the input that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from conftest import NewSession
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.split import REPORTED
from justright.designer.delivery.out_of_fold import OutOfFold, frame_of, gather
from justright.designer.delivery.repeats import Repeated
from justright.designer.request.options import FitOptions
from justright.designer.request.reading import read_problem
from justright.designer.work.session import Arm, Champion, Session
from justright.recipe.recipe import Recipe

ARM = Arm("planted", Recipe(), 100)
NONE = "no repetitions"


def numbered(rows: int) -> pl.DataFrame:
    """Whose target is the number of the row."""
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "a": rng.normal(size=rows),
            "team": rng.integers(0, 30, rows),
            "day": rng.permutation(rows).astype(float),
            "y": np.arange(rows, dtype=float),
        }
    )


def trainings(session: Session, numbers: Sequence[int], add: float = 0.0) -> tuple[Trial, ...]:
    """One per block; what it predicts of a row is the row's number, and `add`."""
    made = []
    for number in numbers:
        block = session.blocks.planned(number, ARM.recipe.preprocessing)
        rows = session.blocks.splits.rest[block.validation]
        name = f"{number}-{add}.npy"
        np.save(session.folder.trials / name, session.blocks.rows_sample(rows).y + add)
        spec = TrialSpec("network", "planted", "champion", {}, block.partition, number, 100)
        made.append(Trial(spec, TrialState.DONE, {"predictions": name}))
    return tuple(made)


def frame(session: Session, found: OutOfFold) -> pl.DataFrame:
    return frame_of(session, found, {}, 1.0)


def check(session: Session, rows: int) -> pl.DataFrame:
    """The frame of a study whose screening predicts row numbers; every number is in its place."""
    champion = Champion(ARM, trainings(session, session.blocks.first), 0.0)
    made = frame(session, gather(session, champion, NONE))
    assert made["row"].to_list() == list(range(rows))
    known = made.drop_nulls()
    assert known["y"].to_list() == known["row"].cast(pl.Float64).to_list()
    assert made.filter(pl.col("trainings") == 0)["y"].null_count() == rows - known.height
    return known


@pytest.mark.parametrize(
    ("roles", "rows", "least"),
    [
        ({}, 300, 1.0),
        ({"group": "team"}, 300, 1.0),
        ({"time_column": "day"}, 300, 0.45),  # five windows of a tenth
        ({}, 2_600, 0.2),  # one random validation set of a fifth
        ({}, 26_000, 0.19),  # one hold-out for all blocks
        ({"time_column": "day", "group": "team"}, 300, 0.3),
    ],
)
def test_each_prediction_is_in_its_row(
    new_session: NewSession, roles: Mapping[str, Any], rows: int, least: float
) -> None:
    session = new_session(frame=numbered(rows), roles=roles)
    known = check(session, rows)
    rest = session.blocks.splits.rest
    assert set(known["row"]) <= set(rest.tolist())
    assert known.height >= least * len(rest) - 1
    most = 2 if "group" in roles and "time_column" in roles else 1  # their windows may overlap
    assert known["trainings"].is_between(1, most).all()


def test_rows_without_a_target_keep_their_place(new_session: NewSession) -> None:
    whole = numbered(300)
    gaps = whole.with_columns(y=pl.when(pl.int_range(300) % 7 != 3).then("y"))
    session = new_session(frame=gaps)
    known = check(session, 300)
    assert not [row for row in known["row"] if row % 7 == 3]
    assert known.height == len(session.blocks.splits.rest) < 240


def test_a_table_that_was_thinned_out_and_a_test_file(new_session: NewSession, tmp_path) -> None:
    """A row number is of the file that was handed in, whatever became of the table."""
    numbered(100).with_columns(pl.col("y") + 1e6).write_csv(tmp_path / "test.csv")
    gaps = numbered(500).with_columns(y=pl.when(pl.int_range(500) != 1).then("y"))
    options = FitOptions(DataOptions(target=("y",), test=str(tmp_path / "test.csv")))
    problem, tested, _ = read_problem(gaps, options, 400)
    assert tested is not None
    assert problem.table.source_rows == 500
    np.testing.assert_array_equal(problem.table.origin[tested], -1)
    rest = np.setdiff1d(np.arange(problem.table.rows), tested)
    np.testing.assert_array_equal(problem.table.origin[rest], problem.target()[rest, 0])
    session = new_session(frame=gaps)
    session.blocks.problem = problem
    every = np.arange(problem.table.rows)
    found = OutOfFold(every, problem.target(), problem.target(), np.ones_like(every), 0)
    known = frame(session, found).drop_nulls()
    assert known["y"].to_list() == known["row"].cast(pl.Float64).to_list()
    assert known.height == len(rest)


def test_the_mean_is_of_all_trainings_and_the_single_one_of_the_cleanest(
    new_session: NewSession,
) -> None:
    """Screening chose, so it counts last; a repetition chose nothing, so it counts first."""
    session = new_session(frame=numbered(300))
    champion = Champion(ARM, trainings(session, session.blocks.first), 0.0)
    numbers = range(REPORTED, REPORTED + 5)
    spec = ARM.recipe.preprocessing
    blocks = tuple(session.blocks.planned(number, spec) for number in numbers)
    repeated = Repeated(blocks, trainings(session, numbers, add=8.0), {})
    found = gather(session, champion, repeated)
    y = session.blocks.problem.target()[found.rows]
    np.testing.assert_array_equal(found.trainings, 2)
    np.testing.assert_array_equal(found.mean, y + 4.0)
    np.testing.assert_array_equal(found.single, y + 8.0)
    assert found.repeated == len(found.rows)


@pytest.mark.parametrize(("rows", "further"), [(2_600, 1), (26_000, REPORTED)])
def test_only_trainings_of_the_very_recipe_and_length_count(
    new_session: NewSession, rows: int, further: int
) -> None:
    """Planted in the store: a confirmation, one of a third of the length, one of another rate."""
    session = new_session(frame=numbered(rows))
    champion = Champion(ARM, trainings(session, session.blocks.first), 0.0)
    faster = replace(ARM.recipe, optimiser=replace(ARM.recipe.optimiser, rate=0.5))
    for number, arm, add in ((further, ARM, 2.0), (2, replace(ARM, steps=33), 1e9)):
        stored(session, arm, number, add)
    stored(session, replace(ARM, recipe=faster), 3, 1e9)
    found = gather(session, champion, NONE)
    blocks = [session.blocks.planned(n, ARM.recipe.preprocessing) for n in (0, further)]
    rest = session.blocks.splits.rest
    inside = [np.isin(found.rows, rest[block.validation]) for block in blocks]
    assert (inside[0] | inside[1]).all()
    y = session.blocks.problem.target()[found.rows, 0]
    np.testing.assert_array_equal(found.single[:, 0], np.where(inside[1], y + 2.0, y))
    np.testing.assert_array_equal(found.trainings, inside[0].astype(int) + inside[1])


def stored(session: Session, arm: Arm, number: int, add: float) -> None:
    """A finished training in the store, whose predictions are off by `add`."""
    block = session.blocks.planned(number, arm.recipe.preprocessing)
    (job,) = session.train(arm, "round 1/confirm", [block])
    (planned,) = session.store.trials.plan(session.name, job.specs)
    holder = cast(Any, session.crew)._holder
    attempt = session.store.trials.start(session.name, [planned.spec.id], holder)
    rows = session.blocks.splits.rest[block.validation]
    path = session.folder.trials / f"{planned.spec.id}.npy"
    np.save(path, session.blocks.rows_sample(rows).y + add)
    result = {"predictions": str(path), "scores": {}}
    session.store.trials.finish(attempt, planned.spec.id, TrialState.DONE, result, "")


def test_classes_are_written_as_they_were(new_session: NewSession) -> None:
    """Whole numbers as labels; probabilities scaled as the model's are."""
    y = np.arange(60) % 2 * 7
    session = new_session(frame=pl.DataFrame({"a": np.sin(np.arange(60.0)), "y": y}))
    task = session.blocks.problem.task
    assert task.classes == ("0", "7")
    sure = np.where(task.classes == np.array("7"), y[:, None] == 7, y[:, None] == 0)
    p = np.where(sure, 0.8, 0.2)
    found = OutOfFold(np.arange(60), p, p, np.ones(60, int), 0)
    target = {"classes": ["0", "7"], "label_type": "integer"}
    document = {"columns": [], "centre": [], "factor": [], "target": target}
    made = frame_of(session, found, document, 2.0)
    assert made.columns == ["row", "y", "p(0)", "p(7)", "trainings"]
    assert made["y"].to_list() == y.tolist()
    np.testing.assert_allclose(made["p(7)"], np.where(y == 7, 2 / 3, 1 / 3))


def test_targets_called_like_its_own_columns() -> None:
    table = read_table({"row": [1.0, 2.0], "a": [1, 2]})
    problem = SimpleNamespace(
        table=table, task=SimpleNamespace(targets=("row",), is_classification=False)
    )
    session = cast(Session, SimpleNamespace(blocks=SimpleNamespace(problem=problem)))
    found = OutOfFold(np.array([1]), np.array([[9.0]]), np.array([[9.0]]), np.array([3]), 0)
    made = frame(session, found)
    assert made.to_dict(as_series=False) == {
        "row_": [0, 1],
        "row": [None, 9.0],
        "trainings": [0, 3],
    }
