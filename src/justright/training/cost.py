"""What a training will cost, predicted without torch from steps that a worker measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
import numpy.typing as npt

from justright.engine.contract import Program
from justright.engine.cost import USUAL, CostModel, mean_chunk, work_of
from justright.recipe.network import Inputs, NetworkSpec
from justright.recipe.recipe import Recipe

_TRUST = 0.1
"""Weight of the usual figures beside a measured point (measured on 88 shapes after a calibration:
median error 26%; 28% with 0.05, 23% with 0.5)."""

_WIDTHS = (64, 128, 256, 512, 1024)

_WORTH, _TOGETHER = 0.1, 4
"""Four candidates are trained as a stack where that is predicted to take at least a tenth less
time than one by one (assumption: separate jobs keep all workers busy)."""


@dataclass(frozen=True)
class Measured:
    """One timed training.

    Attributes:
        recipe: What was trained.
        members: Candidates of the stack.
        step_s: Seconds of a step of all of them.
    """

    recipe: Recipe
    members: int
    step_s: float


def program_of(recipe: Recipe, inputs: Inputs) -> Program:
    """What the engine is asked to train for a recipe."""
    net = NetworkSpec(recipe.shape, inputs)
    return Program(net, recipe.loss, recipe.optimiser.rule, recipe.batch)


def step_s(model: CostModel, recipe: Recipe, inputs: Inputs, members: int = 1) -> float:
    """Expected seconds of one step of all members of a stack."""
    program = program_of(recipe, inputs)
    return members * model.step_s(program, mean_chunk(program, members))


def alone_from(model: CostModel, recipe: Recipe, inputs: Inputs) -> int:
    """The width from which on networks train one by one: stacking gains too little there.

    Args:
        model: Measured, or `USUAL`.
        recipe: Its activation, embeddings and batch; two layers of each width are priced.
        inputs: Of the network.

    >>> alone_from(USUAL, Recipe(), Inputs(20, 0, (), 1))
    512
    """
    for width in _WIDTHS:
        wide = replace(recipe, shape=replace(recipe.shape, hidden=(width, width)))
        program = program_of(wide, inputs)
        together = min(model.step_s(program, size) for size in range(2, _TOGETHER + 1))
        if together > (1 - _WORTH) * model.step_s(program, 1):
            return width
    return 2 * _WIDTHS[-1]


def _work(point: Measured, inputs: Inputs) -> npt.NDArray[np.float64]:
    program = program_of(point.recipe, inputs)
    chunk = mean_chunk(program, point.members)
    return point.members * np.array(astuple(work_of(program, chunk)))


def fit_cost(points: Sequence[Measured], inputs: Inputs) -> CostModel:
    """The cost model of some timed trainings: least squares of the relative errors.

    Each figure is held near its usual value where the points do not decide it, and above a tenth
    of it.

    Args:
        points: At least one.
        inputs: Of all of them.
    """
    usual = np.array(astuple(USUAL))
    rows = [_work(point, inputs) * usual / point.step_s for point in points]
    level = 1.0 / max(float(np.mean([row.sum() for row in rows])), 1e-9)  # how slow we are
    matrix = np.concatenate([np.stack(rows), _TRUST / level * np.eye(len(usual))])
    target = np.concatenate([np.ones(len(rows)), _TRUST * np.ones(len(usual))])
    factors = np.linalg.lstsq(matrix, target, rcond=None)[0]
    return CostModel(*(usual * np.maximum(factors, 0.1 * level)).tolist())
