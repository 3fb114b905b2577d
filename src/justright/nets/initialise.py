"""First values of every tensor, drawn by (seed, name): alone or stacked, they are the same."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed
from justright.nets.activations import ACTIVATIONS, PRELU_START
from justright.recipe.network import NetworkSpec, buffer_shapes, tensor_shapes

Floats = npt.NDArray[np.float64]


def initial_tensors(spec: NetworkSpec, seed: int) -> dict[str, Floats]:
    """Start values of every learned tensor of one network.

    Matrices are normal with the deviation of their activation (He, LeCun or Glorot), biases and
    the head's weights zero, so that the untrained network says its head bias: the prior
    (RealMLP's last layer starts at zero too, Holzmüller et al. 2024). Periodic frequencies are
    ``N(0, sigma)``, phases uniform, embeddings as in Gorishniy et al. 2022. The members' factors
    are random signs, or normal where numbers are embedded, and one for all inputs that a column
    became (as in the published code of Gorishniy et al. 2024): what makes members differ, since
    their heads start alike.

    Args:
        spec: The network.
        seed: Each tensor draws from its own child seed, so adding one changes no other.
    """
    return {
        name: _draw(spec, name, shape, np.random.default_rng(child_seed(seed, "init", name)))
        for name, shape in tensor_shapes(spec).items()
    }


def initial_buffers(spec: NetworkSpec) -> dict[str, Floats]:
    """Start values of what is kept but not learned: unit statistics, bin edges over [-3, 3].

    The edges are a stand-in for the quantiles of the training rows, which callers hand in as
    the start of a candidate.
    """
    buffers: dict[str, Floats] = {}
    for name, shape in buffer_shapes(spec).items():
        if name == "numbers.edges":
            buffers[name] = np.tile(np.linspace(-3.0, 3.0, shape[1]), (shape[0], 1))
        else:
            buffers[name] = np.ones(shape) if name.endswith(".var") else np.zeros(shape)
    return buffers


def _draw(
    spec: NetworkSpec, name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    part, _, kind = name.partition(".")
    if part == "categories":
        return rng.normal(size=shape) / sqrt(shape[1])  # rows of unit length
    if part == "numbers":
        return _draw_number(spec, kind, shape, rng)
    if name == "members.scale":
        return _draw_members(spec, rng)
    if name == "scale" or name.endswith(".gain"):
        return np.ones(shape)
    if name.endswith(".slope"):
        return np.full(shape, PRELU_START)
    if name.endswith(".bias") or part == "head":
        return np.zeros(shape)
    if part == "stem" or name.endswith(".out.weight"):
        return rng.normal(size=shape) / sqrt(shape[0])  # no activation follows: LeCun
    deviation = ACTIVATIONS[spec.shape.activation].deviation(shape[0], shape[1])
    return rng.normal(size=shape) * deviation


def _draw_members(spec: NetworkSpec, rng: np.random.Generator) -> Floats:
    """Factors ``[members, inputs]``; each indicator counts as a column of its own."""
    shape, inputs = spec.shape, spec.inputs
    embedded = shape.numbers != "none" and inputs.numbers > 0
    widths = [shape.number_width if embedded else 1] * inputs.numbers + [1] * inputs.indicators
    widths += [shape.category_width] * len(inputs.categories)
    size = (shape.members, len(widths))
    drawn = rng.normal(size=size) if embedded else rng.choice((-1.0, 1.0), size=size)
    return np.repeat(drawn, widths, axis=1)


def _draw_number(
    spec: NetworkSpec, kind: str, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    if kind == "frequency":
        return rng.normal(size=shape) * spec.shape.sigma
    if kind == "phase":
        return rng.uniform(-pi, pi, size=shape)
    bound = 1 / sqrt(spec.shape.bins)
    return rng.uniform(-bound, bound, size=shape)
