"""Known ranges of what is measured during a training: the one table that checks and views read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isnan

from justright.core.decision import Status

CALIBRATED = "measured: benchmarks/health.py, 11 tables"


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
    "activation_std": Range(
        "spread of activations",
        warn=(0.1, 10.0),
        alarm=(0.02, 20.0),
        source="near one, signals keep their size (Glorot & Bengio 2010); bounds " + CALIBRATED,
        status=Status.MEASURED,
    ),
    "activation_mean": Range(
        "size of the mean over the spread",
        warn=(0.0, 2.0),
        alarm=(0.0, inf),
        source="centred activations train faster (LeCun et al. 1998); sound ReLU networks up to "
        "1, sigmoid ones up to 7, " + CALIBRATED,
        status=Status.MEASURED,
    ),
    "dead_share": Range(
        "share of dead units",
        warn=(0.0, 0.1),
        alarm=(0.0, 0.5),
        source="5 to 20% are usual where units die (assumption); sound ReLU networks up to 50% "
        + CALIBRATED,
        status=Status.MEASURED,
    ),
    "saturated_share": Range(
        "share of saturated activations",
        warn=(0.0, 0.3),
        alarm=(0.0, 0.85),
        source=CALIBRATED,
        status=Status.MEASURED,
    ),
    "update_ratio": Range(
        "step over weights",
        warn=(1e-4, 5e-2),
        alarm=(1e-6, 1e-1),
        source="about 0.001 (Karpathy, CS231n 2016); sound trainings up to 0.04, rates a "
        "thousandth as high below 0.0001, " + CALIBRATED,
        status=Status.MEASURED,
    ),
    "gradient_ratio": Range(
        "gradient of a layer over the last one's",
        warn=(0.1, 20.0),
        alarm=(0.01, 100.0),
        source="assumption; sound trainings 0.3 to 19, spoiled ones below 0.0004, " + CALIBRATED,
        status=Status.MEASURED,
    ),
    "gradient_spike": Range(
        "highest over mean norm of the gradient",
        warn=(0.0, 50.0),
        alarm=(0.0, 200.0),
        source="sound trainings up to 43, " + CALIBRATED,
        status=Status.MEASURED,
    ),
    "loss_rise": Range(
        "training loss over that of the first step",
        warn=(0.0, 2.0),
        alarm=(0.0, 4.0),
        source="four times the best loss ends a range test (fastai, PyTorch Lightning)",
        status=Status.PUBLISHED,
    ),
    "clipped_share": Range(
        "share of clipped steps",
        warn=(0.0, 0.25),
        alarm=(0.0, 0.5),
        source="Deep Learning Tuning Playbook, Godbole et al. 2023; 25%: assumption",
        status=Status.PUBLISHED,
    ),
}
"""By the name of the curve it is measured as, or of what follows from several."""
