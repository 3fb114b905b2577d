"""The audit finds what was planted in a table with a known truth, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from justright.core.finding import Severity
from justright.data.audit import audit
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.testing.checks import clean_frame, view_of
from justright.testing.data_worlds import DATA_WORLDS, DataWorld


@pytest.mark.parametrize("world", DATA_WORLDS, ids=lambda world: world.name)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_audit_finds_what_was_planted(world: DataWorld, seed: int) -> None:
    planted = world.draw(seed, 1_500)
    options = DataOptions(target=(planted.target,), time_column=planted.time_column)
    problem = make_problem(read_table(planted.frame), options)
    found = audit(problem, make_splits(problem))
    serious = {finding.code for finding in found if finding.severity is not Severity.NOTE}
    if world.finding is None:
        assert not serious
    else:
        assert world.finding in serious


@pytest.mark.parametrize("world", DATA_WORLDS, ids=lambda world: world.name)
def test_a_table_is_the_same_for_a_seed_and_no_one_beats_the_truth(world: DataWorld) -> None:
    one, again, other = (world.draw(seed, 800) for seed in (3, 3, 4))
    assert one.frame.equals(again.frame)
    assert not one.frame.equals(other.frame)
    assert one.best_loss <= 1.15 * one.constant_loss
    assert np.isfinite(one.constant_loss)


def test_two_of_the_three_inputs_tell_nothing_and_three_tell_all() -> None:
    world = next(world for world in DATA_WORLDS if world.name == "interaction of three")
    frame = world.draw(0, 20_000).frame
    y = (frame["y"] == "yes").to_numpy()
    signs = frame.select(f"x{k}" for k in range(3)).to_numpy() > 0
    for pair in ([0, 1], [0, 2], [1, 2]):
        cell = signs[:, pair] @ np.array([1, 2])
        assert all(abs(y[cell == value].mean() - 0.5) < 0.03 for value in range(4))
    assert (y == (signs.sum(axis=1) % 2 == 1)).mean() == pytest.approx(0.95, abs=0.01)


def test_infinite_inputs_are_one_finding() -> None:
    endless = pl.when(pl.int_range(pl.len()) < 7).then(float("inf")).otherwise(pl.col("a"))
    view = view_of(clean_frame().with_columns(a=endless))
    assert [finding.code for finding in audit(view.problem, view.splits)] == ["infinities"]


@pytest.mark.parametrize("classes", [0, 3])
def test_targets_of_test_rows_change_no_finding(classes: int) -> None:
    frame = clean_frame(classes=classes).with_columns(copy=pl.col("y"))
    if classes:  # one class is small
        frame = frame.filter((pl.col("y") != "class 1") | (pl.int_range(pl.len()) % 20 == 0))
    first = frame.height - 150
    wild = "class 1" if classes else 1e6
    told = pl.when(pl.int_range(pl.len()) < first).then("y").otherwise(pl.lit(wild))
    places = np.arange(first, frame.height)
    views = [view_of(table, places) for table in (frame, frame.with_columns(y=told))]
    honest, other = (audit(view.problem, view.splits) for view in views)
    assert honest == other
    assert {finding.code for finding in honest} >= ({"imbalance"} if classes else {"leakage"})
