"""Target values so far out that they decide the squared error alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View

FAR = 10.0
"""Distance from the median, in standard deviations as the quartiles see them. Assumption."""

FAR_LOGARITHM = 6.0
"""The same after a logarithm, for positive targets: what is merely skewed is no outlier.
Assumption."""

HEAVY = 0.5
"""Share of the squared spread that makes it a warning. Assumption."""

_NORMAL_QUARTILES = 1.349  # distance of the quartiles of a normal distribution of sd 1


def find_outliers(view: View) -> Iterator[Finding]:
    """Report targets with a few values far from all others."""
    if view.problem.task.is_classification:
        return
    rest = view.splits.rest
    y = view.problem.target()[rest]
    for place, name in enumerate(view.problem.task.targets):
        column = y[:, place]
        far = _far(column, FAR)
        if column.min() > 0:
            far &= _far(np.log(column), FAR_LOGARITHM)
        count = int(far.sum())
        if not count:
            continue
        centred = np.square(column - np.median(column))
        share = float(centred[far].sum() / centred.sum())
        extreme = float(column[np.argmax(np.abs(column - np.median(column)))])
        yield Finding(
            "target-outliers",
            Severity.WARNING if share >= HEAVY else Severity.NOTE,
            f"{count:,} of {len(column):,} values of the target {name!r} lie far from the others, "
            f"such as {extreme:.6g} where the middle half is from {np.quantile(column, 0.25):.6g} "
            f"to {np.quantile(column, 0.75):.6g}; they make up {share:.0%} of its squared spread",
            "kept; check whether they are errors, and look at MAE beside RMSE",
            (name,),
            {"values": float(count), "share_of_spread": share},
        )


def _far(values: np.ndarray, distance: float) -> np.ndarray:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    sd = (high - low) / _NORMAL_QUARTILES
    if sd <= 0:  # more than half of the values are equal: the quartiles see no spread
        return np.zeros(len(values), dtype=bool)
    return np.abs(values - middle) > distance * sd
