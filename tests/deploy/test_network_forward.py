"""The deployed forward pass against independent modules of PyTorch, in double precision."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from justright.core.codec import from_document, to_document
from justright.deploy.network import Network
from justright.recipe.network import (
    ActivationName,
    Inputs,
    NetworkSpec,
    Shape,
    buffer_shapes,
    tensor_shapes,
)

ROWS = 7
SOME_OF_ALL = Inputs(3, 2, (4, 6), 2)
MODULES = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "softplus": nn.Softplus(),
    "rrelu": nn.RReLU().eval(),
}


def _weights(spec: NetworkSpec, seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    shapes = tensor_shapes(spec) | buffer_shapes(spec)
    arrays = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    for name in arrays:
        if name.endswith(".var"):
            arrays[name] = np.abs(arrays[name]) + 0.5
        if name == "numbers.edges":
            arrays[name] = np.sort(arrays[name], axis=1)
    return arrays


def _inputs(inputs: Inputs, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(ROWS, inputs.numbers + inputs.indicators))
    c = [generator.integers(0, size, ROWS) for size in inputs.categories]
    return x, np.array(c, np.int32).reshape(len(inputs.categories), ROWS).T


def _reference(spec: NetworkSpec, w: dict[str, np.ndarray], x: np.ndarray, c: np.ndarray):
    """The same network made of PyTorch's own modules, one row and one column at a time."""
    shape, count = spec.shape, spec.inputs.numbers
    rows = []
    for row, codes in zip(x, c, strict=True):
        entry: list[float] = []
        for f in range(count):
            entry += _embedded(shape, w, f, row[f])
        entry += row[count:].tolist()
        for i, code in enumerate(codes):
            table = nn.Embedding.from_pretrained(torch.from_numpy(w[f"categories.{i}.weight"]))
            entry += table(torch.tensor(int(code))).tolist()
        rows.append(entry)
    h = torch.tensor(rows, dtype=torch.float64)
    if shape.scale_layer:
        h = h * torch.from_numpy(w["scale"])
    h = _body(spec, w, h)
    return _linear(w, "head")(h).detach().numpy()


def _embedded(shape: Shape, w: dict[str, np.ndarray], f: int, value: float) -> list[float]:
    if shape.numbers == "none":
        return [value]
    if shape.numbers == "periodic":
        wave = np.cos(2 * np.pi * w["numbers.frequency"][f] * value + w["numbers.phase"][f])
        return [*(wave @ w["numbers.weight"][f] + w["numbers.bias"][f]), value]
    edges, bins = w["numbers.edges"][f], shape.bins
    t = np.zeros(bins)
    for b in range(bins):
        width = edges[b + 1] - edges[b]
        if width > 0:
            t[b] = (value - edges[b]) / width
            t[b] = t[b] if b == 0 else max(t[b], 0.0)
            t[b] = t[b] if b == bins - 1 else min(t[b], 1.0)
    return list(t @ w["numbers.weight"][f] + w["numbers.bias"][f])


def _linear(w: dict[str, np.ndarray], name: str) -> nn.Linear:
    weight = w[f"{name}.weight"]
    module = nn.Linear(*weight.shape, dtype=torch.float64)
    module.weight.data = torch.from_numpy(weight.T.copy())
    module.bias.data = torch.from_numpy(w[f"{name}.bias"])
    return module


def _normaliser(kind: str, w: dict[str, np.ndarray], i: int) -> nn.Module:
    if kind == "none":
        return nn.Identity()
    gain, bias = torch.from_numpy(w[f"norm.{i}.gain"]), torch.from_numpy(w[f"norm.{i}.bias"])
    module: nn.Module
    if kind == "layer":
        module = nn.LayerNorm(len(gain), dtype=torch.float64)
    else:
        module = nn.BatchNorm1d(len(gain), dtype=torch.float64)
        module.running_mean = torch.from_numpy(w[f"norm.{i}.mean"])
        module.running_var = torch.from_numpy(w[f"norm.{i}.var"])
    module.weight.data, module.bias.data = gain, bias
    return module.eval()


def _activation(shape: Shape, w: dict[str, np.ndarray], i: int) -> nn.Module:
    if shape.activation != "prelu":
        return MODULES[shape.activation]
    slope = torch.from_numpy(w[f"layers.{i}.slope"])
    module = nn.PReLU(len(slope), dtype=torch.float64)
    module.weight.data = slope
    return module


def _body(spec: NetworkSpec, w: dict[str, np.ndarray], h: torch.Tensor) -> torch.Tensor:
    shape = spec.shape
    if shape.body == "residual":
        h = _linear(w, "stem")(h)
    for i in range(len(shape.hidden)):
        layer, act = _linear(w, f"layers.{i}"), _activation(shape, w, i)
        norm = _normaliser(shape.normaliser, w, i)
        if shape.body == "residual":
            h = h + nn.Sequential(norm, layer, act, _linear(w, f"layers.{i}.out"))(h)
        else:
            h = nn.Sequential(layer, norm, act)(h)
    return h


