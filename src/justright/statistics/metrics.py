"""The metrics, each with its direction and what it needs; in float64, with optional row weights.

Adding one: a `Metric` in `METRICS` here, its row terms in `terms.py`, and its name in
`data.problem.METRICS`, which says for which tasks ``--metric`` takes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from justright.core.errors import OptionError
from justright.core.task import Task
from justright.statistics import custom, ranking, terms
from justright.statistics.terms import Means


@dataclass(frozen=True)
class Metric:
    """How good predictions are, as one number.

    Attributes:
        name: Short name, as in ``--metric``.
        title: For people.
        greater_is_better: Direction.
        needs: ``"values"`` (regression), ``"probabilities"`` (classification), or ``"either"``.
        means: The metric as a function of means over rows; None when it depends on the order.
        order: The metric of (positive, score, weights), averaged one class against the rest.
        influence: Influence of each row on `order`.
        function: A metric of the user's, of (truth, prediction, weights); instead of all these.
    """

    name: str
    title: str
    greater_is_better: bool
    needs: Literal["values", "probabilities", "either"]
    means: Means | None = None
    order: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float] | None = None
    influence: Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray] | None = None
    function: custom.Function | None = None

    def __call__(
        self, y: np.ndarray, prediction: np.ndarray, weights: np.ndarray | None = None
    ) -> float:
        """The metric; nan where it is undefined (one class present, constant target, no rows).

        Args:
            y: float64 [n] or [n, T], or int64 class codes [n].
            prediction: Values like `y`, or probabilities [n, classes].
            weights: Row weights [n], or None for equal ones.
        """
        if len(y) != len(prediction):
            raise ValueError(f"{len(y)} targets but {len(prediction)} predictions")
        if not len(y) or not np.isfinite(prediction).all():
            return float("nan")
        if self.function is not None:
            value = self.function(y, prediction, weights)
            return value if math.isfinite(value) else float("nan")
        if self.means is not None:
            rows = self.means.rows(y, prediction)
            mean = rows.mean(axis=0) if weights is None else np.average(rows, 0, weights)
            return float(self.means.link(mean))
        values = [
            self.order(y == k, prediction[:, k], weights)  # pyright: ignore[reportOptionalCall]
            for k in positives(prediction)
        ]
        return float(np.mean(values))

    def loss(self, value: float) -> float:
        """The metric turned so that lower is better."""
        return -value if self.greater_is_better else value

    def possible(self, low: float, high: float) -> tuple[float, float]:
        """The part of an interval that the metric can reach; nan stays nan.

        What is better when greater is at most 1; all but R² are at least 0. Of a metric of the
        user's nothing is known.
        """
        if self.function is not None:
            return low, high
        low = low if self.name == "r2" or low >= 0.0 or math.isnan(low) else 0.0
        high = high if not (self.greater_is_better and high > 1.0) else 1.0
        return low, high

    def applies(self, task: Task) -> bool:
        """Whether the metric is for tasks of this kind."""
        wanted = "probabilities" if task.is_classification else "values"
        return self.needs in (wanted, "either")


def positives(probabilities: np.ndarray) -> tuple[int, ...]:
    """Classes to hold against the rest: the second of two, each of more."""
    classes = probabilities.shape[1]
    return (1,) if classes == 2 else tuple(range(classes))


def _values(
    name: str, title: str, rows: terms.RowTerms, link: terms.Link, up: bool = False
) -> Metric:
    return Metric(name, title, up, "values", Means(rows, link))


def _classes(
    name: str, title: str, rows: terms.RowTerms, link: terms.Link, up: bool = False
) -> Metric:
    return Metric(name, title, up, "probabilities", Means(rows, link))


METRICS: tuple[Metric, ...] = (
    _values("rmse", "RMSE", terms.squared_errors, terms.root_link),
    _values("mae", "MAE", terms.absolute_errors, terms.mean_link),
    _values("r2", "R²", terms.moments, terms.explained_link, up=True),
    _values("rmsle", "RMSLE", terms.squared_log_errors, terms.root_link),
    _classes("log_loss", "log-loss", terms.log_losses, terms.mean_link),
    _classes("accuracy", "accuracy", terms.hits, terms.mean_link, up=True),
    _classes(
        "balanced_accuracy", "balanced accuracy", terms.class_counts, terms.recall_link, True
    ),
    Metric(
        "auc",
        "AUC",
        True,
        "probabilities",
        order=ranking.auc,
        influence=ranking.auc_influence,
    ),
    Metric(
        "average_precision",
        "average precision",
        True,
        "probabilities",
        order=ranking.average_precision,
        influence=ranking.average_precision_influence,
    ),
    _classes("macro_f1", "macro F1", terms.class_counts, terms.f1_link, up=True),
    _classes("brier", "Brier score", terms.squared_probability_errors, terms.mean_link),
)
"""All metrics, in the order they are shown."""

_BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """The metric of that name, one of the user's included (`custom.custom_name`).

    Raises:
        OptionError: If there is none.

    >>> metric_named("rmse").greater_is_better
    False
    """
    if custom.is_custom(name):
        function, title, greater = custom.function_named(name)
        return Metric(name, title, greater, "either", function=function)
    if name not in _BY_NAME:
        raise OptionError(f"no metric {name!r}", hint=f"use one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def score(
    task: Task,
    y: np.ndarray,
    prediction: np.ndarray,
    weights: np.ndarray | None = None,
    also: str = "",
) -> dict[str, float]:
    """Every metric that applies: name to value.

    Args:
        task: Decides which metrics apply.
        y: float64 [n, T], or int64 class codes [n].
        prediction: Values [n, T], or probabilities [n, classes].
        weights: Row weights [n], or None.
        also: Name of the deciding metric, which may be one of the user's.

    Returns:
        Undefined metrics are nan; RMSLE is left out when a target is negative.
    """
    chosen = [metric for metric in METRICS if metric.applies(task)]
    if not task.is_classification and len(y) and np.min(y) < 0:
        chosen = [metric for metric in chosen if metric.name != "rmsle"]
    if custom.is_custom(also):
        chosen.append(metric_named(also))
    return {metric.name: metric(y, prediction, weights) for metric in chosen}
