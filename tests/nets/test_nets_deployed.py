"""The stacked forward pass gives the outputs of the file that ships with every model."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from justright.core.codec import to_document
from justright.deploy.network import Network
from justright.engine.contract import Candidate, Program, Span, Weights
from justright.engine.torch_stack.backend import TorchBackend
from justright.nets.activations import ACTIVATIONS
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import LossSpec
from justright.testing.backends import ROWS, make_rows


@st.composite
def networks(draw: st.DrawFn) -> NetworkSpec:
    body = draw(st.sampled_from(["mlp", "residual"]))
    width, depth = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    hidden = (width,) * depth
    if body == "mlp":
        hidden = tuple(draw(st.integers(1, 7)) for _ in range(depth))
    inputs = Inputs(
        numbers=draw(st.integers(0, 3)),
        indicators=draw(st.integers(0, 2)),
        categories=tuple(draw(st.lists(st.integers(1, 5), max_size=3))),
        outputs=draw(st.integers(1, 4)),
    )
    if inputs.numbers + inputs.indicators + len(inputs.categories) == 0:
        inputs = Inputs(1, 0, (), inputs.outputs)
    shape = Shape(
        body=body,
        hidden=hidden,
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))),
        normaliser=draw(st.sampled_from(["none", "layer", "batch"])),
        numbers=draw(st.sampled_from(["none", "periodic", "piecewise"])),
        bins=draw(st.integers(1, 5)),
        number_width=draw(st.integers(2, 4)),
        category_width=draw(st.integers(1, 4)),
        scale_layer=draw(st.booleans()),
        members=draw(st.integers(1, 3)),
    )
    return NetworkSpec(shape, inputs)


def random_weights(spec: NetworkSpec, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape) for name, shape in tensor_shapes(spec).items()}
    for name, shape in buffer_shapes(spec).items():
        arrays[name] = rng.uniform(0.5, 2.0, size=shape)
        if name == "numbers.edges":  # sorted, with a bin of no width
            edges = np.sort(rng.normal(size=shape), axis=1)
            edges[:, 1] = edges[:, 0]
            arrays[name] = edges
    return arrays


@given(networks(), st.integers(0, 100), st.booleans())
@settings(max_examples=80)
def test_outputs_equal_the_deployed_network(spec: NetworkSpec, seed: int, classes: bool) -> None:
    loss = LossSpec("cross_entropy" if classes else "mse")
    program = Program(spec, loss, "adamw", batch=4, dtype="float64")
    data = make_rows(spec, loss, seed)
    starts = [random_weights(spec, seed + i) for i in range(3)]
    candidates = [Candidate(str(i), i, Weights(start)) for i, start in enumerate(starts)]
    stack = TorchBackend().open(program, data, candidates)
    outputs = stack.outputs(np.arange(ROWS))
    assert outputs.shape == (3, ROWS, spec.inputs.outputs)
    for i, start in enumerate(starts):
        expected = Network(to_document(spec), start, classes).outputs(data.x, data.c)
        assert np.allclose(outputs[i], expected, rtol=1e-9, atol=1e-9)


@given(networks())
@settings(max_examples=40)
def test_every_network_trains_without_a_warning(spec: NetworkSpec) -> None:
    loss = LossSpec("mse")
    program = Program(spec, loss, "adamw", batch=8)
    stack = TorchBackend().open(
        program, make_rows(spec, loss), [Candidate(str(i), i) for i in (0, 1)]
    )
    ones = np.ones((2, 3))
    controls = {
        "rate": 0.01 * ones,
        "dropout": 0.3 * ones,
        "stochastic_depth": 0.2 * ones,
        "mixup": 0.7 * ones,
        "ema": 0.5 * ones,
        "clip": ones,
    }
    order = np.random.default_rng(0).integers(0, ROWS, (2, 3, 8)).astype(np.int32)
    trace = stack.advance(Span(order, controls, health_every=1))
    assert np.isfinite(trace.loss).all()
    assert torch.is_grad_enabled()
