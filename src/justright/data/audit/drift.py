"""Columns whose values differ between the test and the rest, where the user or time chose it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from justright.core.column import Column, ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.arrays import labels_of
from justright.data.audit.view import View, is_amount, listed, plain

SEEN, LARGE = 0.1, 0.3
"""Distance of two distributions (largest gap of their cumulative shares, or half the sum of gaps
of shares) from which a column is named, and from which it is a warning. Assumptions."""

_SURE = 2.0
"""Multiple of 1/sqrt(n_eff) that chance reaches once in 1,500 times (Kolmogorov 1933)."""


def find_drift(view: View) -> Iterator[Finding]:
    """Report the inputs that moved, in one finding; a random split cannot drift."""
    if view.splits.kind not in ("file", "time"):
        return
    moved: dict[str, float] = {}
    for column in view.inputs:
        # Dates move by construction, and so does whatever orders the rows.
        dated = column.kind is ColumnKind.DATETIME and view.splits.kind == "time"
        if dated or column.kind is ColumnKind.TEXT:
            continue
        if column.name == view.problem.options.time_column:
            continue
        distance = column_distance(view, column)
        if distance >= SEEN:
            moved[column.name] = distance
    if not moved:
        return
    names = sorted(moved, key=lambda name: -moved[name])
    figures = [f"{name} {moved[name]:.2f}" for name in names]
    yield Finding(
        "drift",
        Severity.WARNING if moved[names[0]] >= LARGE else Severity.NOTE,
        f"{len(moved)} of {len(view.inputs)} inputs differ between the test and the other rows "
        f"(distance of distributions, 0 to 1): {listed(figures)}",
        "kept; expect the test score to be worse than that of validation",
        tuple(names),
        {"columns": float(len(moved)), "largest": moved[names[0]]},
    )


def column_distance(view: View, column: Column) -> float:
    """Distance between test and rest beyond what chance makes, 0 to 1."""
    if is_amount(column):
        a = view.values(column)
        b = plain(view.test[column.name], column)
        lost = abs(float(np.isnan(a).mean() - np.isnan(b).mean()))
        a, b = a[~np.isnan(a)], b[~np.isnan(b)]
        if not len(a) or not len(b):
            return lost
        gap = largest_gap(a, b)
        chance = _SURE * math.sqrt(1.0 / len(a) + 1.0 / len(b))
        return max(lost, gap if gap > chance else 0.0)
    counts = [
        # names of our own: the column may have any
        labels_of(rows[column.name]).fill_null("").alias("label").value_counts(name=name)
        for rows, name in ((view.rest, "n"), (view.test, "m"))
    ]
    both = counts[0].join(counts[1], on="label", how="full", coalesce=True)
    n, m = (both[name].fill_null(0).cast(pl.Float64).to_numpy() for name in ("n", "m"))
    p, q, pooled = n / n.sum(), m / m.sum(), (n + m) / (n.sum() + m.sum())
    # What shares of these sizes differ by through chance: many rare values add up.
    noise = np.sqrt(2.0 / math.pi * pooled * (1.0 / n.sum() + 1.0 / m.sum())).sum() / 2.0
    distance = float(np.abs(p - q).sum() / 2.0)
    chance = noise + math.sqrt(1.0 / n.sum() + 1.0 / m.sum())
    return distance - float(noise) if distance > chance else 0.0


def largest_gap(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance of two samples.

    >>> largest_gap(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    1.0
    """
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    upto_a = np.searchsorted(a, both, side="right") / len(a)
    upto_b = np.searchsorted(b, both, side="right") / len(b)
    return float(np.abs(upto_a - upto_b).max())
