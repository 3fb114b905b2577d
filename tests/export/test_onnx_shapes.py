"""Every network that the deployed file can compute, in ONNX: the same numbers."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import random_weights

from justright.core.codec import to_document
from justright.deploy.network import Network
from justright.export.body import Body
from justright.export.graph import Graph
from justright.recipe.network import (
    ActivationName,
    Inputs,
    NetworkSpec,
    Normaliser,
    NumberEmbedding,
    Shape,
)
from justright.recipe.network import (
    Body as BodyName,
)

ROWS = 9
SOME_OF_ALL = Inputs(3, 2, (4, 6), 2)


def in_onnx(
    spec: NetworkSpec, weights: dict[str, np.ndarray], x: Any, c: Any, classes: bool = False
) -> np.ndarray:
    """Outputs of the network by onnxruntime, for features handed in column by column."""
    names = [f"x{i}" for i in range(x.shape[1])]
    places = [f"c{i}" for i in range(c.shape[1])]
    graph = Graph(onnx, dict.fromkeys(names + places, (False, "")))
    features = [graph.add("Unsqueeze", name, np.array([1])) for name in names]
    body = Body(graph, to_document(spec), weights, classes=classes)
    entry = graph.joined(features) if features else None
    found = body.outputs(entry, [graph.to_whole(name) for name in places])
    columns = 2 if classes and spec.inputs.outputs == 1 else spec.inputs.outputs
    graph.output("found", found, "DOUBLE", ("rows", columns), "")
    content = graph.file("", "", {})
    onnx.checker.check_model(content, full_check=True)
    opened = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = {name: x[:, i] for i, name in enumerate(names)}
    feeds |= {name: c[:, i].astype(np.float64) for i, name in enumerate(places)}
    return opened.run(None, feeds)[0]


def check(shape: Shape, inputs: Inputs = SOME_OF_ALL, tolerance: float = 1e-12) -> None:
    spec = NetworkSpec(shape, inputs)
    weights = random_weights(spec)
    generator = np.random.default_rng(1)
    x = generator.normal(size=(ROWS, inputs.numbers + inputs.indicators))
    x[0] = 0.0
    codes = [generator.integers(0, size, ROWS) for size in inputs.categories]
    c = np.array(codes, np.int32).reshape(len(inputs.categories), ROWS).T
    expected = Network(to_document(spec), weights).outputs(x, c)
    assert np.ptp(expected) > 1e-3  # a network that says the same of all rows checks nothing
    found = in_onnx(spec, weights, x, c)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("activation", get_args(ActivationName))
@pytest.mark.parametrize("body", get_args(BodyName))
def test_activations(activation, body):
    tolerance = {"gelu": 1e-6, "mish": 3e-9, "softplus": 3e-9}.get(activation, 1e-12)
    check(
        Shape(body=body, hidden=(5, 5), activation=activation, category_width=3),
        tolerance=tolerance,
    )


shapes = st.builds(
    Shape,
    body=st.sampled_from(get_args(BodyName)),
    hidden=st.integers(1, 3).map(lambda depth: (6,) * depth),
    activation=st.sampled_from(["relu", "selu", "silu", "prelu"]),
    normaliser=st.sampled_from(get_args(Normaliser)),
    numbers=st.sampled_from(get_args(NumberEmbedding)),
    bins=st.integers(2, 5),
    number_width=st.integers(2, 4),
    category_width=st.integers(1, 3),
    scale_layer=st.booleans(),
    members=st.sampled_from([1, 1, 3]),
)
sizes = st.builds(
    Inputs,
    numbers=st.integers(0, 3),
    indicators=st.integers(0, 2),
    categories=st.lists(st.integers(1, 5), max_size=2).map(tuple),
    outputs=st.integers(1, 3),
).filter(lambda inputs: inputs.numbers + inputs.indicators > 0)


@settings(max_examples=60)
@given(shapes, sizes)
def test_shapes_and_inputs(shape, inputs):
    check(shape, inputs, tolerance=1e-10)


@pytest.mark.parametrize("numbers", get_args(NumberEmbedding))
@pytest.mark.parametrize("inputs", [Inputs(0, 0, (5,), 3), Inputs(2, 0, (), 1)])
def test_only_categories_or_only_numbers(numbers, inputs):
    check(Shape(hidden=(4,), numbers=numbers, bins=3, number_width=2), inputs)


def test_no_hidden_layer():
    check(Shape(hidden=()), Inputs(3, 1, (), 2))


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("members", [1, 4])
def test_probabilities_are_the_mean_of_the_members(outputs, members):
    shape = Shape(hidden=(6,), members=members)
    spec = NetworkSpec(shape, Inputs(3, 0, (), outputs))
    weights, x = random_weights(spec), np.random.default_rng(2).normal(size=(ROWS, 3))
    c = np.zeros((ROWS, 0), np.int32)
    logits = Network(to_document(spec), weights, True).outputs(x, c)
    found = in_onnx(spec, weights, x, c, classes=True)
    if outputs == 1:
        np.testing.assert_allclose(found[:, 1] - found[:, 0], logits[:, 0], rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_allclose(found, logits, rtol=1e-12, atol=1e-12)


def test_weights_far_from_rest():
    """Exponentials of large sums must not overflow into what is not chosen."""
    for activation in ("elu", "selu", "softplus", "mish", "silu", "gelu"):
        spec = NetworkSpec(Shape(hidden=(4,), activation=activation), Inputs(1, 0, (), 1))
        weights = random_weights(spec)
        x = np.array([[-3.0], [0.0], [1e4], [-1e4], [1e300]])
        c = np.zeros((len(x), 0), np.int32)
        expected = Network(to_document(spec), weights).outputs(x, c)
        np.testing.assert_allclose(in_onnx(spec, weights, x, c), expected, rtol=1e-6, atol=1e-6)
