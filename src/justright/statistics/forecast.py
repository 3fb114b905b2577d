"""Would more rows help: the loss at twice as many, from nested subsets of the rows.

The loss of a learner falls with its rows n like L∞ + a n^-β (Hestness et al. 2017; Viering & Loog
2022 review where it does not). At sizes that double, its steps from one to the next shrink by
2^-β, so that the next step is one more of a geometric row, and L∞ need not be known.

The interval is a parametric bootstrap over blocks: Student's t around the mean steps, with their
covariance, corrected for the rows that blocks share (Nadeau & Bengio 2003). Drawing from three to
five blocks themselves would have too few outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_BLOCKS = 3
"""Fewest blocks whose spread says anything (assumption)."""

DRAWS = 4_000
BETAS = np.linspace(-1.0, 4.0, 201)
"""Exponents that are tried; measured ones are 0.07 to 0.35 for large networks (Hestness et al.
2017), 0.5 and 1 are those of theory."""

LEVEL = 0.95
"""Of the draws; what they are called is 90%, which is what they cover (measured on power laws with
five folds: 83 to 94%, the less the flatter the curve)."""


@dataclass(frozen=True)
class Forecast:
    """What twice as many rows are expected to bring.

    Attributes:
        gain: By how much the loss is expected to fall.
        low, high: 90% limits.
        beta, beta_low, beta_high: The exponent, with its 90% limits.
        word: ``"would help"``, ``"would not help"`` or ``"unknown"``.
        why: The reason in words.
    """

    gain: float
    low: float
    high: float
    beta: float
    beta_low: float
    beta_high: float
    word: str
    why: str


def forecast_doubling(
    losses: np.ndarray,
    delta: float,
    *,
    overlap: float = 0.0,
    row_variance: np.ndarray | None = None,
    seed: int = 0,
) -> Forecast:
    """Forecast L(2n) from losses at sizes that double up to n, on the same blocks.

    "Would help" where the lower limit of the gain exceeds `delta`, "would not help" where the
    upper one does not reach it. Unknown where the exponent may be 0 or the loss rises with more
    rows, by more than two standard errors; but where even the last doubling brought less than
    `delta`, the next one does not bring more, whatever the exponent.

    Args:
        losses: float64 [blocks, sizes], at least three sizes, the smallest first.
        delta: Smallest difference that matters.
        overlap: n_val / n_train of blocks that are partitions of the same rows.
        row_variance: Known further variance of each step [sizes - 1], from the choice of one set
            of validation rows; None where blocks have their own.
        seed: Of the draws.

    Raises:
        ValueError: With fewer than three sizes.

    >>> n = np.array([100.0, 200.0, 400.0, 800.0])
    >>> rng = np.random.default_rng(0)
    >>> own = 1.0 + 4.0 * n**-0.5 + 1e-3 * rng.normal(size=(5, 4))
    >>> found = forecast_doubling(own, delta=0.01)
    >>> found.word, round(found.gain, 2), round(4 * 800**-0.5 - 4 * 1600**-0.5, 2)
    ('would help', 0.04, 0.04)
    """
    losses = np.asarray(losses, np.float64)
    if losses.shape[1] < 3:
        raise ValueError(f"{losses.shape[1]} sizes, at least 3 are needed")
    losses = losses[np.isfinite(losses).all(axis=1)]
    blocks = len(losses)
    if blocks < LEAST_BLOCKS:
        nan = float("nan")
        why = f"too few blocks ({blocks} of {LEAST_BLOCKS})"
        return Forecast(nan, nan, nan, nan, nan, nan, "unknown", why)
    steps = losses[:, :-1] - losses[:, 1:]
    mean = steps.mean(axis=0)
    covariance = np.atleast_2d(np.cov(steps.T)) * (1.0 / blocks + overlap)
    if row_variance is not None:
        covariance = covariance + np.diag(row_variance)
    se = np.sqrt(np.diag(covariance))
    draws = _draws(mean, covariance, blocks - 1, seed)
    beta, gain = _fitted(mean[None], se)
    betas, gains = _fitted(draws, se)
    ends = [0.5 - 0.5 * LEVEL, 0.5 + 0.5 * LEVEL]
    low, high = (float(value) for value in np.quantile(gains, ends))
    beta_low, beta_high = (float(value) for value in np.quantile(betas, ends))
    last = float(np.quantile(draws[:, -1], ends[1]))
    word, why = _word((low, high), delta, beta_low, last, bool((mean < -2.0 * se).any()))
    return Forecast(float(gain[0]), low, high, float(beta[0]), beta_low, beta_high, word, why)


def _word(
    gain: tuple[float, float], delta: float, beta_low: float, last: float, rises: bool
) -> tuple[str, str]:
    if rises:
        return "unknown", "the loss rises with more rows, which no forecast can follow"
    if last < delta:
        return "would not help", "even the last doubling brought less than what matters"
    if beta_low <= 0.0:
        return "unknown", "too noisy to tell how the loss flattens: its exponent may be 0"
    if gain[0] > delta:
        return "would help", "the gain is surely more than what matters"
    if gain[1] < delta:
        return "would not help", "the gain is surely less than what matters"
    return "unknown", "the gain may be more or less than what matters"


def _draws(mean: np.ndarray, covariance: np.ndarray, df: int, seed: int) -> np.ndarray:
    """Steps as they may truly be, [DRAWS, steps]."""
    rng = np.random.default_rng(seed)
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    t = rng.standard_normal((DRAWS, len(mean))) @ root.T
    return mean + t / np.sqrt(rng.chisquare(df, DRAWS) / df)[:, None]


def _fitted(steps: np.ndarray, se: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exponent and next step of geometric rows fitted to steps [m, k], each weighted by its se."""
    count = steps.shape[1]
    weight = 1.0 / np.square(np.maximum(se, 1e-12 + 1e-3 * se.max()))
    shapes = 2.0 ** (-BETAS[:, None] * np.arange(count))  # [betas, k]
    first = (steps * weight) @ shapes.T / (weight * np.square(shapes)).sum(axis=1)
    explained = np.square(first) * (weight * np.square(shapes)).sum(axis=1)
    best = explained.argmax(axis=1)
    rows = np.arange(len(steps))
    beta = BETAS[best]
    return beta, first[rows, best] * 2.0 ** (-beta * count)
