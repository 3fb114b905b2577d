"""Rate factors of each tensor, so that one learning rate serves all widths."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Literal

from justright.recipe.network import NetworkSpec, tensor_shapes
from justright.recipe.recipe import OptimiserName

REFERENCE_WIDTH = 256
"""Width at which a rate means what it says (assumption: RealMLP's width, so that its published
rates can be used as they are)."""

BIAS, SCALE, NUMBERS, CATEGORIES, NORM, SLOPE, MEMBERS = 0.1, 6.0, 0.1, 1.0, 0.1, 0.1, 0.1
"""Published for RealMLP (Holzmüller et al. 2024): biases, scale layer, number embeddings, slopes;
category embeddings: rows of unit length move like RealMLP's; normalisers: assumption; factors of
members: as other vectors (TabM's published 0.002 is 0.05 of RealMLP's rate; measured on three
tables, 0.1 to 3 are equal within noise)."""

_OF_PART = {
    "scale": SCALE,
    "members": MEMBERS,
    "numbers": NUMBERS,
    "categories": CATEGORIES,
    "norm": NORM,
}


def rate_factors(
    spec: NetworkSpec, rule: OptimiserName, parametrisation: Literal["width", "standard"]
) -> dict[str, float]:
    """Factor on the learning rate of every learned tensor.

    "standard" is 1 everywhere. "width" depends on the rule.

    Rules that divide by the gradient's size (Adam and its kin) move every weight by about the
    rate, so a matrix changes its output by rate × fan_in. RealMLP divides the forward pass by
    √fan_in, which in our storage is a factor 1/√fan_in, and leaves a drift of √width in the best
    rate (measured on two tables); matrices whose fan-in is a width therefore get √(256/fan_in)
    on top: 1/fan_in in all, the rule of Yang et al. 2021 for Adam.

    SGD moves a weight by rate × gradient. Where the head starts at zero the gradient of a hidden
    unit is of order 1/width, so (Yang et al. 2021, table 3) the matrices behind the inputs and
    the hidden biases need a factor in proportion to their fan-out, hidden matrices none, and the
    head one in proportion to 1/fan_in. Inputs' own fan-in is divided out as well, since a squared
    input vector grows with it. The loss is the mean over members, which divides the gradients of
    what a member has for itself; such rules make up for it, so that it learns as it would alone.

    Args:
        spec: The network.
        rule: The update rule.
        parametrisation: "width" or "standard".

    >>> from justright.recipe.network import Inputs, Shape
    >>> spec = NetworkSpec(Shape(hidden=(64, 64)), Inputs(16, 0, (), 1))
    >>> rate_factors(spec, "adamw", "width")["layers.0.weight"]
    0.25
    >>> rate_factors(spec, "adamw", "width")["layers.1.weight"]
    0.25
    """
    shapes = tensor_shapes(spec)
    if parametrisation == "standard":
        return dict.fromkeys(shapes, 1.0)
    first = "stem.weight" if spec.shape.body == "residual" else "layers.0.weight"
    matrix = _sgd_matrix if rule in ("sgd", "nesterov") else _adam_matrix
    bias = _sgd_bias if rule in ("sgd", "nesterov") else _adam_bias
    found = {name: _factor(name, shape, first, matrix, bias) for name, shape in shapes.items()}
    if rule in ("sgd", "nesterov"):
        own = [name for name in found if name.partition(".")[0] in ("members", "head")]
        found |= {name: spec.shape.members * found[name] for name in own}
    return found


def _factor(
    name: str,
    shape: tuple[int, ...],
    first: str,
    matrix: Callable[[str, tuple[int, ...], bool], float],
    bias: Callable[[str, int], float],
) -> float:
    part = name.partition(".")[0]
    if part in _OF_PART:
        return _OF_PART[part]
    if name.endswith(".slope"):
        return SLOPE
    if name.endswith(".bias"):
        return bias(name, shape[-1])
    return matrix(name, shape[-2:], name == first)


def _adam_matrix(_: str, shape: tuple[int, ...], is_first: bool) -> float:
    width = 1.0 if is_first else sqrt(REFERENCE_WIDTH / shape[0])
    return width / sqrt(shape[0])


def _adam_bias(_: str, __: int) -> float:
    return BIAS


def _sgd_matrix(name: str, shape: tuple[int, ...], is_first: bool) -> float:
    if is_first:
        return shape[1] / REFERENCE_WIDTH / sqrt(shape[0])
    return REFERENCE_WIDTH / shape[0] if name == "head.weight" else 1.0


def _sgd_bias(name: str, units: int) -> float:
    return 1.0 if name == "head.bias" else units / REFERENCE_WIDTH
