"""The range test: a few steps of some seeds while the rate grows from too small to too large."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.data.encoded import EncodedRows
from justright.engine.contract import Array, Candidate, Program, Span
from justright.recipe.network import NetworkSpec
from justright.recipe.recipe import ScheduleSpec
from justright.training.controls import Course
from justright.training.loop import Pace
from justright.training.order import Order
from justright.training.rate_rules import STEPS, RangeCurve, range_rates, read_curve
from justright.training.request import RangeRequest
from justright.training.run import new_start, open_stack


def range_test(request: RangeRequest, report: Callable[[Any], None]) -> dict[str, Any]:
    """Train some seeds of a recipe while the rate grows, until they diverge or the test ends.

    Everything but the rate is as in the recipe at its start: dropout and decay are constant, there
    is no schedule. Weights are thrown away.

    Args:
        request: What to test.
        report: Called after each span with ``{"text", "step", "steps", "loss"}``.

    Returns:
        ``{"rates", "losses", "diverged", "cut", "seconds"}``, JSON types: a `RangeCurve`, and
        whether the deadline ended the test.

    Raises:
        OptionError: If no backend can train the recipe.
    """
    began = time.perf_counter()
    data = EncodedRows(Path(request.folder))
    net = NetworkSpec(request.recipe.shape, data.meta.inputs)
    recipe = request.recipe
    program = Program(net, recipe.loss, recipe.optimiser.rule, recipe.batch)
    start = new_start(net, data)
    candidates = [Candidate(str(place), seed, start) for place, seed in enumerate(request.seeds)]
    climb = Climb.of(request)
    stack, pace, losses = open_stack(program, data, candidates), Pace(), np.empty((0, 0))
    deadline = float("inf") if request.deadline is None else request.deadline
    curve, cut = RangeCurve(np.empty(0), np.empty(0), None), False
    try:
        while curve.diverged is None and losses.shape[1] < STEPS and not cut:
            step = losses.shape[1]
            count = min(pace.steps(), STEPS - step)
            if time.time() + count * pace.step_s > deadline:
                cut = True
                continue
            trace = stack.advance(climb.span(step, count))
            pace.measured(max(trace.seconds, 1e-9), count)
            seen = np.asarray(trace.loss, np.float64)  # NaN after a seed's end
            losses = np.concatenate([losses, seen], axis=1) if step else seen
            curve = read_curve(losses)
            loss = float(curve.losses[-1]) if len(curve.losses) else None
            told = {"step": step + count, "steps": STEPS, "loss": loss}
            report({"text": f"rate {range_rates()[step + count - 1]:.2g}", **told})
    finally:
        stack.close()
    return {
        "rates": curve.rates.tolist(),
        "losses": curve.losses.tolist(),
        "diverged": curve.diverged,
        "cut": cut,
        "seconds": time.perf_counter() - began,
    }


@dataclass(frozen=True)
class Climb:
    """Rows and numbers of each step of a range test.

    Attributes:
        ways: Order and course of each seed.
        batch: Rows a step.
    """

    ways: tuple[tuple[Order, Course], ...]
    batch: int

    @staticmethod
    def of(request: RangeRequest) -> Climb:
        """What a request asks for; no average of weights, since nothing is evaluated."""
        recipe = replace(request.recipe, schedule=ScheduleSpec("constant"), ema_epochs=None)
        epoch = len(request.train) / recipe.batch
        ways = [(Order(s, request.train), Course(recipe, STEPS, epoch, s)) for s in request.seeds]
        return Climb(tuple(ways), recipe.batch)

    def span(self, start: int, count: int) -> Span:
        """The next steps; the rate replaces that of the recipe."""
        order = np.stack([order.take(start, count, self.batch) for order, _ in self.ways])
        courses = [course.controls(start, count) for _, course in self.ways]
        controls: dict[str, Array] = {
            name: np.stack([course[name] for course in courses]) for name in courses[0]
        }
        rates = range_rates()[start : start + count]
        controls["rate"] = np.tile(rates, (len(self.ways), 1))
        return Span(order, controls)
