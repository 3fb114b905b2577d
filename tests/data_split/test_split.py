"""Splits: disjoint, complete, whole groups, in time order, stratified, repeatable, fast."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from justright.core.errors import DataError
from justright.data.draws import (
    folds_of_groups,
    folds_of_rows,
    last_rows,
    sample_groups,
    sample_rows,
    window_before,
)
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import FOLDS, REPORTED, Partition, Splits, make_splits, partition


def _problem(rows: int, *, kind: str = "regression", seed: int = 0, **columns) -> Problem:
    rng = np.random.default_rng(seed)
    table: dict = {"x": rng.normal(size=rows), **columns}
    if kind == "regression":
        table["y"] = rng.normal(size=rows)
    elif "y" not in table:
        table["y"] = np.array(["a", "b", "c"])[rng.choice(3, rows, p=[0.6, 0.3, 0.1])]
    options = DataOptions(
        target=("y",),
        seed=seed,
        group="g" if "g" in columns else None,
        time_column="t" if "t" in columns else None,
    )
    return make_problem(read_table(pl.DataFrame(table)), options)


def _check(problem: Problem, splits: Splits, part: Partition) -> None:
    """What every division must fulfil."""
    rows = problem.table.rows
    assert np.array_equal(np.sort(np.concatenate([splits.test, splits.rest])), np.arange(rows))
    both = np.sort(np.concatenate([part.train, part.validation]))
    if problem.options.time_column is None:
        assert np.array_equal(both, splits.rest)
    else:
        assert np.isin(both, splits.rest).all()
        assert len(np.unique(both)) == len(both)
    assert len(part.train)
    assert len(part.validation)
    groups, times = problem.groups(), problem.times()
    if groups is not None:
        sides = [set(groups[rows]) for rows in (splits.test, part.train, part.validation)]
        assert not sides[0] & sides[1]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
    elif times is not None and len(np.unique(times[splits.rest])) > 1:
        assert times[part.train].max() < times[part.validation].min()
        assert times[splits.rest].max() < times[splits.test].min()


@settings(max_examples=60)
@given(
    rows=st.integers(20, 600),
    kind=st.sampled_from(["regression", "classes"]),
    grouped=st.booleans(),
    timed=st.booleans(),
    seed=st.integers(0, 10_000),
    block=st.integers(0, 12),
)
def test_every_division_is_sound(rows, kind, grouped, timed, seed, block) -> None:
    rng = np.random.default_rng(seed)
    columns: dict = {}
    if grouped:
        columns["g"] = np.concatenate([np.arange(3), rng.integers(0, max(3, rows // 4), rows - 3)])
    if timed:
        columns["t"] = np.concatenate([np.arange(3), rng.integers(0, rows, rows - 3)])
    problem = _problem(rows, kind=kind, seed=seed, **columns)
    splits = make_splits(problem)
    part = partition(problem, splits, block)
    _check(problem, splits, part)
    again = partition(problem, make_splits(problem), block)
    assert np.array_equal(again.validation, part.validation)
    assert again.key == part.key
    y = problem.target()
    if kind == "classes" and not grouped and not timed:
        assert set(y[part.train]) == set(y)


@pytest.mark.parametrize(
    ("rows", "test"),
    [(20, 4), (249, 50), (250, 100), (400, 100), (600, 120), (5_000, 1_000), (300_000, 50_000)],
)
def test_size_of_the_test(rows: int, test: int) -> None:
    splits = make_splits(_problem(rows))
    assert len(splits.test) == test
    assert ("sanity" in splits.reason) == (rows < 500)


def test_small_tables_are_cross_validated_in_fresh_rounds() -> None:
    problem = _problem(1_000, kind="classes")
    splits = make_splits(problem)
    parts = [partition(problem, splits, block) for block in range(2 * FOLDS)]
    for round_of in (parts[:FOLDS], parts[FOLDS:]):
        union = np.sort(np.concatenate([part.validation for part in round_of]))
        assert np.array_equal(union, splits.rest)
    assert not np.array_equal(parts[0].validation, parts[FOLDS].validation)
    assert len({part.key for part in parts}) == 2 * FOLDS
    assert parts[0].overlap == pytest.approx(0.25, abs=0.01)


def test_middle_tables_get_fresh_splits_and_large_ones_a_fixed_hold_out() -> None:
    middle = _problem(6_000)
    splits = make_splits(middle)
    one, two = (partition(middle, splits, block) for block in (0, 1))
    assert len(one.validation) == round(0.2 * len(splits.rest))
    assert not one.fixed
    assert not np.array_equal(one.validation, two.validation)
    large = _problem(200_000)
    splits = make_splits(large)
    one, two = (partition(large, splits, block) for block in (0, 7))
    assert len(one.validation) == 20_000
    assert one.fixed
    assert one.key == two.key
    assert np.array_equal(one.validation, two.validation)


@pytest.mark.parametrize("columns", [{}, {"t": np.arange(60_000)}], ids=["random", "in time"])
def test_figures_of_large_tables_have_partitions_of_their_own(columns: dict) -> None:
    large = _problem(60_000, **columns)
    splits = make_splits(large)
    searched = partition(large, splits, 3)
    told = [partition(large, splits, REPORTED + k) for k in range(3)]
    assert searched.fixed
    assert len({part.key for part in (searched, *told)}) == 4
    for part in told:
        _check(large, splits, part)
        assert not part.fixed
        assert not np.array_equal(part.validation, searched.validation)


def test_classes_keep_their_shares() -> None:
    problem = _problem(3_000, kind="classes")
    splits = make_splits(problem)
    y = problem.target()
    part = partition(problem, splits, 0)
    whole = np.bincount(y) / len(y)
    for rows in (splits.test, part.train, part.validation):
        assert np.abs(np.bincount(y[rows]) / len(rows) - whole).max() < 0.003


def test_the_only_member_of_a_class_always_trains() -> None:
    labels = np.array(["a"] * 60 + ["b"] * 59 + ["lonely"])
    problem = _problem(120, kind="classes", y=labels)
    splits = make_splits(problem)
    for block in range(FOLDS):
        assert 119 in partition(problem, splits, block).train


def test_seeds_and_blocks_change_the_rows_and_nothing_else_does() -> None:
    problem, tested = _problem(1_000, seed=0), set()
    other = replace(problem, options=replace(problem.options, seed=1))
    parts = {}
    for seed, each in enumerate((problem, other)):
        splits = make_splits(each)
        tested.add(splits.test.tobytes())
        for block in range(2 * FOLDS):
            parts[seed, block] = partition(each, splits, block).validation.tobytes()
    assert len(tested) == 2
    assert len(set(parts.values())) == 2 * 2 * FOLDS
    # neither what the columns hold, nor the metric, nor which block was asked for before
    told = _problem(1_000, seed=5, more=np.arange(1_000.0))
    told = replace(told, options=problem.options, metric="mae")
    again = make_splits(told)
    assert again.test.tobytes() in tested
    for block in (7, 2):
        assert partition(told, again, block).validation.tobytes() == parts[0, block]


def test_blocks_in_time_walk_backwards() -> None:
    problem = _problem(1_000, t=np.random.default_rng(0).permutation(1_000))
    splits = make_splits(problem)
    times = problem.times()
    assert times is not None
    assert splits.kind == "time"
    assert times[splits.test].min() == 800
    parts = [partition(problem, splits, block) for block in range(6)]
    starts = [times[part.validation].min() for part in parts]
    assert times[parts[0].validation].max() == 799
    assert starts[:5] == sorted(starts[:5], reverse=True)
    assert len(parts[4].train) >= 0.49 * len(splits.rest)
    assert parts[5].key != parts[0].key


def test_two_moments_only() -> None:
    problem = _problem(300, t=np.arange(300) // 220)
    splits = make_splits(problem)
    assert len(splits.test) == 80
    _check(problem, splits, partition(problem, splits, 3))


def test_groups_in_time_order_stay_whole() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(50), 10)
    problem = _problem(500, g=group, t=group * 3 + rng.integers(0, 9, 500))
    splits = make_splits(problem)
    times = problem.times()
    assert times is not None
    assert times[splits.rest].max() <= times[splits.test].max()
    for block in range(6):
        _check(problem, splits, partition(problem, splits, block))


def test_one_huge_group_trains() -> None:
    group = np.concatenate([np.zeros(700), np.arange(1, 301)]).astype(int)
    problem = _problem(1_000, kind="classes", g=group)
    splits = make_splits(problem)
    assert 150 <= len(splits.test) <= 250
    assert 0 in splits.rest


@pytest.mark.parametrize("groups", [5, 10])
def test_a_test_of_a_single_group_says_so(groups: int) -> None:
    splits = make_splits(_problem(1_000, g=np.arange(1_000) % groups))
    assert len(splits.test) == 200
    assert ("single group" in splits.reason) == (groups == 5)


def test_a_given_test_is_taken_as_it_is() -> None:
    splits = make_splits(_problem(300), np.arange(290, 300))
    assert (splits.kind, len(splits.test)) == ("file", 10)


@pytest.mark.parametrize("groups", [1, 2])
def test_too_few_groups_are_refused(groups: int) -> None:
    problem = _problem(300, g=np.arange(300) % groups)
    with pytest.raises(DataError, match=f"{groups} groups"):
        make_splits(problem)


def test_impossible_divisions_are_refused() -> None:
    with pytest.raises(DataError, match="leaves 0 rows"):
        make_splits(_problem(300), np.arange(300))
    with pytest.raises(DataError, match="same time"):
        make_splits(_problem(300, t=np.ones(300)))
    problem = _problem(300)
    with pytest.raises(ValueError, match="block -1"):
        partition(problem, make_splits(problem), -1)


@settings(max_examples=80)
@given(st.data())
def test_draws_never_lose_a_class_they_can_keep(data) -> None:
    classes = np.array(data.draw(st.lists(st.integers(0, 6), min_size=2, max_size=60)))
    wanted = data.draw(st.integers(1, max(1, len(classes) // 3)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    chosen = sample_rows(np.arange(len(classes)), classes, wanted, rng)
    assert len(chosen) <= wanted
    assert len(np.unique(chosen)) == len(chosen)
    assert set(np.delete(classes, chosen)) == set(classes)
    fold = folds_of_rows(len(classes), classes, 5, rng)
    for k in range(5):
        assert set(classes[fold != k]) == set(classes)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=80), st.integers(0, 99))
def test_group_draws_take_some_and_leave_some(codes: list[int], seed: int) -> None:
    groups, rng = np.array([*codes, 21]), np.random.default_rng(seed)
    chosen = sample_groups(groups, None, max(1, len(groups) // 5), rng)
    assert 0 < len(chosen) < len(groups)
    fold = folds_of_groups(groups, 5, rng)
    assert sorted(set(fold)) == list(range(fold.max() + 1))
    for code in np.unique(groups):
        assert len(np.unique(fold[groups == code])) == 1


@settings(max_examples=80)
@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=60),
    st.integers(0, 40),
    st.integers(1, 40),
)
def test_windows_in_time_cut_between_moments(moments: list[int], after: int, wanted: int) -> None:
    times = np.array([*moments, 13], dtype=float)
    inside, before = window_before(times, after, wanted)
    assert len(inside)
    assert len(before)
    assert times[before].max() < times[inside].min()
    assert times[last_rows(times, wanted)].max() == 13


def test_a_million_rows_are_split_within_a_second() -> None:
    rng = np.random.default_rng(0)
    n = 1_000_000
    classes, groups = rng.integers(0, 5, n), rng.integers(0, 100_000, n)
    for work in (
        lambda: sample_rows(np.arange(n), classes, 50_000, rng),
        lambda: sample_groups(groups, classes, 50_000, rng),
        lambda: last_rows(rng.random(n), 50_000),
    ):
        start = time.process_time()
        work()
        assert time.process_time() - start < 1.5  # 0.16, 0.26 and 0.2 s where written
