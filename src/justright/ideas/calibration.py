"""What earlier outcomes say of later predictions: a logistic recalibration of probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from statistics import NormalDist

import numpy as np

from justright.core.idea import Verdict

SHIFT_SD, SLOPE_SD = 1.0, 0.5
"""Prior deviations of shift and slope about 0 and 1 (judgement of a simulation before building: an
overconfident forecaster's Brier score falls from 0.199 to 0.173 after 5 outcomes, to 0.158 after
40; the best possible was 0.146)."""

STEPS = 25
"""Newton steps; it converges in about five."""

WON, LOST = ("better", "not worse by what matters, and lighter"), ("not better",)


@dataclass(frozen=True)
class Calibration:
    """A correction of log-odds: shift + slope · logit(p).

    Attributes:
        shift: 0 without experience.
        slope: 1 without experience.
        outcomes: Known outcomes behind it.
    """

    shift: float = 0.0
    slope: float = 1.0
    outcomes: int = 0

    def __call__(self, helps: float) -> float:
        """The corrected probability.

        >>> Calibration()(0.3), round(Calibration(shift=-1.0)(0.5), 3)
        (0.3, 0.269)
        """
        if not self.outcomes and not self.shift and self.slope == 1.0:
            return helps
        return 1 / (1 + exp(-self.shift - self.slope * _logit(helps)))


def calibrate(past: Sequence[tuple[float, float]]) -> Calibration:
    """The most probable correction, given what was predicted and what came of it.

    Maximum a posteriori logistic regression on the log-odds (Platt 1999), with normal priors that
    keep it near no correction while outcomes are few.

    Args:
        past: Probability as it was said, and outcome from 0 to 1.

    >>> calibrate([(0.5, 0.0)] * 40)(0.5) < 0.2
    True
    """
    if not past:
        return Calibration()
    x = np.array([[1.0, _logit(said)] for said, _ in past])
    y = np.array([outcome for _, outcome in past])
    precision, prior = np.diag([SHIFT_SD**-2, SLOPE_SD**-2]), np.array([0.0, 1.0])
    found = prior.copy()
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (y - p) - precision @ (found - prior)
        bend = (x * (p * (1 - p))[:, None]).T @ x + precision
        found = found + np.linalg.solve(bend, slope)
    return Calibration(float(found[0]), float(found[1]), len(past))


def outcome_of(verdicts: Iterable[Verdict]) -> float | None:
    """What came of an idea, from 0 to 1; None if that is not known.

    What could not be told counts with the probability that the gain is positive. An idea that
    looked promising in screening, and was not compared after all, has no outcome.

    >>> outcome_of([Verdict("a", "not run", 0.0, 0.0, 0.0, 0), Verdict("a", "better", 1, 0, 2, 5)])
    1.0
    """
    known = [verdict for verdict in verdicts if verdict.word != "not run"]
    if not known:
        return None
    last = known[-1]
    if last.word in WON or last.word in LOST:
        return float(last.word in WON)
    if not (isfinite(last.low) and isfinite(last.high)) or last.high <= last.low:
        return None
    error = (last.high - last.low) / (2 * NormalDist().inv_cdf(0.975))
    return NormalDist().cdf(last.difference / error)


def brier(pairs: Sequence[tuple[float, float]]) -> float:
    """Mean squared difference of probability and outcome (Brier 1950).

    >>> brier([(0.5, 1.0), (0.5, 0.0)])
    0.25
    """
    return float(np.mean([(said - outcome) ** 2 for said, outcome in pairs]))


def _logit(helps: float) -> float:
    held = min(max(helps, 1e-6), 1 - 1e-6)
    return log(held / (1 - held))
