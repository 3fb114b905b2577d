"""What the checks look at: one training as its stored curves and what its recipe says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

HEALTH = "health/"
"""Begins the names of the stored curves that say how a training does."""

Curves = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Name to steps and values, named as `training.health.Health` says."""


@dataclass(frozen=True)
class Training:
    """A training to be judged.

    Attributes:
        curves: Those of its health; none are needed, a check without its curve is silent.
        activation: Of the hidden layers.
        clip: Bound on the norm of the gradient; None where there is none.
        failed: Why it could not go on; empty if it came to its end.
    """

    curves: Curves
    activation: str = ""
    clip: float | None = None
    failed: str = ""

    @property
    def start_loss(self) -> float:
        """Where the loss began: at the first step, or at the best constant if that is higher.

        One batch may hold none of the few values that make up most of the loss. 0 if unknown.
        """
        known = [*self.values("first_loss")[:1], *self.values("prior_loss")[:1]]
        return max((loss for loss in known if isfinite(loss)), default=0.0)

    def values(self, name: str) -> list[float]:
        """The values of one curve; empty if there is none."""
        return [float(value) for value in self.curves.get(name, ((), ()))[1]]

    def layers(self, name: str) -> list[list[tuple[float, float]]]:
        """Points (step, value) of each hidden layer's curve, the first layer first."""
        found: list[list[tuple[float, float]]] = []
        while f"{name}/{len(found)}" in self.curves:
            steps, values = self.curves[f"{name}/{len(found)}"]
            found.append([(float(s), float(v)) for s, v in zip(steps, values, strict=True)])
        return found

    def untrained(self, name: str) -> list[float]:
        """What each hidden layer said before the first step."""
        return [value for points in self.layers(name) for step, value in points if step == 0]

    def ratios(self) -> list[list[tuple[float, float]]]:
        """Points (step, ratio) of each hidden layer's gradient over that of the last one."""
        layers = self.layers("gradient_norm")
        if len(layers) < 2:
            return []
        last = {step: value for step, value in layers[-1] if isfinite(value) and value > 0}
        return [
            [(s, value / last[s]) for s, value in points if s in last and isfinite(value)]
            for points in layers[:-1]
        ]


def typical(points: Sequence[tuple[float, float]]) -> float:
    """The median value of some points.

    >>> typical([(10, 1.0), (20, 5.0), (30, 2.0)])
    2.0
    """
    return median(value for _, value in points)
