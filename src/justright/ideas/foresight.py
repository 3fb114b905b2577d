"""How predictions of ideas compare with what came of them: probabilities, and gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from justright.core.idea import Verdict
from justright.ideas.calibration import WON, brier, outcome_of
from justright.statistics.student import t_quantile
from justright.store.records import IdeaRecord

EDGES = (0.0, 0.2, 0.4, 0.6, 1.0)
"""Ends of the groups of probabilities (assumption: most ideas are said to help with 15 to 40%)."""

FEWEST = 5
"""Outcomes from which on anything is said (assumption)."""


@dataclass(frozen=True)
class Group:
    """Ideas whose predicted probability was alike.

    Attributes:
        low: Least probability of the group.
        high: Greatest.
        said: Mean probability.
        came: Mean outcome, 0 to 1.
        ideas: How many.
    """

    low: float
    high: float
    said: float
    came: float
    ideas: int


@dataclass(frozen=True)
class Foresight:
    """What predictions were worth.

    Attributes:
        outcomes: Ideas whose outcome is known.
        studies: Of how many studies.
        helped: Sum of their outcomes: what cannot be told counts in part.
        brier: Mean squared error of the probabilities (Brier 1950).
        constant: The same of one probability for all, the share of the others that helped.
        better: By how much `brier` is lower.
        low: Lower end of its 95% interval; nan with fewer than `FEWEST`.
        high: Upper end.
        gains: Ideas that helped and whose gain was measured.
        inside: How many of these gains lie between the predicted 10% and 90% quantiles.
        groups: By the predicted probability.
    """

    outcomes: int
    studies: int
    helped: float
    brier: float
    constant: float
    better: float
    low: float
    high: float
    gains: int
    inside: int
    groups: tuple[Group, ...]


def foresight(studies: Sequence[Sequence[IdeaRecord]]) -> Foresight | None:
    """Compare the predictions of ideas, as they were acted on, with what came of them.

    Args:
        studies: The ideas of each study.

    Returns:
        None while no outcome is known.
    """
    pairs, gains, counted = [], [], 0
    for records in studies:
        known = [(each, outcome_of(each.verdicts)) for each in records]
        own = [(each.predictions[0].helps, came) for each, came in known if came is not None]
        counted += bool(own)
        pairs += own
        gains += [hit for each in records if (hit := _gain_inside(each)) is not None]
    if not pairs:
        return None
    said, came = (np.array(values) for values in zip(*pairs, strict=True))
    base = _others(came)
    ahead = np.square(base - came) - np.square(said - came)
    low, high = _interval(ahead)
    return Foresight(
        outcomes=len(pairs),
        studies=counted,
        helped=float(came.sum()),
        brier=brier(pairs),
        constant=float(np.square(base - came).mean()),
        better=float(ahead.mean()),
        low=low,
        high=high,
        gains=len(gains),
        inside=sum(gains),
        groups=_groups(said, came),
    )


def _others(came: np.ndarray) -> np.ndarray:
    """For each idea the share of the others that helped, with one of each added (Laplace)."""
    return (came.sum() - came + 1.0) / (len(came) + 1.0)


def _interval(ahead: np.ndarray) -> tuple[float, float]:
    """95% interval of a mean by Student's t."""
    if len(ahead) < FEWEST:
        return float("nan"), float("nan")
    reach = t_quantile(0.975, len(ahead) - 1) * float(ahead.std(ddof=1)) / sqrt(len(ahead))
    return float(ahead.mean()) - reach, float(ahead.mean()) + reach


def _gain_inside(record: IdeaRecord) -> bool | None:
    """Whether the measured gain of an idea that helped lies where it was predicted."""
    known = [verdict for verdict in record.verdicts if verdict.word != "not run"]
    if not known or not _helped(known[-1]):
        return None
    low, _, high = record.predictions[0].gain
    return low <= known[-1].difference <= high


def _helped(verdict: Verdict) -> bool:
    return verdict.word == WON[0] and isfinite(verdict.difference)


def _groups(said: np.ndarray, came: np.ndarray) -> tuple[Group, ...]:
    place = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    return tuple(
        Group(
            low=EDGES[k],
            high=EDGES[k + 1],
            said=float(said[place == k].mean()),
            came=float(came[place == k].mean()),
            ideas=int((place == k).sum()),
        )
        for k in range(len(EDGES) - 1)
        if (place == k).any()
    )
