"""Dates among the inputs while the split is random: the past may be judged by the future."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.column import Column, ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.single import binned, explained, separation
from justright.data.audit.view import View

SEEN_R2, SEEN_AUC = 0.02, 0.55
"""R², or AUC, of the date alone from which the target moves with time. Assumptions."""

_LEAST_ROWS = 60


def find_unused_time(view: View) -> Iterator[Finding]:
    """Report date columns under a split that ignores them; worse when the target follows them."""
    if view.splits.kind in ("time", "file"):
        return
    for column in view.inputs:
        if column.kind is not ColumnKind.DATETIME:
            continue
        score, name = _strength(view, column), "R²"
        level = SEEN_R2
        if view.problem.task.is_classification:
            name, level = "AUC", SEEN_AUC
        moves = score >= level
        text = (
            f"column {column.name!r} is a date, and the split is random; the target "
            f"{'moves' if moves else 'hardly moves'} with it ({name} {score:.2f} by date alone)"
        )
        yield Finding(
            "unused-time",
            Severity.WARNING if moves else Severity.NOTE,
            text,
            f"if predictions are for later rows, use --time-column {column.name!r}",
            (column.name,),
            {"score": score},
        )


def _strength(view: View, column: Column) -> float:
    """R² or AUC of the date alone on rows not used to fit."""
    y = view.target
    nothing = 0.5 if view.problem.task.is_classification else 0.0
    if len(y) < _LEAST_ROWS:
        return nothing
    half = np.zeros(len(y), dtype=bool)
    half[view.rng.permutation(len(y))[: len(y) // 2]] = True
    bins = binned(view.values(column), half)
    if view.problem.task.is_classification:
        found = separation(bins, y, half, len(view.problem.task.classes))
    else:
        found = float(np.max([explained(bins, each, half) for each in y.T]))
    return max(found, nothing) if np.isfinite(found) else nothing
