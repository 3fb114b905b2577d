"""Known ranges of what is measured during a training: the one table that checks and views read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isnan

from justright.core.decision import Status

CALIBRATED = "11 tables"
"""Measured: benchmarks/health.py. The thresholds were chosen on these tables: on each, the start
recipe and what ideas make of it are sound, and ten faults are planted."""


class Level(StrEnum):
    """Where a value lies in its range; the order of the members is best first."""

    HEALTHY = "healthy"
    WARN = "warn"
    ALARM = "alarm"


@dataclass(frozen=True)
class Range:
    """What is known about one quantity.

    Attributes:
        title: The quantity for people.
        warn: Lowest and highest value that nobody need look at.
        alarm: Lowest and highest value that is not alarming.
        source: Where the bounds come from.
        status: What kind of source that is.
    """

    title: str
    warn: tuple[float, float]
    alarm: tuple[float, float]
    source: str
    status: Status

    def level(self, value: float) -> Level:
        """Where a value lies; what is not a number is alarming.

        >>> [str(RANGES["clipped_share"].level(share)) for share in (0.1, 0.4, 0.9)]
        ['healthy', 'warn', 'alarm']
        """
        if isnan(value) or not self.alarm[0] <= value <= self.alarm[1]:
            return Level.ALARM
        return Level.HEALTHY if self.warn[0] <= value <= self.warn[1] else Level.WARN


RANGES: Mapping[str, Range] = {
    # near one, signals keep their size (Glorot & Bengio 2010): sound 0.07 to 16, spoiled below
    # 0.00001 or above 8,000 before the first step
    "activation_std": Range(
        "spread of activations",
        warn=(0.1, 10.0),
        alarm=(0.02, 20.0),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    # centred activations train faster (LeCun et al. 1998), but ReLU says 0.7 and sigmoid up to 7
    "activation_mean": Range(
        "mean of activations over their spread",
        warn=(0.0, 2.0),
        alarm=(0.0, inf),
        source="no check",
        status=Status.ASSUMPTION,
    ),
    # sound ReLU networks end with up to 37% of a layer dead, spoiled ones with all of it
    "dead_share": Range(
        "share of dead units",
        warn=(0.0, 0.1),
        alarm=(0.0, 0.5),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    # medians of sound tanh and sigmoid networks up to 77%, of spoiled ones from 93% on
    "saturated_share": Range(
        "share of saturated activations",
        warn=(0.0, 0.5),
        alarm=(0.0, 0.85),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    # about 0.001 (Karpathy, CS231n 2016); sound medians 0.002 to 0.02, peaks up to 0.04; medians
    # of a thousandth of the rate 0.00003 to 0.00006
    "update_ratio": Range(
        "step over weights",
        warn=(1e-4, 5e-2),
        alarm=(1e-6, 1e-1),
        source=CALIBRATED + " and CS231n",
        status=Status.MEASURED,
    ),
    # sound medians 0.8 to 19, those of spoiled networks below 0.0005
    "gradient_ratio": Range(
        "gradient over that of the last layer",
        warn=(0.1, 20.0),
        alarm=(0.01, 100.0),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    # sound trainings up to 43
    "gradient_spike": Range(
        "highest over mean norm of the gradient",
        warn=(0.0, 50.0),
        alarm=(0.0, 200.0),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    # a range test ends at four times the best loss; sound trainings rise to at most 1.3 times
    # that at the start, a hundredfold rate takes the loss to 160 times that and more
    "loss_rise": Range(
        "training loss over that at the start",
        warn=(0.0, 2.0),
        alarm=(0.0, 4.0),
        source="fastai, PyTorch Lightning",
        status=Status.PUBLISHED,
    ),
    "clipped_share": Range(
        "share of clipped steps",
        warn=(0.0, 0.25),
        alarm=(0.0, 0.5),
        source="Godbole et al. 2023",
        status=Status.PUBLISHED,
    ),
}
"""By the name of the curve it is measured as, or of what follows from several."""
