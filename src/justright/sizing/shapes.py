"""Sizes of a network's body: the ladder, and all shapes beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

Hidden = tuple[int, ...]
"""Units of each hidden layer."""

Weigh = Callable[[Hidden], int]
"""Number of learned weights of a network with such a body."""

LADDER: tuple[Hidden, ...] = (
    (16,),
    (64,),
    (256,),
    (128,) * 2,
    (256,) * 2,
    (512,) * 2,
    (512,) * 3,
    (1024,) * 4,
)
"""Width first, then depth too, the weights two to sixfold a rung. Measured on five tables of the
grid of truth (LOG.md, 2026-11-21): at every width one or two layers are as good as more, and a
ladder of this kind chose better than one that grows deep from 64 on."""

LEAST_STEP = 1.5
"""A rung that has not so many times the weights of the one before is left out: with many inputs
two layers of 128 weigh no more than one of 256 (assumption)."""

DEPTHS, WIDTHS = (1, 2, 3, 4, 5, 6), (16, 32, 64, 128, 256, 512, 1024)
"""Published searches of tables go to depth 6 and width 1024 (Gorishniy et al. 2024)."""


@dataclass(frozen=True)
class Limits:
    """Sizes that may be used at all.

    Attributes:
        weights: Most learned weights; None = any number.
        deepest: Most hidden layers.
        widest: Most units of a layer.
        uniform: Whether all layers must be equally wide.
        only: Shapes that are allowed at all; None = any.
    """

    weights: int | None = None
    deepest: int = 6
    widest: int = 1024
    uniform: bool = False
    only: frozenset[Hidden] | None = None

    def allow(self, hidden: Hidden, weigh: Weigh) -> bool:
        """Whether a shape is within the limits."""
        if len(hidden) > self.deepest or max(hidden) > self.widest:
            return False
        if self.only is not None and hidden not in self.only:
            return False
        if self.uniform and len(set(hidden)) > 1:
            return False
        return self.weights is None or weigh(hidden) <= self.weights


def name_of(hidden: Hidden) -> str:
    """A shape for people: depth × width, or the widths of a tapered one.

    >>> name_of((64, 64)), name_of((128, 64, 32))
    ('2×64', '128-64-32')
    """
    if len(set(hidden)) == 1:
        return f"{len(hidden)}×{hidden[0]}"
    return "-".join(str(units) for units in hidden)


def width_equivalent(weights: int, depth: int) -> float:
    """√(weights / depth): the width axis on which sizes of different depth are compared."""
    return sqrt(weights / depth)


def ladder(limits: Limits, weigh: Weigh) -> tuple[Hidden, ...]:
    """The rungs within the limits, lightest first."""
    rungs: list[Hidden] = []
    for hidden in LADDER:
        heavier = not rungs or weigh(hidden) >= LEAST_STEP * weigh(rungs[-1])
        if heavier and limits.allow(hidden, weigh):
            rungs.append(hidden)
    return tuple(rungs)


def tapered(first: int, depth: int) -> Hidden:
    """Layers of which each has half the units of the one before, but at least eight.

    >>> tapered(128, 3)
    (128, 64, 32)
    """
    return tuple(max(first >> layer, 8) for layer in range(depth))


def _all_shapes() -> tuple[Hidden, ...]:
    uniform = [(width,) * depth for depth in DEPTHS for width in WIDTHS]
    halving = [tapered(width, depth) for depth in (2, 3, 4) for width in WIDTHS if width >= 64]
    return tuple(uniform + halving)


SHAPES: tuple[Hidden, ...] = _all_shapes()
"""Depth × width, among them deeper and narrower, shallower and wider ones of equal weights; and
bodies whose layers halve."""
