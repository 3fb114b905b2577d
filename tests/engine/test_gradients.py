"""The written-out derivative of plain perceptrons equals autograd's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from justright.engine.contract import Candidate, Program, Weights
from justright.engine.torch_stack.controls import read_controls
from justright.engine.torch_stack.gradients import ByAutograd, WrittenOut, differentiator
from justright.engine.torch_stack.layout import make_layout
from justright.engine.torch_stack.noise import NoiseSource
from justright.engine.torch_stack.state import State, begin, join
from justright.engine.torch_stack.table import Table
from justright.nets.activations import ACTIVATIONS
from justright.nets.explicit import is_explicit
from justright.nets.forward import Noise
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import LossSpec
from justright.testing.backends import BATCH, ROWS, make_rows

KNOWN = sorted(name for name, a in ACTIVATIONS.items() if a.derivative is not None)


def make_states(program: Program, k: int) -> State:
    layout = make_layout(program)
    shapes = tensor_shapes(program.net)
    states = []
    for seed in range(k):
        rng = np.random.default_rng(seed)
        arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        for name, shape in buffer_shapes(program.net).items():
            edges = np.sort(rng.normal(size=shape), axis=-1)
            edges[0, 1] = edges[0, 0]  # a first bin without width
            edges[1, -2] = edges[1, -1]
            arrays[name] = edges
        states.append(begin(program, layout, Candidate(str(seed), seed, Weights(arrays))))
    return join(states)


def both_ways(program: Program, k: int, controls: dict[str, float]):
    """Loss and gradient of one step, by autograd and written out."""
    layout, state = make_layout(program), make_states(program, k)
    table = Table(make_rows(program.net, program.loss), torch.float64)
    found = []
    for way in (ByAutograd, WrittenOut):
        noise = NoiseSource(program, state.seeds, torch.float64)
        noise.begin(
            read_controls({n: np.full((k, 1), v) for n, v in controls.items()}, k, 1), state.steps
        )
        order = np.random.default_rng(3).integers(0, ROWS, k * BATCH).astype(np.int32)
        rows = table.gather(torch.from_numpy(order), (k, BATCH))
        gradient = torch.full_like(state.flat["p"], torch.nan)
        step = way(program, layout, state.flat["p"], state.kept, gradient)
        loss = step(rows, noise.at(0), controls.get("smoothing"))
        found.append((loss, gradient))
    return found


def check(program: Program, controls: dict[str, float], *, k: int = 3):
    assert is_explicit(program.net)
    (loss, gradient), (own_loss, own_gradient) = both_ways(program, k, controls)
    assert torch.allclose(loss, own_loss, rtol=1e-12, atol=1e-12)
    assert torch.allclose(gradient, own_gradient, rtol=1e-10, atol=1e-11)


def make_program(loss: LossSpec | None = None, outputs: int = 3, **changes) -> Program:
    shape = Shape(**{"hidden": (7, 5), "number_width": 3, "bins": 4, **changes})
    net = NetworkSpec(shape, Inputs(4, 2, (3, 4), outputs))
    return Program(net, loss or LossSpec(), "adamw", BATCH, dtype="float64")


@pytest.mark.parametrize("activation", KNOWN)
@pytest.mark.parametrize("dropout", ["plain", "alpha"])
def test_every_activation_and_dropout(activation: str, dropout: str) -> None:
    program = make_program(activation=activation, dropout=dropout)
    check(program, {"dropout": 0.3})
    check(program, {})


@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
@pytest.mark.parametrize("scale_layer", [True, False])
@pytest.mark.parametrize("k", [1, 2])
def test_every_entry(numbers: str, scale_layer: bool, k: int) -> None:
    program = make_program(numbers=numbers, scale_layer=scale_layer, activation="mish")
    check(program, {"mixup": 0.7, "dropout": 0.2}, k=k)
    check(program, {"dropout": 0.2}, k=k)


@pytest.mark.parametrize(
    "inputs", [Inputs(4, 0, (), 3), Inputs(0, 2, (5,), 3), Inputs(3, 2, (), 3)]
)
@pytest.mark.parametrize("numbers", ["periodic", "piecewise"])
@pytest.mark.parametrize("k", [1, 3])
def test_entries_of_numbers_or_categories_alone(inputs: Inputs, numbers: Any, k: int) -> None:
    shape = Shape(hidden=(7, 5), numbers=numbers, number_width=3, bins=4)
    check(
        Program(NetworkSpec(shape, inputs), LossSpec(), "adamw", BATCH, dtype="float64"), {}, k=k
    )


@pytest.mark.parametrize("numbers", ["periodic", "piecewise"])
def test_the_entry_learns_anew_in_every_step(numbers: str) -> None:
    program, k = make_program(numbers=numbers), 2
    layout, state = make_layout(program), make_states(program, k)
    table = Table(make_rows(program.net, program.loss), torch.float64)
    gradients = [torch.zeros_like(state.flat["p"]) for _ in range(2)]
    ways = [
        way(program, layout, state.flat["p"], state.kept, gradient)
        for way, gradient in zip((ByAutograd, WrittenOut), gradients, strict=True)
    ]
    for step in range(3):
        order = np.random.default_rng(step).integers(0, ROWS, k * BATCH).astype(np.int32)
        rows = table.gather(torch.from_numpy(order), (k, BATCH))
        for way in ways:
            way(rows, Noise(), None)
        assert torch.allclose(*gradients, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        (LossSpec("cross_entropy"), 1),
        (LossSpec("cross_entropy"), 4),
        (LossSpec("mse"), 2),
        (LossSpec("mae"), 1),
        (LossSpec("huber"), 3),
    ],
)
def test_every_loss(loss: LossSpec, outputs: int) -> None:
    check(make_program(loss, outputs), {"smoothing": 0.1})
    check(make_program(loss, outputs), {})


def test_other_networks_use_autograd() -> None:
    for changes in ({"body": "residual", "hidden": (4, 4)}, {"normaliser": "layer"}):
        program = make_program(**changes)
        layout, state = make_layout(program), make_states(program, 2)
        p = state.flat["p"]
        chosen = differentiator(program, layout, p, state.kept, torch.zeros_like(p))
        assert isinstance(chosen, ByAutograd)
