"""Metrics of an order, not of single rows: area under the ROC curve and average precision.

Each comes with its influence values: how much a little more weight on a row moves the metric.
Their spread is the metric's sampling error (DeLong, DeLong & Clarke-Pearson 1988 for the area;
the infinitesimal jackknife, Jaeckel 1972, for average precision), without any resampling.
"""

from __future__ import annotations

import numpy as np


def auc(y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Area under the ROC curve: how often a positive row scores above a negative one; ties half.

    Args:
        y: Bool or 0/1 [n]; true where the row is positive.
        scores: Float [n], greater means more positive.
        weights: Row weights [n], or None for equal ones.

    Returns:
        A number in [0, 1]; nan when only one class is present.

    >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    return _auc_parts(y, scores, weights)[0]


def auc_influence(y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Influence of each row on `auc`; their mean is 0 and their variance / n that of the area.

    Args:
        y: Bool or 0/1 [n].
        scores: Float [n].
        weights: Row weights [n] or None.

    Returns:
        Float64 [n]; nan when only one class is present.
    """
    value, above, positive, w = _auc_parts(y, scores, weights)
    totals = np.where(positive, w[positive].sum(), w[~positive].sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return len(w) * w * (above - value) / totals


def average_precision(
    y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Mean precision over the positive rows, each at its own threshold (no interpolation).

    Args:
        y: Bool or 0/1 [n].
        scores: Float [n].
        weights: Row weights [n] or None.

    Returns:
        A number in [0, 1]; nan without a positive row.

    >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    positive, w = _checked(y, scores, weights)
    tied = _Tied(scores)
    found, seen = tied.cumulated(w * positive), tied.cumulated(w)
    total = float((w * positive).sum())
    if total <= 0:
        return float("nan")
    return float((np.diff(found, prepend=0.0) * _ratio(found, seen)).sum() / total)


def average_precision_influence(
    y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
) -> np.ndarray:
    """Influence of each row on `average_precision`; float64 [n], nan without a positive row."""
    positive, w = _checked(y, scores, weights)
    total = float((w * positive).sum())
    if total <= 0:
        return np.full(len(w), np.nan)
    tied = _Tied(scores)
    found, seen = tied.cumulated(w * positive), tied.cumulated(w)
    precision, hits = _ratio(found, seen), np.diff(found, prepend=0.0)
    value = float((hits * precision).sum() / total)
    # A row of group h enters the counts of every threshold g from h downwards.
    as_positive = np.cumsum((_ratio(hits, seen) * (1.0 - precision))[::-1])[::-1] + precision
    as_negative = -np.cumsum((_ratio(hits, seen) * precision)[::-1])[::-1]
    slope = np.where(positive, as_positive[tied.group] - value, as_negative[tied.group])
    return len(w) * w * slope / total


class _Tied:
    """Rows in falling order of score, with equal scores in one group."""

    def __init__(self, scores: np.ndarray) -> None:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = ranked[1:] != ranked[:-1]
        self.order = order
        self.ends = np.append(np.flatnonzero(first)[1:], len(order)) - 1
        self.group = np.empty(len(order), dtype=np.int64)
        self.group[order] = np.cumsum(first) - 1

    def cumulated(self, values: np.ndarray) -> np.ndarray:
        """Sum of `values` [n] over each group and all groups above it: [groups]."""
        return np.cumsum(values[self.order])[self.ends]


def _auc_parts(
    y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """The area, each row's placement among the other class, the positives, the weights."""
    positive, w = _checked(y, scores, weights)
    tied = _Tied(scores)
    ups, downs = tied.cumulated(w * positive), tied.cumulated(w * ~positive)
    up, down = float((w * positive).sum()), float((w * ~positive).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        # share of negatives below (half of ties), and share of positives above
        below = (down - 0.5 * (downs + np.concatenate(([0.0], downs[:-1])))) / down
        over = 0.5 * (ups + np.concatenate(([0.0], ups[:-1]))) / up
        above = np.where(positive, below[tied.group], over[tied.group])
        value = float((w * positive * above).sum() / up) if up > 0 and down > 0 else float("nan")
    return value, above, positive, w


def _checked(
    y: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    if len(y) != len(scores):
        raise ValueError(f"{len(y)} labels but {len(scores)} scores")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    return np.asarray(y).astype(bool), w


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b where b > 0, else 0: leading rows of weight 0 have no precision yet."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
