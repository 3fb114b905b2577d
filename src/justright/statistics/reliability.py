"""Whether probabilities come true as often as they say, judged against chance alone.

The expected calibration error is never negative, so a perfect forecaster has one too, the larger
the fewer rows there are. What it would show on these very rows is known: outcomes drawn from its
own probabilities say so (Bröcker & Smith 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from justright.statistics.intervals import Interval, Sample, paired_difference, score_interval
from justright.statistics.metrics import metric_named
from justright.statistics.temperature import (
    BINS,
    bin_of,
    calibration_error,
    chances,
    scaled,
)

DRAWS = 500
"""Outcomes drawn for what a perfect forecaster shows (assumption: its 95% quantile within 4% of
its level)."""

THIRDS = ("lowest", "middle", "highest")
"""Parts of the rows by their prediction."""


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be taken at their word.

    Attributes:
        brier: Brier score with its interval (Brier 1950).
        error: Expected calibration error (Naeini, Cooper & Hauskrecht 2015).
        perfect: Mean of that error of a perfect forecaster with the same probabilities.
        most: Its 95% quantile; an error above it is beyond chance.
        before: Log-loss of the probabilities without the temperature.
        after: Log-loss of the probabilities as they are.
        gain: By how much `after` is lower, with its interval.
        rows: Rows it was measured on.
    """

    brier: Interval
    error: float
    perfect: float
    most: float
    before: float
    after: float
    gain: Interval
    rows: int


def reliability(
    sample: Sample, probabilities: np.ndarray, temperature: float = 1.0, *, seed: int = 0
) -> Reliability:
    """Measure probabilities on rows that neither training nor temperature have seen.

    Args:
        sample: The rows with their class codes [n].
        probabilities: As they are handed over, [n, classes].
        temperature: What their logits were divided by.
        seed: Of bootstrap and draws.
    """
    log_loss = metric_named("log_loss")
    bare = scaled(probabilities, 1.0 / temperature) if temperature != 1.0 else probabilities
    mean, most = perfect_error(probabilities, seed=seed)
    return Reliability(
        brier=score_interval(metric_named("brier"), sample, probabilities, seed=seed),
        error=calibration_error(sample.y, probabilities),
        perfect=mean,
        most=most,
        before=log_loss(sample.y, bare, sample.weights),
        after=log_loss(sample.y, probabilities, sample.weights),
        gain=paired_difference(log_loss, sample, probabilities, bare, seed=seed),
        rows=len(sample.y),
    )


def perfect_error(
    probabilities: np.ndarray, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """Mean and 95% quantile of the calibration error where every probability is the true one.

    Args:
        probabilities: [n, classes].
        seed: Of the draws.
        draws: How many.

    >>> low, high = perfect_error(np.tile([0.3, 0.7], (100, 1)))
    >>> 0.02 < low < high < 0.2
    True
    """
    chance, _ = chances(np.zeros(len(probabilities), np.int64), probabilities)
    place = bin_of(chance)
    rng = np.random.default_rng(seed)
    told = np.bincount(place, chance, BINS)
    errors = []
    for _ in range(draws):
        came = np.bincount(place, rng.random(len(chance)) < chance, BINS)
        errors.append(float(np.abs(told - came).sum() / max(len(chance), 1)))
    return float(np.mean(errors)), float(np.quantile(errors, 0.95))


def third_of(prediction: np.ndarray) -> np.ndarray:
    """Third of each row by its prediction, int64 [n] of 0 to 2; equal ones stay together.

    >>> third_of(np.array([5.0, 1.0, 3.0, 1.0, 9.0, 4.0])).tolist()
    [2, 0, 1, 0, 2, 1]
    """
    edges = np.quantile(prediction, [1 / 3, 2 / 3], method="lower")
    return np.searchsorted(edges, prediction, side="left").astype(np.int64)
