"""Columns that are missing exactly when the target has one value: another way to leak it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View

EXACT = 0.995
"""Share of rows of a class, and of the others, for which presence must agree. Assumption."""

LEAST_ROWS = 20
"""Rows that a class, and the others, must have in the sample. Assumption."""


def find_missing_by_class(view: View) -> Iterator[Finding]:
    """Report columns whose presence all but says whether a row is of a class."""
    if not view.problem.task.is_classification:
        return
    y, classes = view.target, view.problem.task.classes
    counts = np.bincount(y, minlength=len(classes))
    for column in view.inputs:
        values = view.values(column)
        missing = np.isnan(values) if values.dtype.kind == "f" else values < 0
        total = int(missing.sum())
        if total in (0, len(y)):
            continue
        within = np.bincount(y, missing, len(classes))
        for k, label in enumerate(classes):
            others = len(y) - counts[k]
            if min(counts[k], others) < LEAST_ROWS:
                continue
            inside, outside = within[k] / counts[k], (total - within[k]) / others
            if min(inside, 1.0 - outside) >= EXACT or min(1.0 - inside, outside) >= EXACT:
                yield Finding(
                    "missing-by-class",
                    Severity.CRITICAL,
                    f"column {column.name!r} is missing in {inside:.1%} of the rows of class "
                    f"{label!r} and in {outside:.1%} of all others: its absence gives the class "
                    "away",
                    f"kept; if it is filled in after the fact, use --drop {column.name!r}",
                    (column.name,),
                    {"within": float(inside), "outside": float(outside)},
                )
                break
