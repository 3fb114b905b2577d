"""How wrong every single row is, in the terms of the deciding metric."""

from __future__ import annotations

import numpy as np

from justright.statistics import terms
from justright.statistics.metrics import Metric

OWN = {
    "mae": terms.absolute_errors,
    "rmsle": terms.squared_log_errors,
    "brier": terms.squared_probability_errors,
}
"""Metrics whose row terms are losses."""


def row_losses(metric: Metric, y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Loss of each row, float64 [n], lower is better; the terms of a metric that is their mean.

    RMSE and R² take squared errors, accuracy mistakes, and metrics of an order or of whole classes
    log-losses; a metric of the user's takes one of both, by the kind of target. Several targets
    count alike: each in units of its own spread.

    Args:
        metric: The deciding metric.
        y: float64 [n, T], or class codes [n].
        prediction: Values [n, T], or probabilities [n, classes].

    >>> from justright.statistics.metrics import metric_named
    >>> row_losses(metric_named("rmse"), np.array([[1.0], [2.0]]), np.array([[1.0], [4.0]]))
    array([0., 4.])
    """
    if metric.name == "accuracy":
        return 1.0 - terms.hits(y, prediction)[:, 0]
    if metric.needs == "probabilities" or (metric.needs == "either" and y.dtype.kind == "i"):
        return OWN.get(metric.name, terms.log_losses)(y, prediction)[:, 0]
    losses = OWN.get(metric.name, terms.squared_errors)(y, prediction)
    if losses.shape[1] == 1:
        return losses[:, 0]
    spread = np.std(terms.columns(y), axis=0)
    if metric.name not in OWN:
        spread = np.square(spread)
    return (losses / np.where(spread > 0, spread, 1.0)).mean(axis=1)


def loss_name(metric: Metric) -> str:
    """What `row_losses` are called."""
    if metric.needs == "either":
        return "proper loss"
    if metric.name == "accuracy":
        return "share of mistakes"
    if metric.needs == "probabilities":
        return "Brier score" if metric.name == "brier" else "log-loss"
    names = {"mae": "absolute error", "rmsle": "squared error of the logarithms"}
    return names.get(metric.name, "squared error")
