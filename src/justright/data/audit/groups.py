"""Columns that may name what several rows belong to: persons, households, machines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.column import Column, ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import View

ALIKE = 0.6
"""Target's difference between rows of one value, relative to rows of neighbouring values, below
which the value names a group, two standard errors included. Measured on 36 real tables (LOG.md,
rows that belong together): persons 0.43 ± 0.05, members of a household 0; a table of towns
0.42 ± 0.18 is just not told; the next column of any 0.66 ± 0.07."""

FEWEST_GROUPS, FEWEST_ROWS = 50, 1.5
"""Fewest values, and fewest rows of one in the mean. Assumptions: fewer values are classes."""

_FEWEST_PAIRS = 50
"""Fewest pairs of rows on either side of the comparison. Assumption."""


def find_groups(view: View) -> Iterator[Finding]:
    """Report columns whose equal values have targets that neighbouring values do not share.

    An amount that predicts the target well does so for neighbouring values, too, and so is left
    alone; a number of a person does not.
    """
    if view.problem.options.group is not None:
        return
    target = _comparable(view)
    for column in view.inputs:
        if column.kind is ColumnKind.TEXT:
            continue
        found = _alike(view.values(column), target, view.rng)
        if found is not None and sum(found) < ALIKE:
            yield _finding(view, column, found[0])


def _comparable(view: View) -> np.ndarray:
    """Targets in columns whose squared differences count alike: ranks, or classes as they are."""
    if view.problem.task.is_classification:
        return np.eye(len(view.problem.task.classes), dtype=np.float64)[view.target]
    ranks = [np.unique(y, return_inverse=True)[1] for y in view.target.T]
    return np.stack([rank / max(rank.max(), 1) for rank in ranks], axis=1)


def _alike(
    values: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Ratio of mean squared differences within values and across, and two standard errors of it.

    Pairs are next to each other in the order of the values, rows of one value in random order.
    """
    known = np.flatnonzero(~np.isnan(values) if values.dtype.kind == "f" else values >= 0)
    distinct = len(np.unique(values[known]))
    if distinct < FEWEST_GROUPS or len(known) < FEWEST_ROWS * distinct:
        return None
    order = known[np.lexsort((rng.random(len(known)), values[known]))]
    apart = np.square(np.diff(target[order], axis=0)).sum(axis=1)
    same = values[order][1:] == values[order][:-1]
    within, across = apart[same], apart[~same]
    if min(len(within), len(across)) < _FEWEST_PAIRS or not across.mean() > 0:
        return None
    ratio = float(within.mean() / across.mean())
    own, other = (each.std() / np.sqrt(len(each)) for each in (within, across))
    error = np.hypot(own, ratio * other) / across.mean()
    return ratio, 2.0 * float(error)


def _finding(view: View, column: Column, ratio: float) -> Finding:
    name = column.name
    return Finding(
        "groups",
        Severity.WARNING,
        f"rows with the same {name!r} have targets far more alike than rows with neighbouring"
        f" values ({ratio:.2f} of their squared difference): they may belong to one thing, such as"
        " a person",
        f"kept, and rows of one stand on both sides of the split; if predictions are made for new"
        f" ones, use --group {name!r}, or the test score is too good",
        (name,),
        {"ratio": ratio},
    )
