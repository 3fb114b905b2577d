"""Dropout on the last layers and on inputs, and noise on numbers: what they do, and for whom.

Claims: a layer in front of the last ones is left as it is, whatever kind the dropout is of; an
input is silenced with all that it is embedded in, and its mean is kept; noise is normal, of the
size asked for, on numbers alone; with a linear network the expected loss under noise is that of
ridge regression (Bishop 1995); the written-out derivative of all of it equals autograd's; what one
candidate asks for changes nothing for its neighbours, nor does the stack change what it gets.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from test_gradients import check, make_program

from justright.engine.contract import Candidate, Program, Weights
from justright.engine.torch_stack.backend import TorchBackend
from justright.engine.torch_stack.controls import read_controls
from justright.engine.torch_stack.noise import NoiseSource
from justright.nets.forward import Noise, StackedNet
from justright.nets.masks import kept_levels
from justright.recipe.network import Inputs, NetworkSpec, Shape, tensor_shapes
from justright.recipe.recipe import LossSpec
from justright.testing.backends import BATCH, cut, make_rows, make_span

INPUTS = Inputs(4, 2, (3, 5), 1)
ROWS, STEPS = 128, 40


def make_noise(shape: Shape, inputs: Inputs = INPUTS, k: int = 2, **controls) -> list[Noise]:
    """Noise of some steps; a control is one number for all or one for each candidate."""
    program = Program(NetworkSpec(shape, inputs), LossSpec("mse"), "adamw", ROWS)
    source = NoiseSource(program, tuple(range(1, k + 1)), torch.float64)
    arrays = {
        name: np.broadcast_to(np.reshape(value, (-1, 1)), (k, STEPS)).astype(float)
        for name, value in controls.items()
    }
    source.begin(read_controls(arrays, k, STEPS), np.arange(k) * 7)
    return [source.at(step) for step in range(STEPS)]


@pytest.mark.parametrize("kind", ["plain", "alpha"])
@pytest.mark.parametrize("layers", [1, 2])
def test_only_the_last_layers_have_dropout(kind: str, layers: int) -> None:
    shape = Shape(hidden=(8, 16, 4), dropout=kind)
    everywhere = make_noise(shape, dropout=0.3)
    last = make_noise(shape, dropout=0.3, dropout_layers=layers)
    for noise, usual in zip(last, everywhere, strict=True):
        for index in range(3):
            found, expected = noise.kept(index), usual.kept(index)
            if index < 3 - layers:
                assert found == (None, None)
            else:
                assert torch.equal(found[0], expected[0])
                assert (found[1] is None) == (kind == "plain")
                assert found[1] is None or torch.equal(found[1], expected[1])


@pytest.mark.parametrize("kind", ["plain", "alpha"])
def test_candidates_of_a_stack_have_dropout_where_each_asks_for_it(kind: str) -> None:
    shape = Shape(hidden=(8, 16, 4), dropout=kind)
    layers = [np.inf, 1, 2]
    together = make_noise(shape, k=3, dropout=[0.3, 0.3, 0.0], dropout_layers=layers)[0]
    usual = make_noise(shape, k=3, dropout=[0.3, 0.3, 0.0])[0]
    for index in range(3):
        (keep, shift), (expected, moved) = together.kept(index), usual.kept(index)
        assert keep is not None
        assert torch.equal(keep[0], expected[0])
        assert torch.equal(keep[1], expected[1]) == (index == 2)
        assert (keep[2] == 1.0).all()
        if shift is not None:
            assert torch.equal(shift[0], moved[0])
            assert (shift[1] == 0.0).all() == (index < 2)
            assert (shift[2] == 0.0).all()


def test_no_layer_is_as_no_dropout() -> None:
    assert make_noise(Shape(hidden=(8, 4)), dropout=0.3, dropout_layers=0)[0] == Noise()


@pytest.mark.parametrize("numbers", ["none", "periodic"])
def test_an_input_is_silenced_as_a_whole(numbers: str) -> None:
    shape = Shape(hidden=(8,), numbers=numbers, number_width=3, category_width=2)
    width = 3 if numbers == "periodic" else 1
    masks = torch.stack([n.inputs for n in make_noise(shape, input_dropout=0.25)])
    assert masks.shape == (STEPS, 2, ROWS, 4 * width + 2 + 2 * 2)
    exact = kept_levels(0.25) / 256
    assert set(masks.unique().tolist()) == {0.0, 1 / exact}
    widths = [width] * 4 + [1] * 2 + [2] * 2
    parts = torch.split(masks, widths, dim=-1)
    for part in parts:
        assert torch.equal(part, part[..., :1].expand_as(part))
    firsts = torch.stack([part[..., 0] for part in parts], dim=-1).flatten(0, 2)
    assert torch.allclose(firsts.mean(0), torch.ones(8, dtype=torch.float64), atol=0.03)
    assert float(torch.corrcoef(firsts.T).fill_diagonal_(0).abs().max()) < 0.05


@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
def test_a_silenced_input_says_nothing_and_the_others_are_scaled(numbers: str) -> None:
    """Whatever stands in a column that is silenced, the outputs are the same."""
    shape = Shape(hidden=(8,), numbers=numbers, number_width=3, bins=4)
    net = NetworkSpec(shape, INPUTS)
    program = Program(net, LossSpec("mse"), "adamw", BATCH, dtype="float64")
    noise = make_noise(shape, k=1, input_dropout=0.5)[0]
    rng = np.random.default_rng(0)
    learned = {n: s for n, s in tensor_shapes(net).items() if not n.startswith("categories")}
    tensors = {name: torch.from_numpy(rng.normal(size=(1, *s))) for name, s in learned.items()}
    tensors["categories"] = torch.from_numpy(rng.normal(size=(1, 8, shape.category_width)))
    edges = torch.linspace(-2, 2, 5, dtype=torch.float64).expand(1, 4, 5)
    buffers = {"numbers.edges": edges}
    x = torch.from_numpy(rng.normal(size=(1, ROWS, 6)))
    c = torch.from_numpy(rng.integers(0, 3, (1, ROWS, 2)))
    run = StackedNet(program.net)
    base = run(tensors, buffers, x, c, noise)
    entry, plain = (
        run.entry(tensors, buffers, x, c, noise),
        run.entry(tensors, buffers, x, c, None),
    )
    kept = noise.inputs != 0
    assert torch.allclose(entry, torch.where(kept, 2.0 * plain, 0.0))
    width = 1 if numbers == "none" else 3
    for column in range(6):
        changed = x.clone()
        changed[..., column] += 1.0
        place = column * width if column < 4 else 4 * width + column - 4
        moved = (run(tensors, buffers, changed, c, noise) != base).any(dim=-1)
        assert not (moved & ~kept[..., place]).any()
        assert moved.any()


def test_noise_is_normal_and_on_numbers_alone() -> None:
    shape = Shape(hidden=(8,), members=2)
    found = make_noise(shape, k=2, input_noise=[0.2, 0.5])
    values = torch.stack([noise.jitter for noise in found])
    assert values.shape == (STEPS, 2, ROWS, 4)  # members of a row see the same numbers
    for row, size in enumerate((0.2, 0.5)):
        assert kstest(values[:, row].flatten().numpy() / size, "norm").pvalue > 1e-3
    flat = values[:, 0].flatten(0, 1)
    assert float(torch.corrcoef(flat.T).fill_diagonal_(0).abs().max()) < 0.05
    assert not torch.equal(values[0], values[1])


def test_without_numbers_there_is_no_noise() -> None:
    assert make_noise(Shape(hidden=(8,)), Inputs(0, 2, (3,), 1), input_noise=0.3)[0] == Noise()


def test_noise_on_inputs_is_ridge_regression() -> None:
    """The mean gradient of a linear network is that of the loss plus σ² |w|² (Bishop 1995)."""
    size, net = 0.3, NetworkSpec(Shape(hidden=(1,), scale_layer=False), Inputs(3, 0, (), 1))
    program = Program(net, LossSpec("mse"), "sgd", ROWS, "standard", dtype="float64")
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 1))
    # a bias so large that ReLU never cuts: the network is linear
    arrays = {"layers.0.weight": w, "layers.0.bias": np.full(1, 50.0),
              "head.weight": np.ones((1, 1)), "head.bias": np.full(1, -50.0)}  # fmt: skip
    data = make_rows(net, program.loss)
    rows = np.arange(len(data))
    k = 400
    candidates = [Candidate(str(i), i, Weights(arrays)) for i in range(k)]
    span = make_span(k, 1, rate=1.0, shrink=0.0, ema=0.0, beta1=0.0, input_noise=size)
    order = np.broadcast_to(np.resize(rows, ROWS).astype(np.int32), (k, 1, ROWS)).copy()
    span = type(span)(order, span.controls)
    stack = TorchBackend().open(program, data, candidates)
    stack.advance(span)
    found = np.stack([w - stack.weights(str(i)).arrays["layers.0.weight"] for i in range(k)])
    seen = data.batch(order[0, 0])
    x, y = np.asarray(seen["x"], float), np.asarray(seen["y"], float)
    share = np.asarray(seen["w"], float)[:, None]
    quiet = 2 * x.T @ (share * (x @ w - y)) / share.sum()
    error = found.std(0) / np.sqrt(k)
    assert (np.abs(found.mean(0) - quiet - 2 * size**2 * w) < 4 * error).all()
    assert (np.abs(found.mean(0) - quiet) > 8 * error).any()


CONTROLS = {"dropout": 0.3, "dropout_layers": 1, "input_dropout": 0.4, "input_noise": 0.3}


@pytest.mark.parametrize("numbers", ["none", "periodic", "piecewise"])
@pytest.mark.parametrize("activation", ["relu", "selu", "mish"])
@pytest.mark.parametrize("members", [1, 3])
def test_the_written_out_derivative_is_autograds(
    numbers: str, activation: str, members: int
) -> None:
    program = make_program(numbers=numbers, activation=activation, members=members)
    check(program, CONTROLS)
    check(program, CONTROLS, k=1)
    check(program, CONTROLS | {"mixup": 0.7})


@pytest.mark.parametrize(
    "shape",
    [
        {"hidden": (8, 6), "numbers": "periodic", "activation": "selu"},
        {"hidden": (8, 8), "body": "residual", "normaliser": "layer"},
        {"hidden": (8, 6), "members": 2},
    ],
    ids=["plain", "residual", "members"],
)
def test_what_one_candidate_asks_for_is_its_own(shape: dict) -> None:
    """In a stack a candidate trains as by itself; without noise, as if there were none."""
    net = NetworkSpec(Shape(**shape), INPUTS)
    program = Program(net, LossSpec("mse"), "adamw", BATCH, dtype="float64")
    data = make_rows(net, program.loss)

    def trained(span, ids: str) -> dict:
        stack = TorchBackend().open(program, data, [Candidate(id, ord(id)) for id in ids])
        assert np.isfinite(stack.advance(span).loss).all()
        return {id: stack.weights(id).arrays for id in ids}

    columns = {
        "dropout": [0.3, 0.3, 0.3],
        "dropout_layers": [1, np.inf, np.inf],
        "input_dropout": [0.4, 0.0, 0.0],
        "input_noise": [0.0, 0.3, 0.0],
    }
    spread = {name: np.repeat(np.array(v)[:, None], 12, axis=1) for name, v in columns.items()}
    span = make_span(3, 12, **spread)
    together = trained(span, "abc")
    for place, id in enumerate("abc"):
        alone = trained(cut(span, 0, 12, rows=[place]), id)[id]
        for name, values in alone.items():
            assert np.allclose(values, together[id][name], atol=1e-9), (id, name)
    quiet = trained(make_span(3, 12, dropout=0.3), "abc")
    for id, same in (("a", False), ("b", False), ("c", True)):
        equal = np.allclose(quiet[id]["head.weight"], together[id]["head.weight"], atol=1e-9)
        assert equal == same, id


def test_a_span_may_be_cut_anywhere() -> None:
    net = NetworkSpec(Shape(hidden=(8, 6), numbers="periodic"), INPUTS)
    program = Program(net, LossSpec("mse"), "adamw", BATCH, dtype="float64")
    data, ids = make_rows(net, program.loss), [Candidate(id, ord(id)) for id in "ab"]
    whole, parts = (TorchBackend().open(program, data, ids) for _ in range(2))
    span = make_span(2, 40, **CONTROLS)
    whole.advance(span)
    for begin, end in ((0, 3), (3, 33), (33, 40)):
        parts.advance(cut(span, begin, end))
    for name, values in whole.weights("b").arrays.items():
        assert np.allclose(values, parts.weights("b").arrays[name], atol=1e-12), name
