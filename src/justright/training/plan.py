"""What a stack is to do: its rows, its controls and its evaluations, as pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from justright.engine.contract import Span
from justright.recipe.network import NetworkSpec
from justright.training.controls import Course
from justright.training.judge import Judged
from justright.training.order import Order


@dataclass(frozen=True)
class Trainee:
    """One candidate's rows and numbers.

    Attributes:
        order: The rows of each step.
        course: The controls of each step.
        probe: Training rows that are scored.
        validation: Validation rows; None in a final training.
    """

    order: Order
    course: Course
    probe: Judged
    validation: Judged | None


@dataclass(frozen=True)
class Plan:
    """What a stack is to do.

    Attributes:
        net: The network.
        trainees: By candidate.
        batch: Rows a step.
        steps: Steps of the run.
        evaluations: Steps after which candidates are scored; the last is `steps`.
        metric: Recorded beside the loss.
        averaged: Whether the average of weights is evaluated and kept.
        keep_best: Keep the best evaluation, not the last.
        deadline: Unix time.
        health_every: Steps between two whose layers are looked at; 0 = nobody watches.
    """

    net: NetworkSpec
    trainees: Mapping[str, Trainee]
    batch: int
    steps: int
    evaluations: tuple[int, ...]
    metric: str
    averaged: bool
    keep_best: bool
    deadline: float
    health_every: int = 0

    def span(
        self, ids: tuple[str, ...], start: int, count: int, losses: Sequence[Sequence[float]]
    ) -> Span:
        """The next steps of some candidates as arrays, each judged by its losses so far."""
        ways = [(self.trainees[id].order, self.trainees[id].course) for id in ids]
        span = make_span(ways, self.batch, start, count, losses)
        return replace(span, health_every=self.health_every)


def make_span(
    ways: Sequence[tuple[Order, Course]],
    batch: int,
    start: int,
    count: int,
    losses: Sequence[Sequence[float]] | None = None,
) -> Span:
    """Some steps of candidates as arrays.

    Args:
        ways: Rows and numbers of each candidate.
        batch: Rows a step.
        start: First step.
        count: How many.
        losses: The evaluations of each candidate so far; None = there were none.
    """
    seen = losses or [()] * len(ways)
    order = np.stack([order.take(start, count, batch) for order, _ in ways])
    controls = [c.controls(start, count, own) for (_, c), own in zip(ways, seen, strict=True)]
    return Span(order, {name: np.stack([c[name] for c in controls]) for name in controls[0]})
