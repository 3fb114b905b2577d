"""One temperature for all logits, which takes overconfidence out of probabilities.

Networks often give the class that they predict more probability than it deserves. Dividing all
logits by one number, fitted on rows that the network did not learn from, repairs most of it and
changes no predicted class (temperature scaling; Guo, Pleiss, Sun & Weinberger 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from justright.statistics.intervals import Interval, Sample, paired_difference
from justright.statistics.metrics import metric_named

COLDEST, HOTTEST = 1 / 8, 8.0
"""Bounds of a temperature (assumption: beyond them a network is broken, not miscalibrated)."""

FEWEST_ROWS = 50
"""Rows below which no temperature is fitted (assumption: each half then has fewer than 25)."""

STEPS = 60
"""Of the search for a temperature; halving alone finds it to 16 digits."""

BINS = 10
"""Bins of the reliability diagram (Niculescu-Mizil & Caruana 2005)."""


@dataclass(frozen=True)
class Scaling:
    """A temperature, and what it does to rows that did not fit it.

    Attributes:
        temperature: What logits are divided by; 1 where the gain is not beyond noise.
        fitted: What the rows ask for; 1 where there are too few.
        before: Log-loss of the probabilities as they are.
        after: Log-loss of scaled ones, each half of the rows scaled by what the other half asks.
        error_before: Expected calibration error of the probabilities as they are.
        error_after: The same of those whose log-loss is `after`.
        gain: By how much `after` is lower, with its 95% interval.
        rows: Rows that it rests on.
    """

    temperature: float
    fitted: float
    before: float
    after: float
    error_before: float
    error_after: float
    gain: Interval
    rows: int


def scaled(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities after their logits were divided by a temperature.

    Args:
        probabilities: [n, classes]; logarithms of them are logits.
        temperature: Above 0.

    >>> scaled(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    return _softmax(_logits(probabilities) / temperature)


def fit_temperature(
    y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """The temperature of least log-loss, between `COLDEST` and `HOTTEST`.

    The log-loss is convex in 1 / T, so its slope has one zero, which Newton's method finds, kept
    by halving within the bounds. As in Platt (1999) the true classes count as a little uncertain,
    as if of n + 2 rows one had been wrong: rows that are all right do not make it 0.

    Args:
        y: Class codes int64 [n].
        probabilities: [n, classes].
        weights: Row weights [n], or None.
    """
    z = _logits(probabilities)
    classes = z.shape[1]
    wrong = 1.0 / (len(y) + 2)
    true = z[np.arange(len(y)), y]
    others = (z.sum(axis=1) - true) / (classes - 1)
    wanted = (1.0 - wrong) * true + wrong * others
    low, high = 1.0 / HOTTEST, 1.0 / COLDEST
    inverse = 1.0
    for _ in range(STEPS):
        p = _softmax(z * inverse)
        mean = (p * z).sum(axis=1)
        slope = float(np.average(mean - wanted, weights=weights))
        curvature = float(np.average((p * z * z).sum(axis=1) - mean * mean, weights=weights))
        low, high = (low, inverse) if slope > 0 else (inverse, high)
        step = inverse - slope / curvature if curvature > 0 else np.inf
        step = step if low < step < high else 0.5 * (low + high)
        if abs(step - inverse) <= 1e-12 * inverse:
            break
        inverse = step
    return float(np.clip(1.0 / inverse, COLDEST, HOTTEST))


def find_temperature(sample: Sample, probabilities: np.ndarray, seed: int = 0) -> Scaling:
    """Fit a temperature, and keep it if it helps rows that did not fit it, beyond noise.

    Each half of the rows is scaled by what the other half asks for. Groups stay together; in time
    the halves are the earlier and the later rows.

    Args:
        sample: The rows with their classes.
        probabilities: Out of fold, [n, classes].
        seed: Of the halves, and of the bootstrap.
    """
    y, weights = sample.y, sample.weights
    log_loss = metric_named("log_loss")
    crossed = probabilities
    fitted = 1.0
    if len(y) >= FEWEST_ROWS:
        fitted = fit_temperature(y, probabilities, weights)
        crossed = np.empty_like(probabilities)
        first = _half(sample, seed)
        for fits, judged in ((first, ~first), (~first, first)):
            some = None if weights is None else weights[fits]
            if not fits.any() or (some is not None and not some.any()):
                crossed[judged] = probabilities[judged]
                continue
            found = fit_temperature(y[fits], probabilities[fits], some)
            crossed[judged] = scaled(probabilities[judged], found)
    gain = paired_difference(log_loss, sample, crossed, probabilities, seed=seed)
    return Scaling(
        temperature=fitted if gain.low > 0.0 else 1.0,
        fitted=fitted,
        before=log_loss(y, probabilities, weights),
        after=log_loss(y, crossed, weights),
        error_before=calibration_error(y, probabilities),
        error_after=calibration_error(y, crossed),
        gain=gain,
        rows=len(y),
    )


def chances(y: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of two classes the second one's probability, of more the predicted one's; and whether it
    came true: two arrays [n].
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], y == 1
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == y


def bin_of(chance: np.ndarray) -> np.ndarray:
    """Bin of each probability, int64 [n]: `BINS` of equal width."""
    return np.minimum((chance * BINS).astype(np.int64), BINS - 1)


def calibration_error(y: np.ndarray, probabilities: np.ndarray) -> float:
    """Expected calibration error: how far probabilities are off their bin's frequency, on average.

    Naeini, Cooper & Hauskrecht (2015); it says the less the fewer rows there are, as it is never
    negative.

    Args:
        y: Class codes int64 [n].
        probabilities: [n, classes].

    >>> calibration_error(np.array([1, 1, 0, 1]), np.array([[0.3, 0.7]] * 4)).__round__(3)
    0.05
    """
    chance, hit = chances(y, probabilities)
    gaps = np.bincount(bin_of(chance), chance - hit, BINS)
    return float(np.abs(gaps).sum() / max(len(y), 1))


def _half(sample: Sample, seed: int) -> np.ndarray:
    """One of two halves of the rows: bool [n]."""
    rows = len(sample.y)
    if sample.groups is not None:
        values, codes = np.unique(sample.groups, return_inverse=True)
        order = np.random.default_rng(seed).permutation(len(values))
        return (order < len(values) // 2)[codes]
    if sample.times is not None:
        rank = np.empty(rows, dtype=np.int64)
        rank[np.argsort(sample.times, kind="stable")] = np.arange(rows)
    else:
        rank = np.random.default_rng(seed).permutation(rows)
    return rank < rows // 2


def _logits(probabilities: np.ndarray) -> np.ndarray:
    """Logits of probabilities, finite also where one of them is 0."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
