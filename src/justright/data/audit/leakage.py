"""Columns that give the target away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.column import Column, ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.single import binned, explained, separation
from justright.data.audit.view import View, is_amount

GIVEAWAY = 0.995
"""R², AUC or rank correlation above which one column alone is too good to be true. Assumption:
honest single columns of the real tables looked at stay below 0.98."""

COPY = 1.0 - 1e-9
"""Correlation above which a column is the target in other units. Assumption (rounding)."""

LEAST_ROWS = 60
"""With fewer sampled rows, half of them to judge on, luck looks like a leak. Assumption."""

_CRITICAL_ROWS = 500
"""Below this many rows one true marker can separate classes perfectly: a warning only."""


def find_leakage(view: View) -> Iterator[Finding]:
    """Report columns equal or affine to the target, or that alone predict it almost perfectly."""
    if len(view.target) < LEAST_ROWS:
        return
    half = np.zeros(len(view.target), dtype=bool)
    half[view.rng.permutation(len(half))[: len(half) // 2]] = True
    for column in view.inputs:
        if column.kind is ColumnKind.TEXT:
            continue
        found = _classes(view, column, half) if view.problem.task.is_classification else None
        if found is None and not view.problem.task.is_classification:
            found = _amounts(view, column, half)
        if found is not None:
            yield found


def _amounts(view: View, column: Column, half: np.ndarray) -> Finding | None:
    values = view.values(column)
    for place, name in enumerate(view.problem.task.targets):
        y = view.target[:, place]
        if is_amount(column):
            known = ~np.isnan(values)
            if known.sum() >= max(LEAST_ROWS, 0.5 * len(y)):
                copy = _correlation(values[known], y[known])
                if copy >= COPY:
                    same = bool(np.allclose(values[known], y[known]))
                    what = "equals" if same else "is a linear function of"
                    return _finding(
                        view, column, f"{what} the target {name!r} (correlation 1)", copy
                    )
                order = _correlation(_ranks(values[known]), _ranks(y[known]))
                if order >= GIVEAWAY:
                    text = f"has the order of the target {name!r} (rank correlation {order:.4f})"
                    return _finding(view, column, text, order)
        score = explained(binned(values, half), y, half)
        if score > GIVEAWAY:
            text = f"alone predicts the target {name!r} (R² {score:.4f} on rows not used to fit)"
            return _finding(view, column, text, score)
    return None


def _classes(view: View, column: Column, half: np.ndarray) -> Finding | None:
    values, classes = view.values(column), len(view.problem.task.classes)
    score = separation(binned(values, half), view.target, half, classes)
    if not score > GIVEAWAY:
        return None
    name = view.problem.task.targets[0]
    text = f"alone predicts the target {name!r} (AUC {score:.4f} on rows not used to fit)"
    return _finding(view, column, text, score)


def _finding(view: View, column: Column, text: str, score: float) -> Finding:
    rows = view.problem.table.rows
    return Finding(
        "leakage",
        Severity.CRITICAL if rows >= _CRITICAL_ROWS else Severity.WARNING,
        f"column {column.name!r} {text}",
        f"kept; if it is not known when predictions are made, use --drop {column.name!r}",
        (column.name,),
        {"score": score},
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Absolute Pearson correlation; 0 when one does not vary."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return abs(float((a * b).sum())) / scale if scale > 0 and np.isfinite(scale) else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with ties at their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - 0.5 * (count - 1))[place]
