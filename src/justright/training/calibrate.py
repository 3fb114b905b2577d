"""Times a few steps of a few shapes on this machine, before the work is planned."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from justright.core.codec import to_document
from justright.engine.contract import Array, Candidate
from justright.engine.opening import backends
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.training.controls import Course
from justright.training.cost import Measured, fit_cost, program_of
from justright.training.order import Order
from justright.training.plan import make_span

ROWS = 4_096

SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((128, 128), 1),
    ((128, 128), 4),
    ((256, 256, 256), 1),
)
"""Hidden widths and members timed: the default, what further members add to it, and arithmetic."""


class RandomRows:
    """Rows of the right shape without meaning, for timing.

    Args:
        inputs: Shape of a row.
        classes: Whether the target is a class.
    """

    def __init__(self, inputs: Inputs, classes: bool) -> None:
        rng = np.random.default_rng(0)
        self._x = rng.normal(size=(ROWS, inputs.numbers + inputs.indicators)).astype(np.float32)
        codes = [rng.integers(0, values, ROWS) for values in inputs.categories]
        self._c = np.array(codes, np.int32).reshape(len(codes), ROWS).T
        if classes:
            self._y: Array = rng.integers(0, max(inputs.outputs, 2), ROWS)
        else:
            self._y = rng.normal(size=(ROWS, inputs.outputs)).astype(np.float32)

    def __len__(self) -> int:
        return ROWS

    def batch(self, rows: Array) -> Mapping[str, Array]:
        """The named tensors of some rows."""
        places = np.asarray(rows, np.int64)
        return {"x": self._x[places], "c": self._c[places], "y": self._y[places]}


def measure(
    recipe: Recipe,
    inputs: Inputs,
    seconds: float,
    report: Callable[[Any], None],
) -> dict[str, Any]:
    """Time steps of a recipe at a few shapes and fit the cost model.

    Args:
        recipe: Its activation, embeddings and regularisation are timed; its shape is varied.
        inputs: What the network receives and returns.
        seconds: Time to spend, shared evenly by the shapes.
        report: Called before each shape.

    Returns:
        ``{"model": CostModel, "points": [{"hidden", "members", "step_s"}, ...]}``, JSON types.
    """
    points = []
    for hidden, members in SHAPES:
        report({"text": f"timing {len(hidden)}×{hidden[0]}"})
        varied = replace(recipe, shape=replace(recipe.shape, hidden=hidden))
        step_s = _time(varied, inputs, members, seconds / len(SHAPES))
        points.append(Measured(varied, members, step_s))
    return {
        "model": to_document(fit_cost(points, inputs)),
        "points": [
            {"hidden": list(p.recipe.shape.hidden), "members": p.members, "step_s": p.step_s}
            for p in points
        ],
    }


def _time(recipe: Recipe, inputs: Inputs, members: int, seconds: float) -> float:
    """Median seconds of a step of a stack, after a warm-up."""
    program = program_of(recipe, inputs)
    data = RandomRows(inputs, recipe.loss.name == "cross_entropy")
    backend = next(each for each in backends() if each.accepts(program) is None)
    stack = backend.open(program, data, [Candidate(str(m), m) for m in range(members)])
    ways = [
        (Order(member, np.arange(ROWS)), Course(recipe, 1_000_000, ROWS / recipe.batch, member))
        for member in range(members)
    ]
    end, step, count, times = time.perf_counter() + seconds, 0, 2, []
    while time.perf_counter() < end or not times:
        began = time.perf_counter()
        stack.advance(make_span(ways, recipe.batch, step, count))
        took = (time.perf_counter() - began) / count
        if step:  # the first span also warms up
            times.append(took)
        step += count
        count = int(np.clip(seconds / 10 / took, 1, 500))
    stack.close()
    return float(np.median(times))
