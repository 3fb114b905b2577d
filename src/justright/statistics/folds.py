"""A mean over blocks of repeated cross-validation, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from justright.statistics.intervals import Interval
from justright.statistics.metrics import Metric
from justright.statistics.student import t_quantile


def block_interval(
    values: Sequence[float], overlap: float, source: str, *, level: float = 0.95
) -> Interval:
    """Mean over blocks with the corrected interval (Nadeau & Bengio 2003).

    Blocks share training rows, so the variance of their mean is s² (1 / J + n_val / n_train); for
    repeated cross-validation: Bouckaert & Frank 2004.

    Args:
        values: One per block: scores, or paired differences.
        overlap: n_val / n_train.
        source: Where the spread comes from, for people.
        level: Coverage aimed at.

    >>> found = block_interval([0.1, 0.2, 0.3, 0.2, 0.2], 0.25, "5 folds")
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3)
    (0.2, 0.068, 0.332)
    """
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2 or not np.isfinite(given).all():
        mean = float(given.mean()) if len(given) else math.nan
        return Interval(mean, math.nan, math.nan, math.nan, level, f"{source}: too few")
    mean = float(given.mean())
    se = math.sqrt(float(np.var(given, ddof=1)) * (1.0 / len(given) + overlap))
    reach = t_quantile(0.5 + 0.5 * level, len(given) - 1) * se
    return Interval(mean, mean - reach, mean + reach, se, level, source)


def worsened(interval: Interval, optimism: float, *, greater_is_better: bool) -> Interval:
    """An interval after an optimism was taken off: the estimate and its worse end move.

    The better end stays: a correction that is itself an estimate may widen what is said, and
    must not turn a tie into a defeat. An optimism of 0 or less changes nothing.

    Args:
        interval: Of a score or of a difference.
        optimism: By how much the estimate is too good, in its units.
        greater_is_better: Direction of the estimate.

    >>> before = Interval(0.5, 0.4, 0.6, 0.05, 0.95, "folds")
    >>> after = worsened(before, 0.1, greater_is_better=True)
    >>> round(after.estimate, 3), round(after.low, 3), round(after.high, 3)
    (0.4, 0.3, 0.6)
    """
    if not optimism > 0.0:
        return interval
    moved = interval.estimate + (-optimism if greater_is_better else optimism)
    if greater_is_better:
        return replace(interval, estimate=moved, low=interval.low - optimism)
    return replace(interval, estimate=moved, high=interval.high + optimism)


def within_range(interval: Interval, metric: Metric) -> Interval:
    """A score's interval with its ends cut to what the metric can be."""
    low, high = metric.possible(interval.low, interval.high)
    return replace(interval, low=low, high=high)
