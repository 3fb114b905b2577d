"""The checks of a training's health in their order, and the one function that runs them all.

Adding one: a function of `Training`, a line in `CHECKS`, its range in `ranges`, a fault in
`testing.faults`, and a class in tests/diagnosis that inherits its contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from justright.core.finding import Finding, worst_first
from justright.diagnosis.layers import find_dead, find_exploding, find_saturated, find_vanishing
from justright.diagnosis.steps import find_clipped, find_too_high, find_too_low, find_unstable
from justright.diagnosis.view import Training


class Check(NamedTuple):
    """A named function from a training to findings; the findings have its name as their code."""

    name: str
    find: Callable[[Training], Iterable[Finding]]


CHECKS: tuple[Check, ...] = (
    Check("rate-too-high", find_too_high),
    Check("vanishing-gradients", find_vanishing),
    Check("exploding-gradients", find_exploding),
    Check("unstable", find_unstable),
    Check("saturated-units", find_saturated),
    Check("dead-units", find_dead),
    Check("rate-too-low", find_too_low),
    Check("clipped-often", find_clipped),
)
"""In the order in which findings of equal severity are shown: causes before what follows."""


def examine(training: Training) -> tuple[Finding, ...]:
    """Everything that the curves of a training show, worst first; empty for a sound one.

    Args:
        training: Its curves, and what its recipe says.

    >>> often = {"clipped_share": ([100, 200], [0.9, 0.8]), "loss": ([100, 200], [1.0, 0.9])}
    >>> [finding.code for finding in examine(Training(often, clip=0.1))]
    ['clipped-often']
    """
    return worst_first(tuple(finding for check in CHECKS for finding in check.find(training)))
