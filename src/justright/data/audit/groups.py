"""Columns that may name what several rows belong to: persons, households, machines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.column import Column, ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import SAMPLE, View, plain
from justright.data.kinds import looks_like_id
from justright.data.problem import target_of

ALIKE = 0.6
"""Target's difference between rows of one value, relative to rows of neighbouring values, below
which the value names a group, two standard errors included. Measured on 36 real tables (LOG.md,
rows that belong together): persons 0.43 ± 0.05, members of a household 0; a table of towns
0.42 ± 0.18 is just not told; of all other columns the lowest upper end is 0.73. All of them are
numbers; of names, whose neighbours are any others: purchases of one household 0.45 ± 0.08."""

FEWEST_GROUPS, FEWEST_ROWS = 50, 1.5
"""Fewest values, and fewest rows of one in the mean. Assumptions: fewer values are classes."""

BOTH_SIDES = 0.5
"""Share of test rows whose value also stands outside the test from which it matters. Assumption:
a split by time or by file may have kept the groups whole."""

_FEWEST_PAIRS, _WINDOWS = 50, 20
"""Fewest pairs of rows on either side of the comparison, and stretches of values that are looked
at in a large table. Assumptions."""


def find_groups(view: View) -> Iterator[Finding]:
    """Report columns whose equal values have targets that neighbouring values do not share.

    A number that predicts the target well does so for neighbouring values, too, and so is left
    alone; a number of a person does not. Categories have no neighbours: what is alike within one
    may as well be what it says, unless it says that it is a name (``station_id``).
    """
    if view.problem.options.group is not None:
        return
    frame, rest = view.problem.table.frame, view.splits.rest
    target = None
    for column in view.inputs:
        if not _may_name(column) or not _may_repeat(_known(view.values(column))):
            continue
        values = _known(plain(frame[column.name], column))
        if not _repeats(values[rest]) or not _on_both_sides(values, view):
            continue
        if target is None:
            target = _comparable(view)
        found = _alike(values[rest], target, view.rng)
        if found is not None and sum(found) < ALIKE:
            yield _finding(column, found[0])


def _may_name(column: Column) -> bool:
    """Whether the column holds numbers, or names by its own name."""
    return column.kind is ColumnKind.NUMBER or (
        column.kind is ColumnKind.CATEGORY
        and looks_like_id(column.name)
        and not column.name.lower().endswith("index")  # heat_index is a measure
    )


def _known(values: np.ndarray) -> np.ndarray:
    """Numbers, or codes as numbers: float64 with NaN for missing."""
    if values.dtype.kind == "f":
        return values
    return np.where(values < 0, np.nan, values.astype(np.float64))


def _may_repeat(sample: np.ndarray) -> bool:
    """Whether a sample leaves it open, so that measurements of a large table cost nothing."""
    known = sample[~np.isnan(sample)]
    return FEWEST_GROUPS <= len(np.unique(known)) < len(known)


def _repeats(values: np.ndarray) -> bool:
    """Whether many values have more than one row."""
    known = values[~np.isnan(values)]
    distinct = len(np.unique(known))
    return distinct >= FEWEST_GROUPS and len(known) >= FEWEST_ROWS * distinct


def _on_both_sides(values: np.ndarray, view: View) -> bool:
    """Whether rows of one value lie inside the test and outside."""
    inside = values[view.splits.test]
    return bool(np.isin(inside, values[view.splits.rest]).mean() >= BOTH_SIDES)


def _comparable(view: View) -> np.ndarray:
    """Targets in columns whose squared differences count alike: ranks, or a column a class."""
    target = target_of(view.problem.table.frame[view.splits.rest], view.problem.task)
    if view.problem.task.is_classification:
        return np.eye(len(view.problem.task.classes), dtype=np.float64)[target]
    ranks = [np.unique(y, return_inverse=True)[1] for y in target.T]
    return np.stack([rank / max(rank.max(), 1) for rank in ranks], axis=1)


def _alike(
    values: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Ratio of mean squared differences within values and across, and two standard errors of it.

    Pairs are next to each other in the order of the values, rows of one value in random order; of
    a large table in stretches of that order, so that values stay whole and keep their neighbours.
    """
    known = np.flatnonzero(~np.isnan(values))
    order = _stretches(known[np.lexsort((rng.random(len(known)), values[known]))], rng)
    apart = np.square(np.diff(target[order], axis=0)).sum(axis=1)
    same = values[order][1:] == values[order][:-1]
    within, across = apart[same], apart[~same]
    if min(len(within), len(across)) < _FEWEST_PAIRS or not across.mean() > 0:
        return None
    ratio = float(within.mean() / across.mean())
    own, other = (each.std() / np.sqrt(len(each)) for each in (within, across))
    error = np.hypot(own, ratio * other) / across.mean()
    return ratio, 2.0 * float(error)


def _stretches(order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All of a short order, or stretches of a long one, together at most `SAMPLE` places."""
    if len(order) <= SAMPLE:
        return order
    size = SAMPLE // _WINDOWS
    starts = np.sort(rng.choice(len(order) // size, _WINDOWS, replace=False)) * size
    return order[(starts[:, None] + np.arange(size)).ravel()]


def _finding(column: Column, ratio: float) -> Finding:
    name = column.name
    numbers = column.kind is ColumnKind.NUMBER
    others = "neighbouring" if numbers else "other"
    return Finding(
        "groups",
        Severity.WARNING if numbers else Severity.NOTE,  # a name may be what new rows have, too
        f"rows with the same {name!r} have targets far more alike than rows with {others}"
        f" values ({ratio:.2f} of their squared difference): they may belong to one thing, such as"
        " a person",
        f"kept, and rows of one stand on both sides of the split; if predictions are made for new"
        f" ones, use --group {name!r}, or the test score is too good",
        (name,),
        {"ratio": ratio},
    )
