"""What a training will cost, predicted without torch from steps that a worker measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from justright.recipe.network import Inputs, NetworkSpec, parameter_count
from justright.recipe.recipe import Recipe

Q90 = 1.3
"""The 90% quantile of the seconds over their prediction (assumption; the study
corrects predictions by the trainings it has seen)."""

ALONE_FROM = 256
"""From this width on candidates are trained one by one (assumption)."""

CHUNK = 16
"""Candidates that share the overhead of a step in narrower networks (assumption)."""

_TRUST = 0.05
"""Weight of the usual figures beside a measured point (assumption: they break ties only)."""


@dataclass(frozen=True)
class CostModel:
    """Seconds of a step: overhead + a per multiply-add + a per number touched.

    Attributes:
        overhead_s: Seconds of a step of a chunk on nothing.
        product_s: Seconds of a multiply-add in the matrix products.
        number_s: Seconds of one number of an activation or of the optimiser's state.
    """

    overhead_s: float = 3.5e-4
    product_s: float = 1.7e-11
    number_s: float = 1.5e-9

    def step_s(self, recipe: Recipe, inputs: Inputs, batch: int, members: int = 1) -> float:
        """Expected seconds of one step of all members."""
        overhead, products, numbers = work(recipe, inputs, batch, members)
        return self.overhead_s * overhead + self.product_s * products + self.number_s * numbers


USUAL = CostModel()
"""Measured on one core of a shared server; a worker's own measurement replaces it."""


@dataclass(frozen=True)
class Measured:
    """One timed training.

    Attributes:
        recipe: What was trained.
        batch: Rows a step.
        members: Candidates of the stack.
        step_s: Seconds of a step of all of them.
    """

    recipe: Recipe
    batch: int
    members: int
    step_s: float


def work(
    recipe: Recipe, inputs: Inputs, batch: int, members: int = 1
) -> tuple[float, float, float]:
    """How much of each kind of work one step of a stack is: chunks, multiply-adds, numbers.

    A weight costs three multiply-adds per row (forward, two products backward). Numbers are the
    inputs and hidden units of each row, embedded inputs several times, and ten passes over the
    weights for the optimiser.
    """
    net = NetworkSpec(recipe.shape, inputs)
    weights = parameter_count(net)
    tables = sum(inputs.categories) * recipe.shape.category_width
    numbers = batch * (net.body_inputs + sum(recipe.shape.hidden)) + 10 * weights
    if recipe.shape.numbers != "none":
        numbers += 3 * batch * inputs.numbers * recipe.shape.bins
    chunk = 1 if max(recipe.shape.hidden) >= ALONE_FROM else CHUNK
    products = 3.0 * batch * (weights - tables)
    return float(-(-members // chunk)), members * products, float(members * numbers)


def fit_cost(points: Sequence[Measured], inputs: Inputs) -> CostModel:
    """The cost model of some timed trainings: least squares of the relative errors.

    Each figure is held near its usual value where the points do not decide it, and above a tenth
    of it.

    Args:
        points: At least one.
        inputs: Of all of them.
    """
    usual = np.array([USUAL.overhead_s, USUAL.product_s, USUAL.number_s])
    rows = [
        np.array(work(point.recipe, inputs, point.batch, point.members)) * usual / point.step_s
        for point in points
    ]
    level = 1.0 / max(float(np.mean([row.sum() for row in rows])), 1e-9)  # how slow we are
    matrix = np.concatenate([np.stack(rows), _TRUST / level * np.eye(3)])
    target = np.concatenate([np.ones(len(rows)), _TRUST * np.ones(3)])
    factors = np.linalg.lstsq(matrix, target, rcond=None)[0]
    overhead, product, number = (usual * np.maximum(factors, 0.1 * level)).tolist()
    return CostModel(overhead, product, number)


def predict_seconds(
    model: CostModel,
    recipe: Recipe,
    inputs: Inputs,
    batch: int,
    steps: int,
    members: int = 1,
    evaluated: int = 0,
) -> float:
    """Seconds of one worker for a training, as a 90% quantile.

    Args:
        model: Measured, or `USUAL`.
        recipe: What is trained.
        inputs: Of the network.
        batch: Rows a step.
        steps: Steps of each member.
        members: Members of the stack.
        evaluated: Rows scored per member over the whole run; a forward pass is a third of a step.

    >>> small = predict_seconds(USUAL, Recipe(), Inputs(20, 0, (), 1), 256, 1_000)
    >>> small < predict_seconds(USUAL, Recipe(), Inputs(20, 0, (), 1), 256, 2_000)
    True
    """
    training = steps * model.step_s(recipe, inputs, batch, members)
    one_row = (model.step_s(recipe, inputs, 1024, members) - model.overhead_s) / 1024
    return Q90 * (training + evaluated * max(one_row, 0.0) / 3)
