"""Scores of the candidates of a stack on validation rows and on a fixed probe of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from justright.core.task import TaskKind
from justright.data.encoded import EncodedMeta, EncodedRows
from justright.engine.contract import Stack
from justright.statistics.metrics import metric_named, score

PROBE = 4_096
"""Rows of the training probe (measured: scoring all training rows every epoch costs a third)."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Some rows with known targets, in the target's own units.

    Attributes:
        meta: How outputs become predictions.
        rows: int64 ``[m]``, places in the stack's table.
        y: float64 ``[m, T]`` in the target's units, or int64 ``[m]`` class codes.
        weights: Row weights ``[m]``, if there are any.
    """

    meta: EncodedMeta
    rows: Integers
    y: npt.NDArray[Any]
    weights: Floats | None

    @staticmethod
    def of(data: EncodedRows, rows: Integers, offset: int = 0) -> Judged:
        """Look up the targets of some rows, whatever networks are trained on in their place.

        Args:
            data: The folder that holds them.
            rows: int64 ``[m]``, places in the folder.
            offset: Where the folder begins in the stack's table.
        """
        meta, y = data.meta, np.asarray(data.y[rows])
        weights = None if data.w is None else data.w[rows].astype(np.float64)
        if not meta.task.is_classification:
            y = y.astype(np.float64) * np.asarray(meta.y_scale) + np.asarray(meta.y_mean)
        return Judged(meta, rows + offset, y, weights)

    def predict(self, outputs: Floats) -> Floats:
        """Predictions from outputs ``[m, outputs]``: values, or probabilities of all classes."""
        return predictions(self.meta, outputs)

    def loss(self, prediction: Floats) -> float:
        """The proper loss: log-loss, or mean squared error of the standardised targets."""
        if self.meta.task.is_classification:
            return float(metric_named("log_loss")(self.y, prediction, self.weights))
        errors = ((prediction - self.y) / np.asarray(self.meta.y_scale)) ** 2
        return float(np.average(errors.mean(axis=1), weights=self.weights))

    def metric(self, name: str, prediction: Floats) -> float:
        """One metric by name."""
        return float(metric_named(name)(self.y, prediction, self.weights))

    def scores(self, prediction: Floats, also: str = "") -> dict[str, float]:
        """Every metric that applies, and one of the user's by its name."""
        return score(self.meta.task, self.y, prediction, self.weights, also)


def predictions(meta: EncodedMeta, outputs: Floats) -> Floats:
    """Values within the training range, or probabilities of all classes (two for binary).

    Args:
        meta: Task and scale of the target.
        outputs: float64 ``[m, outputs]``: standardised values or roots of them, one logit, or a
            logit per class.
    """
    if meta.task.kind is TaskKind.BINARY:
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    if meta.task.is_classification:
        likely = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return likely / likely.sum(axis=1, keepdims=True)
    if meta.curve is None:
        values = outputs * np.asarray(meta.y_scale) + np.asarray(meta.y_mean)
    else:
        values = meta.curve.straighten(outputs)
    return np.clip(values, np.asarray(meta.y_low), np.asarray(meta.y_high))


def probe_rows(train: Integers) -> Integers:
    """At most `PROBE` training rows, always the same ones of a training set."""
    if len(train) <= PROBE:
        return train
    return np.sort(np.random.default_rng(0).choice(train, PROBE, replace=False))


def outputs_of(stack: Stack, rows: Sequence[Integers], *, averaged: bool) -> list[Floats]:
    """Outputs of each candidate for its own rows, which may differ in number.

    Args:
        stack: The candidates.
        rows: Their rows, in the order of the stack.
        averaged: Whether the averaged weights answer.
    """
    longest = max(len(each) for each in rows)
    if longest == 0:
        return [np.empty((0, 0)) for _ in rows]
    if all(each is rows[0] or np.array_equal(each, rows[0]) for each in rows):
        wanted = rows[0]  # one list for all is gathered once
    else:
        wanted = np.zeros((len(rows), longest), np.int64)
        for place, each in zip(wanted, rows, strict=True):
            place[: len(each)] = each
    found = np.asarray(stack.outputs(wanted, averaged=averaged), np.float64)
    return [values[: len(each)] for values, each in zip(found, rows, strict=True)]
