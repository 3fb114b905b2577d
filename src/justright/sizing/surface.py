"""A guess of the loss of every size from those that were trained: a Gaussian process.

Sizes lie at the logarithms of their width and depth; neighbours have similar losses (Matérn 5/2;
Rasmussen & Williams 2006). It only proposes what to train next; no verdict rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import asinh, erf, exp, hypot, log2, pi, sqrt

import numpy as np

from justright.sizing.shapes import Hidden

LENGTHS = (1.0, 2.0, 4.0)
"""Doublings of the width, and of the depth, over which losses stay alike: each is chosen from
these by the likelihood of what was seen (assumption)."""

TAPER = 1.0
"""How far, in doublings, a tapered body lies from the uniform one of its mean width
(assumption)."""

LEAST_NOISE = 0.05
"""Standard deviation of a score that is always allowed for, so that two seeds of luck do not make
the surface certain (assumption: a twentieth of what matters)."""

BEND = 30.0
"""Up to about so many units a score is the difference itself, beyond them it grows as its
logarithm, so that one size that nearly diverged does not flatten all others (assumption; 10, 30
and 100,000 chose equally well on simulated profiles)."""


@dataclass(frozen=True)
class Guess:
    """What a size's score may be; lower is better.

    Attributes:
        mean: Of the score.
        sd: Its standard deviation.
    """

    mean: float
    sd: float

    def below(self, level: float) -> float:
        """Probability that the score lies below a level."""
        return 0.5 * (1.0 + erf((level - self.mean) / (self.sd * sqrt(2.0))))

    def improvement(self, level: float) -> float:
        """Expected amount by which the score lies below a level (Mockus 1974)."""
        z = (level - self.mean) / self.sd
        density = exp(-0.5 * z * z) / sqrt(2.0 * pi)
        return self.sd * (z * self.below(level) + density)


def score_of(difference: float, sd: float, unit: float) -> tuple[float, float]:
    """A difference of losses as the surface sees it: only its size in units counts.

    So metrics where greater is better, whose losses are negative, and losses near 0 are all alike.

    Args:
        difference: Loss of a size less that of the best.
        sd: Standard deviation of its loss.
        unit: What matters, in the same units; positive.

    Returns:
        The score, and its standard deviation.

    >>> score, sd = score_of(0.02, 0.01, 0.01)
    >>> round(score, 2), round(sd, 2)
    (2.0, 1.0)
    """
    bent = difference / unit / BEND
    return BEND * asinh(bent), sd / unit / hypot(1.0, bent)


def guesses(
    seen: Sequence[tuple[Hidden, float, float]], wanted: Sequence[Hidden]
) -> tuple[Guess, ...]:
    """Guess the scores of sizes.

    Args:
        seen: (size, score, standard deviation of that) of each trained one.
        wanted: Sizes to guess.

    >>> seen = [((16,), 60.0, 1.0), ((64, 64), 10.0, 1.0), ((256,) * 3, 0.0, 1.0)]
    >>> guess = guesses(seen, [((128,) * 2)])[0]
    >>> -15.0 < guess.mean < 20.0
    True
    """
    places = np.array([_place(hidden) for hidden, _, _ in seen])
    y = np.array([value for _, value, _ in seen])
    noise = np.square([max(sd, LEAST_NOISE) for _, _, sd in seen])
    level = float(np.mean(y))
    scale = max(float(np.var(y)), float(noise.mean()))

    def likelihood(lengths: tuple[float, float]) -> float:
        return _likelihood(scale * _kernel(places, places, lengths), y - level, noise)

    best = max(product(LENGTHS, LENGTHS), key=likelihood)
    known = scale * _kernel(places, places, best) + np.diag(noise)
    across = scale * _kernel(np.array([_place(each) for each in wanted]), places, best)
    means = level + across @ np.linalg.solve(known, y - level)
    spread = scale - np.einsum("ij,ji->i", across, np.linalg.solve(known, across.T))
    return tuple(
        Guess(float(mean), sqrt(max(float(variance), LEAST_NOISE**2)))
        for mean, variance in zip(means, spread, strict=True)
    )


def _place(hidden: Hidden) -> tuple[float, float, float]:
    mean = sum(hidden) / len(hidden)
    return log2(mean), log2(len(hidden)), TAPER * float(len(set(hidden)) > 1)


def _kernel(a: np.ndarray, b: np.ndarray, lengths: tuple[float, float]) -> np.ndarray:
    scales = np.array([*lengths, 1.0])
    distance = np.sqrt(np.square((a[:, None] - b[None]) / scales).sum(axis=-1))
    scaled = sqrt(5.0) * distance
    return (1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled)


def _likelihood(covariance: np.ndarray, y: np.ndarray, noise: np.ndarray) -> float:
    whole = covariance + np.diag(noise)
    sign, volume = np.linalg.slogdet(whole)
    return float("-inf") if sign <= 0 else float(-0.5 * (y @ np.linalg.solve(whole, y) + volume))
