"""Which rows are for the locked test, for training and for validation; a function of the seed.

Classes are stratified, groups never straddle a border, and with a time column everything is
judged on rows later than those it learned from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from justright.core.errors import DataError
from justright.core.seeds import child_seed
from justright.data.draws import (
    folds_of_groups,
    folds_of_rows,
    last_rows,
    sample_groups,
    sample_rows,
    time_of_groups,
    window_before,
)
from justright.data.problem import Problem

TEST_SHARE, TEST_MOST, TEST_LEAST = 0.20, 50_000, 100
"""Share of the locked test, and its bounds in rows. Assumptions (the usual 80/20)."""

SANITY_BELOW = 500
"""A table with fewer rows has a test set that can only catch gross faults: with 40 test rows the
standard error of RMSE is 11%. Measured by simulation."""

CROSS_VALIDATE_BELOW, HOLD_OUT_ABOVE = 2_000, 20_000
"""Rows besides the test: fewer, and folds are repeated; more, and one hold-out is enough.
Assumptions."""

REPORTED = 5_000
"""From this block on partitions are fresh in tables of every size: for figures that are told and
choose nothing. The search never gets so far (six rounds of at most twenty blocks)."""

FOLDS = 5
VALIDATION_SHARE, VALIDATION_MOST = 0.20, 20_000
"""Share of a hold-out and its bound in rows. Assumptions."""

WINDOW = 0.10
"""Share of the rows in one validation window in time; five of them leave half the rows to train
the earliest. Assumption."""


@dataclass(frozen=True)
class Splits:
    """The locked test and the rest.

    Attributes:
        test: Row numbers, int64, rising.
        rest: All other row numbers, int64, rising.
        kind: ``"random"``, ``"stratified"``, ``"groups"``, ``"time"`` or ``"file"``.
        reason: How it was made and what it can show, in a sentence or two.
    """

    test: np.ndarray
    rest: np.ndarray
    kind: str
    reason: str


@dataclass(frozen=True)
class Partition:
    """One way to divide the rest into training and validation rows.

    Attributes:
        key: Names it; equal keys have equal rows.
        train: Row numbers of the table, int64, rising.
        validation: Row numbers of the table, int64, rising.
        fixed: Whether every block has these very rows, so that only seeds differ.
    """

    key: str
    train: np.ndarray
    validation: np.ndarray
    fixed: bool = False

    @property
    def overlap(self) -> float:
        """n_val / n_train, which corrects comparisons over blocks (Nadeau & Bengio 2003)."""
        return len(self.validation) / max(len(self.train), 1)


def make_splits(problem: Problem, test_rows: np.ndarray | None = None) -> Splits:
    """Set the locked test aside.

    Args:
        problem: What is to be learned.
        test_rows: Row numbers that the user gave as the test, or None to choose 20%, at least
            100 rows (fewer of a table below 250) and at most 50,000.

    Raises:
        DataError: If no rows are left on one side, or there is only one group or moment.
    """
    rows = problem.table.rows
    if test_rows is not None:
        test = np.unique(np.asarray(test_rows, dtype=np.int64))
        reason = f"the {len(test):,} rows of the given test file"
        return _finished(problem, test, "file", reason)
    wanted = _test_size(rows)
    rng = np.random.default_rng(child_seed(problem.options.seed, "test"))
    groups, times = problem.groups(), problem.times()
    _check_groups(problem, groups)
    if times is not None:
        test = np.sort(_latest(np.arange(rows), times, groups, wanted))
        reason = f"the last {len(test):,} of {rows:,} rows in time"
        if groups is not None:
            reason += ", by the last row of each group, so that groups stay whole"
        return _finished(problem, test, "time", reason)
    classes = _classes(problem)
    if groups is not None:
        test = sample_groups(groups, classes, wanted, rng)
        count = len(np.unique(groups[test]))
        reason = f"{len(test):,} of {rows:,} rows: {count:,} whole groups at random"
        return _finished(problem, test, "groups", reason)
    test = sample_rows(np.arange(rows), classes, wanted, rng)
    kind = "random" if classes is None else "stratified"
    how = "at random" if classes is None else "at random within each class"
    return _finished(problem, test, kind, f"{len(test):,} of {rows:,} rows {how}")


def partition(problem: Problem, splits: Splits, block: int) -> Partition:
    """Training and validation rows of one block; the same for equal seed and block.

    Below 2,000 rows: fold ``block % 5`` of the cross-validation number ``block // 5``. To 20,000:
    a fresh 80/20 split each. Above: one hold-out of at most 20,000 rows for all blocks below
    `REPORTED`, and a fresh one for each from there on. In time the validation rows are the latest,
    and those of later blocks lie before them.

    Args:
        problem: What is to be learned.
        splits: The locked test and the rest.
        block: Number from 0.

    Raises:
        ValueError: If `block` is negative.
        DataError: If the rest cannot be divided.
    """
    if block < 0:
        raise ValueError(f"block {block}, it must be at least 0")
    rest, seed = splits.rest, problem.options.seed
    groups, times, classes = problem.groups(), problem.times(), _classes(problem)
    groups = None if groups is None else groups[rest]
    times = None if times is None or np.ptp(times[rest]) == 0 else times[rest]
    classes = None if classes is None else classes[rest]
    fixed = len(rest) > HOLD_OUT_ABOVE and block < REPORTED
    size = min(round(VALIDATION_SHARE * len(rest)), VALIDATION_MOST)
    if times is not None:
        inside, train, key = _window(times, groups, size, block, fixed)
    elif len(rest) < CROSS_VALIDATE_BELOW:
        repeat, fold = divmod(block, FOLDS)
        rng = np.random.default_rng(child_seed(seed, "folds", repeat))
        if groups is None:
            fold_of = folds_of_rows(len(rest), classes, FOLDS, rng)
        else:
            fold_of = folds_of_groups(groups, FOLDS, rng)
            fold %= int(fold_of.max()) + 1  # fewer groups than folds
        inside, key = np.flatnonzero(fold_of == fold), f"fold-{seed}-{repeat}-{fold}"
        train = np.flatnonzero(fold_of != fold)
    else:
        name = "hold-out" if fixed else f"split-{block}"
        rng = np.random.default_rng(child_seed(seed, name))
        if groups is None:
            inside = sample_rows(np.arange(len(rest)), classes, size, rng)
        else:
            inside = sample_groups(groups, classes, size, rng)
        train, key = _others(len(rest), inside), f"{name}-{seed}"
    if not len(inside) or not len(train):
        raise DataError(
            f"{len(rest):,} rows cannot be divided into training and validation",
            hint="more rows, groups or moments in time are needed",
        )
    return Partition(key, rest[train], rest[inside], fixed)


def _check_groups(problem: Problem, groups: np.ndarray | None) -> None:
    count = 3 if groups is None else len(np.unique(groups))
    if count < 3:
        raise DataError(
            f"--group {problem.options.group}: {count} groups",
            hint="training, validation and test need whole groups each, so at least 3",
        )


def _test_size(rows: int) -> int:
    share = round(TEST_SHARE * rows)
    if rows < TEST_LEAST / 0.4:  # 100 rows would be more than 40% of the table
        return max(share, 1)
    return min(max(share, TEST_LEAST), TEST_MOST)


def _finished(problem: Problem, test: np.ndarray, kind: str, reason: str) -> Splits:
    rest = _others(problem.table.rows, test)
    if not len(test) or not len(rest):
        raise DataError(
            f"a test set of {len(test):,} rows leaves {len(rest):,} rows to learn from",
            hint="give both sides rows",
        )
    if problem.table.rows < SANITY_BELOW and kind != "file":
        reason += "; so few test rows are a sanity check, cross-validation says more"
    groups = problem.groups()
    if groups is not None and np.ptp(groups[test]) == 0:
        reason += "; a single group cannot show how sure a score is"
    return Splits(test, rest, kind, reason)


def _classes(problem: Problem) -> np.ndarray | None:
    return problem.target() if problem.task.is_classification else None


def _others(count: int, chosen: np.ndarray) -> np.ndarray:
    free = np.ones(count, dtype=bool)
    free[chosen] = False
    return np.flatnonzero(free)


def _latest(
    rows: np.ndarray, times: np.ndarray, groups: np.ndarray | None, wanted: int
) -> np.ndarray:
    """The last rows; whole groups by their last row if there are any."""
    when = times if groups is None else time_of_groups(groups, times)
    return rows[last_rows(when, wanted)]


def _window(
    times: np.ndarray, groups: np.ndarray | None, size: int, block: int, fixed: bool
) -> tuple[np.ndarray, np.ndarray, str]:
    """Validation and training rows of an expanding window, and its key.

    Block 0 ends with the last row, blocks 1 to 4 lie before it one by one; further rounds of five
    are shifted by a golden share of a window (so that none repeats).
    """
    when = times if groups is None else time_of_groups(groups, times)
    if fixed:
        return *window_before(when, 0, size), "hold-out-time"
    repeat, place = divmod(block, FOLDS)
    width = max(1, min(round(WINDOW * len(when)), VALIDATION_MOST))
    shift = round(math.fmod(0.6180339887 * repeat, 1.0) * width)
    inside, train = window_before(when, place * width + shift, width)
    # named by its rows: on coarse times two blocks may be the same window
    return inside, train, f"window-{len(train)}-{len(inside)}"
