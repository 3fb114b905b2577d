"""Drawing rows or whole groups: the arithmetic below the splits, on plain arrays."""

from __future__ import annotations

import numpy as np

from justright.core.errors import DataError

_TRIES = 20
"""Shuffles of groups that are tried for balanced classes. Assumption."""


def sample_rows(
    rows: np.ndarray, classes: np.ndarray | None, wanted: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose rows at random, from every class its share to within one row.

    The only member of a class is never chosen, so that training sees every class.

    Args:
        rows: Row numbers [n].
        classes: Class codes [n], or None.
        wanted: How many to choose, below n.
        rng: Where chance comes from.

    Returns:
        Chosen row numbers, rising.
    """
    order = rng.permutation(len(rows))
    if classes is None:
        return np.sort(rows[order[:wanted]])
    shuffled = classes[order]
    order = order[np.argsort(shuffled, kind="stable")]
    order = order[np.bincount(classes)[classes[order]] > 1]
    wanted = min(wanted, max(len(order) - 1, 0))
    if not wanted:
        return rows[:0]
    # Systematic sampling: every n/wanted-th row of the sorted classes (Madow & Madow 1944).
    places = np.floor((np.arange(wanted) + rng.random()) * (len(order) / wanted)).astype(np.int64)
    return np.sort(rows[order[np.minimum(places, len(order) - 1)]])


def folds_of_rows(
    count: int, classes: np.ndarray | None, folds: int, rng: np.random.Generator
) -> np.ndarray:
    """Fold of each row, int64 [n]; -1 for the only member of a class, which always trains."""
    order = rng.permutation(count)
    fold = np.empty(count, dtype=np.int64)
    if classes is None:
        fold[order] = np.arange(count) % folds
        return fold
    order = order[np.argsort(classes[order], kind="stable")]
    single = np.bincount(classes)[classes[order]] == 1
    fold[order[single]] = -1
    shared = order[~single]
    fold[shared] = np.arange(len(shared)) % folds
    return fold


def sample_groups(
    groups: np.ndarray, classes: np.ndarray | None, wanted: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose whole groups at random with about `wanted` rows, and classes like the rest.

    Of 20 shuffles the one is taken that leaves every class in both parts where possible, and
    comes nearest to the wanted share of every class.

    Returns:
        Chosen places in `groups`, rising.

    Raises:
        DataError: If there is only one group.
    """
    codes = _codes(groups)
    sizes = np.bincount(codes)
    table = sizes[:, None] if classes is None else _count_table(codes, classes, len(sizes))
    best: tuple[float, np.ndarray] | None = None
    for _ in range(_TRIES):
        chosen = _fill(sizes, wanted, rng)
        inside = table[chosen].sum(axis=0)
        total = table.sum(axis=0)
        lost = np.count_nonzero((inside == total) & (total > 0))
        share = inside / np.maximum(total, 1)
        cost = lost * 10.0 + float(np.abs(share - wanted / len(groups)).mean())
        if best is None or cost < best[0]:
            best = (cost, chosen)
    assert best is not None
    mark = np.zeros(len(sizes), dtype=bool)
    mark[best[1]] = True
    return np.flatnonzero(mark[codes])


def folds_of_groups(groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Fold of each row, int64 [n], equal within a group; fewer folds when there are fewer groups.

    Raises:
        DataError: If there is only one group.
    """
    codes = _codes(groups)
    sizes = np.bincount(codes)
    folds = min(folds, len(sizes))
    load = np.zeros(folds, dtype=np.int64)
    fold = np.empty(len(sizes), dtype=np.int64)
    order = rng.permutation(len(sizes))
    # Large groups first, each to the emptiest fold; equal sizes, and sizes within a quarter of
    # the mean, count as one, so that repeated cross-validations differ.
    coarse = sizes[order] // max(1, int(sizes.mean() / 4))
    for group in order[np.argsort(-coarse, kind="stable")]:
        place = int(np.argmin(load))
        fold[group] = place
        load[place] += sizes[group]
    return fold[codes]


def last_rows(times: np.ndarray, wanted: int) -> np.ndarray:
    """Places of about the last `wanted` rows, rising; rows of one moment stay together.

    Args:
        times: [n].
        wanted: How many, at least 1.

    Raises:
        DataError: If all rows have the same time.
    """
    return window_before(times, 0, wanted)[0]


def window_before(times: np.ndarray, after: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of a window in time and of all rows before it, both rising.

    Borders lie between different moments, as near as they can to where they are wanted. Where
    nothing would be left before the window, it is the latest one instead.

    Args:
        times: [n].
        after: Rows wanted behind the window.
        wanted: Rows wanted in the window, at least 1.

    Raises:
        DataError: If all rows have the same time.
    """
    order = np.argsort(times, kind="stable")
    ranked = times[order]
    starts = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, len(times))
    if len(starts) == 1:
        raise DataError(
            "all rows have the same time", hint="leave --time-column out, or name a finer one"
        )
    end = int(starts[np.argmin(np.abs(starts - (len(times) - after)))])
    before = starts[starts < end]
    if not len(before):
        return window_before(times, 0, wanted)
    start = int(before[np.argmin(np.abs(before - (end - wanted)))])
    return np.sort(order[start:end]), np.sort(order[:start])


def time_of_groups(groups: np.ndarray, times: np.ndarray) -> np.ndarray:
    """For each row a number that orders the groups by their last row, distinct per group: [n]."""
    codes = _codes(groups)
    latest = np.full(int(codes.max()) + 1, -np.inf)
    np.maximum.at(latest, codes, times)
    rank = np.empty(len(latest))
    rank[np.argsort(latest, kind="stable")] = np.arange(len(latest))
    return rank[codes]


def _codes(groups: np.ndarray) -> np.ndarray:
    values, codes = np.unique(groups, return_inverse=True)
    if len(values) < 2:
        raise DataError(
            "all rows belong to one group",
            hint="leave --group out, or name a column with several groups",
        )
    return codes.astype(np.int64)


def _count_table(codes: np.ndarray, classes: np.ndarray, groups: int) -> np.ndarray:
    """Rows of each class in each group: [groups, classes]."""
    width = int(classes.max()) + 1
    return np.bincount(codes * width + classes, minlength=groups * width).reshape(groups, width)


def _fill(sizes: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Groups in random order until `wanted` rows are nearest; too large ones are left out."""
    order = rng.permutation(len(sizes))
    fitting = order[sizes[order] <= 1.5 * wanted]
    if not len(fitting):
        return order[[int(np.argmin(sizes[order]))]]
    filled = np.cumsum(sizes[fitting])
    count = int(np.argmin(np.abs(filled - wanted))) + 1
    return fitting[: min(count, len(sizes) - 1)]