def _check(shape: Shape, inputs: Inputs = SOME_OF_ALL) -> None:
    spec = NetworkSpec(shape, inputs)
    weights = _weights(spec)
    x, c = _inputs(inputs)
    found = Network(to_document(spec), weights).outputs(x, c, batch=3)
    expected = _reference(spec, weights, x, c)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("activation", get_args(ActivationName))
@pytest.mark.parametrize("body", ["mlp", "residual"])
def test_activations(activation, body):
    _check(Shape(body=body, hidden=(5, 5), activation=activation, category_width=3))


@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
@pytest.mark.parametrize("normaliser", ["none", "layer", "batch"])
@pytest.mark.parametrize("body", ["mlp", "residual"])
def test_embeddings_and_normalisers(numbers, normaliser, body):
    _check(
        Shape(
            body=body,
            hidden=(6, 6, 6),
            normaliser=normaliser,
            numbers=numbers,
            bins=5,
            number_width=3,
            scale_layer=normaliser != "layer",
        )
    )


@pytest.mark.parametrize(
    "inputs",
    [Inputs(0, 2, (), 1), Inputs(2, 0, (), 1), Inputs(0, 0, (5,), 3), Inputs(1, 1, (2, 2), 1)],
)
@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
def test_kinds_of_inputs(inputs, numbers):
    _check(Shape(hidden=(4,), numbers=numbers, bins=3, number_width=2), inputs)


def _chances(outputs: np.ndarray) -> np.ndarray:
    """Probabilities of classes; one output is the log-odds of the second."""
    if outputs.shape[1] == 1:
        outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
    return torch.softmax(torch.from_numpy(outputs), 1).numpy()


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("body", ["mlp", "residual"])
def test_members_are_networks_whose_predictions_are_averaged(body, outputs):
    shape = Shape(body=body, hidden=(5, 5), numbers="periodic", bins=3, normaliser="layer")
    inputs = replace(SOME_OF_ALL, outputs=outputs)
    spec = NetworkSpec(replace(shape, members=3), inputs)
    weights, (x, c) = _weights(spec), _inputs(inputs)
    alone = []
    for member in range(3):
        own = {name: weights[name][member] for name in ("head.weight", "head.bias")}
        own["scale"] = weights["scale"] * weights["members.scale"][member]
        alone.append(_reference(NetworkSpec(shape, inputs), weights | own, x, c))
    values = Network(to_document(spec), weights).outputs(x, c, batch=3)
    np.testing.assert_allclose(values, np.mean(alone, axis=0), rtol=1e-11, atol=1e-11)
    logits = Network(to_document(spec), weights, classes=True).outputs(x, c, batch=3)
    expected = np.mean([_chances(each) for each in alone], axis=0)
    np.testing.assert_allclose(_chances(logits), expected, rtol=1e-11, atol=1e-13)


def test_a_folder_from_before_there_were_members_is_read():
    spec = NetworkSpec(Shape(hidden=(4,)), Inputs(2, 0, (), 3))
    document, weights, x = to_document(spec), _weights(spec), np.ones((2, 2))
    older = {**document, "shape": {k: v for k, v in document["shape"].items() if k != "members"}}
    none = np.zeros((2, 0), np.int32)
    expected = Network(document, weights).outputs(x, none)
    np.testing.assert_array_equal(Network(older, weights, classes=True).outputs(x, none), expected)
    assert from_document(NetworkSpec, older) == spec


def test_no_hidden_layer_is_a_linear_model():
    _check(Shape(hidden=()), Inputs(3, 1, (), 2))


@pytest.mark.parametrize("bins", [1, 4])
def test_bins_without_width_give_nothing(bins):
    spec = NetworkSpec(
        Shape(hidden=(), numbers="piecewise", bins=bins, number_width=2, scale_layer=False),
        Inputs(1, 0, (), 2),
    )
    weights = _weights(spec) | {"numbers.edges": np.zeros((1, bins + 1))}
    found = Network(to_document(spec), weights).outputs(
        np.array([[-5.0], [0.0], [9.0]]), np.zeros((3, 0), np.int32)
    )
    expected = weights["numbers.bias"][0] @ weights["head.weight"] + weights["head.bias"]
    np.testing.assert_allclose(found, np.tile(expected, (3, 1)))


def test_no_rows():
    spec = NetworkSpec(Shape(hidden=(4,)), Inputs(2, 0, (), 3))
    network = Network(to_document(spec), _weights(spec))
    assert network.outputs(np.zeros((0, 2)), np.zeros((0, 0), np.int32)).shape == (0, 3)
