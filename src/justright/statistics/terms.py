"""Metrics as smooth functions of means: row terms [n, S], and a link from their means.

Resampling then needs only sums of terms, whatever the metric, and delete-one values are free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RowTerms = Callable[[np.ndarray, np.ndarray], np.ndarray]
Link = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Means:
    """A metric that is `link` of the weighted means of `rows`.

    Attributes:
        rows: (y, prediction) -> terms, float64 [n, S].
        link: Means [..., S] -> metric [...].
    """

    rows: RowTerms
    link: Link


def columns(values: np.ndarray) -> np.ndarray:
    """Float64 [n, T] view of targets or predictions given as [n] or [n, T]."""
    values = np.asarray(values, dtype=np.float64)
    return values[:, None] if values.ndim == 1 else values


def true_class_probability(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Probability [n] that was given to the class that came true, kept off 0 and 1.

    Clipped to the machine epsilon of float64, as scikit-learn does, so that log-loss is finite.
    """
    eps = np.finfo(np.float64).eps
    chosen = np.asarray(probabilities, dtype=np.float64)[np.arange(len(y)), y]
    return np.clip(chosen, eps, 1.0 - eps)


def squared_errors(y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Squared error of every output [n, T]."""
    return np.square(columns(values) - columns(y))


def absolute_errors(y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Absolute error of every output [n, T]."""
    return np.abs(columns(values) - columns(y))


def squared_log_errors(y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Squared error of log(1 + value) [n, T]; predictions below 0 count as 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.square(np.log1p(np.maximum(columns(values), 0.0)) - np.log1p(columns(y)))


def log_losses(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Minus the log of the probability of the true class [n, 1]."""
    return -np.log(true_class_probability(y, probabilities))[:, None]


def hits(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """1 where the likeliest class is the true one [n, 1]; the first of equals counts."""
    return (np.argmax(probabilities, axis=1) == y).astype(np.float64)[:, None]


def squared_probability_errors(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Brier score of each row [n, 1]: of the positive class for two, summed over more (1950)."""
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape[1] == 2:
        return np.square(p[:, 1] - y)[:, None]
    one_hot = np.zeros_like(p)
    one_hot[np.arange(len(y)), y] = 1.0
    return np.square(p - one_hot).sum(axis=1, keepdims=True)


def moments(y: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Squared error, centred target and its square for every output [n, 3T]; for R²."""
    target = columns(y)
    centred = target - (target.mean(axis=0) if len(target) else 0.0)
    return np.concatenate([squared_errors(y, values), centred, np.square(centred)], axis=1)


def class_counts(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Hit, predicted and true indicators of every class [n, 3C]; for balanced accuracy and F1."""
    classes = np.asarray(probabilities).shape[1]
    rows, chosen = np.arange(len(y)), np.argmax(probabilities, axis=1)
    counts = np.zeros((len(y), 3 * classes))
    counts[rows, chosen] = chosen == y
    counts[rows, classes + chosen] = 1.0
    counts[rows, 2 * classes + y] = 1.0
    return counts


def mean_link(means: np.ndarray) -> np.ndarray:
    """Plain average over the outputs: [..., S] -> [...]."""
    return means.mean(axis=-1)


def root_link(means: np.ndarray) -> np.ndarray:
    """Average over the outputs of the root of each mean: [..., S] -> [...]."""
    return np.sqrt(np.maximum(means, 0.0)).mean(axis=-1)


def explained_link(means: np.ndarray) -> np.ndarray:
    """R² averaged over the outputs from `moments`; nan where a target does not vary."""
    error, mean, square = np.split(means, 3, axis=-1)
    spread = square - np.square(mean)
    # below 1e-13 of the raw square only rounding is left
    spread = np.where(spread > 1e-13 * square, spread, np.nan)
    return (1.0 - error / spread).mean(axis=-1)


def recall_link(means: np.ndarray) -> np.ndarray:
    """Recall averaged over the classes that occur, from `class_counts`."""
    hit, _, true = np.split(means, 3, axis=-1)
    return _mean_where(hit, true)


def f1_link(means: np.ndarray) -> np.ndarray:
    """F1 averaged over the classes that occur or are predicted, from `class_counts`."""
    hit, predicted, true = np.split(means, 3, axis=-1)
    return _mean_where(2.0 * hit, predicted + true)


def _mean_where(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # Sums with and without one row differ by rounding, so "does not occur" is not exactly 0.
    present = b > 1e-14
    ratio = np.divide(a, b, out=np.zeros_like(a), where=present)
    with np.errstate(invalid="ignore"):
        return ratio.sum(axis=-1) / present.sum(axis=-1)
