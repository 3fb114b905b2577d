"""Learning rates read off a range test: a curve of losses over growing rates, and four rules.

The range test is Smith's (2015, arXiv 1506.01186): train a few steps while the rate grows from far
too small to far too large. No rule is trusted: the best of them is raced beside rates around the
prior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 200
"""Seven decades in 200 steps: each rate is 1.084 times the one before (assumption; fastai takes
100 steps from 1e-7 to 10, PyTorch Lightning 100 from 1e-8 to 1)."""

SMOOTHING = 0.98
"""Weight of the past in the moving average of the losses (published: fastai, Lightning)."""

STOP = 4.0
"""The test has diverged when the smoothed loss exceeds its best so many times (published: fastai,
PyTorch Lightning)."""

SKIP_FIRST, SKIP_LAST = 0.1, 5
"""Share of the points at the start and number of points at the end that rules do not look at
(published: fastai)."""

LEAST_POINTS = 10
"""Fewer points are not read (assumption)."""

LEAST_FALL = 6
"""A valley shorter than this has no thirds and sixths (assumption)."""

SAME = 1.5
"""Rates within this factor are one candidate (assumption: finer than a training can tell)."""

TINY = 1e-12
"""Below this a loss counts as zero."""


@dataclass(frozen=True, eq=False)
class RangeCurve:
    """What a range test saw.

    Attributes:
        rates: float64 ``[n]``, growing.
        losses: float64 ``[n]``, smoothed, finite; the last one is where the test ended.
        diverged: The rate at which the test diverged; None if it never did.
    """

    rates: Floats
    losses: Floats
    diverged: float | None


@dataclass(frozen=True)
class Pick:
    """What one rule proposes.

    Attributes:
        rule: Its name.
        rate: The rate; None if the rule cannot answer.
        reason: How it was found, or why there is none.
    """

    rule: str
    rate: float | None
    reason: str


@dataclass(frozen=True)
class Entrant:
    """A rate worth racing, and the rules that propose it."""

    rate: float
    rules: tuple[str, ...]


def range_rates() -> Floats:
    """The rates of the test's steps.

    >>> rates = range_rates()
    >>> len(rates), round(float(rates[1] / rates[0]), 3), round(float(rates[-1]), 6)
    (200, 1.084, 10.0)
    """
    return np.geomspace(LOWEST, HIGHEST, STEPS)


def read_curve(losses: npt.NDArray[np.floating]) -> RangeCurve:
    """Smooth the losses of a range test and find where it ends.

    Each seed's loss is averaged with weight `SMOOTHING` on its past, corrected for its start as in
    Adam (Kingma & Ba 2015), and the seeds' geometric mean is taken, so that the first one to
    explode does not speak for all. The test ends where that mean exceeds `STOP` times its best, or
    before the first step at which a seed has no finite loss any more.

    Args:
        losses: ``[seeds, n]`` training loss of each step, at `range_rates`; not finite from the
            step on at which a seed did not survive.
    """
    seeds, steps = losses.shape
    rates = range_rates()[:steps]
    good = np.isfinite(losses).all(axis=0)
    end = steps if good.all() else int(np.argmin(good))
    smooth = np.empty(end)
    average, best = np.zeros(seeds), np.inf
    for step in range(end):
        average = SMOOTHING * average + (1 - SMOOTHING) * losses[:, step].astype(np.float64)
        corrected = average / (1 - SMOOTHING ** (step + 1))
        smooth[step] = np.exp(np.log(np.maximum(corrected, TINY)).mean())
        best = min(best, float(smooth[step]))
        if smooth[step] > STOP * best:
            return RangeCurve(rates[: step + 1], smooth[: step + 1], float(rates[step]))
    diverged = float(rates[end]) if end < steps else None
    return RangeCurve(rates[:end], smooth, diverged)


def picks(curve: RangeCurve) -> tuple[Pick, ...]:
    """What each rule proposes for a curve, in the order of `RULES`."""
    return tuple(rule(curve) for rule in RULES)


def valley(curve: RangeCurve) -> Pick:
    """The middle of the longest fall (published: fastai's default).

    The longest decreasing subsequence of the losses is found; the rate lies a third and a sixth of
    the way from its start to its end.
    """
    rates, losses = _trimmed(curve)
    if len(rates) < LEAST_POINTS:
        return Pick("valley", None, f"only {len(rates)} points are left of the curve")
    start, end = longest_fall(losses)
    if end - start + 1 < LEAST_FALL:
        return Pick("valley", None, "the loss never falls for long")
    place = start + (end - start) // 3 + (end - start) // 6
    reason = f"the loss falls from {rates[start]:.2g} to {rates[end]:.2g}"
    return Pick("valley", float(rates[place]), reason)


def minimum(curve: RangeCurve) -> Pick:
    """A tenth of the rate with the lowest loss (published: fastai)."""
    rates, losses = _trimmed(curve)
    if len(rates) < LEAST_POINTS:
        return Pick("minimum/10", None, f"only {len(rates)} points are left of the curve")
    place = int(np.argmin(losses))
    if place == 0:
        return Pick("minimum/10", None, "the loss never falls")
    return Pick("minimum/10", float(rates[place]) / 10, f"lowest at {rates[place]:.2g}")


def divergence(curve: RangeCurve, share: int) -> Pick:
    """A share of the rate at which the test diverged.

    A half is published (Bengio 2012, arXiv 1206.5533: the best rate is usually within a factor of
    two of the largest that does not diverge, there for SGD at a constant rate); a tenth is an
    assumption, because each rate is held for one step only and the smoothed loss lags.
    """
    rule = f"divergence/{share}"
    if curve.diverged is None:
        return Pick(rule, None, f"nothing diverged up to {curve.rates[-1]:.2g}")
    return Pick(rule, curve.diverged / share, f"diverged at {curve.diverged:.2g}")


RULES: tuple[Callable[[RangeCurve], Pick], ...] = (
    valley,
    minimum,
    lambda curve: divergence(curve, 2),
    lambda curve: divergence(curve, 10),
)
"""All rules; each answers for itself."""

NAMES = ("valley", "minimum/10", "divergence/2", "divergence/10")
"""Their names, in the same order."""


AROUND = tuple(10.0 ** (place * 2 / 3) for place in (-2, -1, 1, 2))
"""Factors on the prior that are raced beside it, two thirds of a decade apart. Measured on 21
tables (benchmarks/RESULTS.md): raced for a third of the length, the best of these five rates is
nearer to the best of a sweep than the best of the prior and what all rules say."""

RACED_RULES = ("minimum/10",)
"""Rules whose pick is raced as well. Measured on 21 tables (benchmarks/RESULTS.md), medians: the
others are 5 to 34 times off, and lose 4 to 98% of the loss where the prior loses 1 to 2%."""

MOST_ENTRANTS = 1 + len(AROUND) + len(RACED_RULES)


def entrants(prior: float, proposed: Sequence[Pick]) -> tuple[Entrant, ...]:
    """Rates to race: the prior, rates around it, and the picks of `RACED_RULES`.

    Args:
        prior: The recipe's own rate.
        proposed: What the rules say; a pick within `SAME` of another rate is that rate.

    >>> raced = entrants(0.02, [Pick("valley", 0.001, ""), Pick("minimum/10", 0.1, "")])
    >>> [(round(each.rate, 4), each.rules) for each in raced][-2:]
    [(0.0928, ('prior × 4.6', 'minimum/10')), (0.4309, ('prior × 22',))]
    """
    found: dict[float, list[str]] = {prior: ["prior"]}
    for factor in AROUND:
        times = f"× {factor:.2g}" if factor > 1 else f"÷ {1 / factor:.2g}"
        found[prior * factor] = [f"prior {times}"]
    for pick in proposed:
        if pick.rate is None or pick.rule not in RACED_RULES:
            continue
        known = next((rate for rate in found if alike(rate, pick.rate)), pick.rate)
        found.setdefault(known, []).append(pick.rule)
    return tuple(Entrant(rate, tuple(rules)) for rate, rules in found.items())


def alike(one: float, other: float) -> bool:
    """Whether two rates lie within a factor of `SAME`.

    >>> alike(0.02, 0.03), alike(0.02, 0.031)
    (True, False)
    """
    return max(one, other) <= SAME * min(one, other) * (1 + 1e-9)


def longest_fall(values: Floats) -> tuple[int, int]:
    """Start and end of the longest strictly decreasing subsequence; the first of equal ones.

    >>> longest_fall(np.array([5.0, 9.0, 4.0, 6.0, 3.0, 7.0]))
    (0, 4)
    """
    length = np.ones(len(values), np.int64)
    start = np.arange(len(values))
    for place in range(1, len(values)):
        higher = np.flatnonzero(values[:place] > values[place])
        if len(higher):
            before = higher[np.argmax(length[higher])]
            length[place], start[place] = length[before] + 1, start[before]
    end = int(np.argmax(length))
    return int(start[end]), end


def _trimmed(curve: RangeCurve) -> tuple[Floats, Floats]:
    first, last = int(SKIP_FIRST * len(curve.rates)), max(len(curve.rates) - SKIP_LAST, 0)
    return curve.rates[first:last], curve.losses[first:last]
