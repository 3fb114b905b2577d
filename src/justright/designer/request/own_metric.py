"""Whether a metric of the user's can be used, found out before any work."""

from __future__ import annotations

import numpy as np

from justright.core.errors import OptionError
from justright.data.problem import Problem
from justright.statistics.custom import is_custom
from justright.statistics.metrics import metric_named

ROWS = 2_000
"""Rows that it is tried on (assumption: as many as show what it does, and cheap)."""


def check_metric(problem: Problem) -> None:
    """Try a metric of the user's on targets of the table and made-up predictions.

    Raises:
        OptionError: If it cannot be imported, fails, or does not return a finite number.
    """
    if not is_custom(problem.metric):
        return
    metric = metric_named(problem.metric)
    y, weights = problem.target()[:ROWS], problem.weights()
    value = metric(y, _made_up(problem, y), None if weights is None else weights[: len(y)])
    if not np.isfinite(value):
        raise OptionError(
            f"the metric {problem.metric.rpartition(':')[0]} is not a finite number on "
            f"{len(y):,} rows of the table and made-up predictions",
            hint="return a finite number for every finite prediction",
        )


def _made_up(problem: Problem, y: np.ndarray) -> np.ndarray:
    """Predictions that are half right: values like `y`, or probabilities [n, classes]."""
    rng = np.random.default_rng(0)
    if not problem.task.is_classification:
        return 0.5 * (y + y[rng.permutation(len(y))])
    classes = len(problem.task.classes)
    likely = rng.random((len(y), classes)) + 0.5 * (y[:, None] == np.arange(classes))
    return likely / likely.sum(axis=1, keepdims=True)
