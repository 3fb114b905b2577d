"""Members against networks written out one member after the other with torch's own layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from justright.engine.contract import Candidate, Program, Span, Weights
from justright.engine.torch_stack.backend import TorchBackend
from justright.engine.torch_stack.controls import read_controls
from justright.engine.torch_stack.gradients import ByAutograd, WrittenOut
from justright.engine.torch_stack.layout import make_layout
from justright.engine.torch_stack.noise import NoiseSource
from justright.engine.torch_stack.state import begin, join
from justright.engine.torch_stack.table import Table
from justright.nets.explicit import is_explicit
from justright.nets.forward import Noise
from justright.nets.initialise import initial_tensors
from justright.nets.rates import rate_factors
from justright.recipe.network import Inputs, NetworkSpec, Shape, tensor_shapes
from justright.recipe.recipe import LossSpec
from justright.testing.backends import BATCH, ROWS, MadeRows, make_rows, make_span

MEMBERS, K = 3, 2
LOSSES = [
    (LossSpec("cross_entropy"), 1),
    (LossSpec("cross_entropy"), 4),
    (LossSpec("mse"), 2),
    (LossSpec("mae"), 1),
    (LossSpec("huber", delta=0.5), 2),
]
SHAPES = [
    {"activation": "tanh"},
    {"activation": "mish", "numbers": "periodic"},
    {"activation": "relu", "numbers": "piecewise", "scale_layer": False},
    {"activation": "selu", "hidden": (5,)},
    {"activation": "tanh", "body": "residual", "hidden": (6, 6), "normaliser": "layer"},
    {"activation": "silu", "normaliser": "batch"},
    {"activation": "prelu"},
]


def make_program(loss: LossSpec | None = None, outputs: int = 3, **changes) -> Program:
    chosen = {"hidden": (7, 5), "bins": 4, "number_width": 3, "members": MEMBERS, **changes}
    net = NetworkSpec(Shape(**chosen), Inputs(4, 1, (3, 2), outputs))
    return Program(net, loss or LossSpec(), "adamw", BATCH, dtype="float64")


def random_weights(program: Program, seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    shapes = tensor_shapes(program.net)
    return Weights({name: rng.normal(size=shape) for name, shape in shapes.items()})


Tensors = dict[str, torch.Tensor]


def embedded(spec: NetworkSpec, w: Tensors, x: torch.Tensor) -> torch.Tensor:
    """Number columns, one by one; bin edges are the initial ones: even over [-3, 3]."""
    shape, parts = spec.shape, []
    for column in range(spec.inputs.numbers):
        value = x[:, column : column + 1]
        if shape.numbers == "none":
            parts.append(value)
            continue
        if shape.numbers == "periodic":
            angle = 2 * torch.pi * value * w["numbers.frequency"][column]
            features = torch.cos(angle + w["numbers.phase"][column])
        else:
            place = (value + 3) * shape.bins / 6 - torch.arange(shape.bins)
            bounded = place.clamp(0, 1)
            bounded[:, 0], bounded[:, -1] = place[:, 0].clamp(max=1), place[:, -1].clamp(min=0)
            features = bounded
        learned = features @ w["numbers.weight"][column] + w["numbers.bias"][column]
        parts += [learned, value] if shape.numbers == "periodic" else [learned]
    return torch.cat(parts, 1)


def linear(w: Tensors, name: str, h: torch.Tensor) -> torch.Tensor:
    return functional.linear(h, w[f"{name}.weight"].T, w[f"{name}.bias"])


def activated(spec: NetworkSpec, w: Tensors, i: int, z: torch.Tensor) -> torch.Tensor:
    if spec.shape.activation == "prelu":
        return functional.prelu(z, w[f"layers.{i}.slope"])
    return getattr(functional, spec.shape.activation)(z)


def all_members(
    spec: NetworkSpec, w: Tensors, x, c, share: float | None = None, keep=None
) -> torch.Tensor:
    """Outputs ``[members, rows, outputs]``, one member after the other.

    Batch normalisation is by the rows of all members, for the body is one network; so members
    advance layer by layer. ``keep`` holds the factors of dropout ``[rows, members, units]``.
    """
    tables = [functional.embedding(c[:, i], w[f"categories.{i}.weight"]) for i in (0, 1)]
    categories = torch.cat(tables, 1)
    if share is not None:
        x = share * x + (1 - share) * x.roll(-1, 0)
        categories = share * categories + (1 - share) * categories.roll(-1, 0)
    entry = torch.cat([embedded(spec, w, x), x[:, spec.inputs.numbers :], categories], 1)
    if spec.shape.scale_layer:
        entry = entry * w["scale"]
    hs = [entry * own for own in w["members.scale"]]
    if spec.shape.body == "residual":
        hs = [linear(w, "stem", h) for h in hs]
    for i in range(len(spec.shape.hidden)):
        if spec.shape.body == "residual":
            zs = [linear(w, f"layers.{i}", z) for z in normalised(spec, w, i, hs)]
        else:
            zs = normalised(spec, w, i, [linear(w, f"layers.{i}", h) for h in hs])
        inner = [activated(spec, w, i, z) for z in zs]
        if keep is not None:
            inner = [z * keep[i][:, j] for j, z in enumerate(inner)]
        if spec.shape.body == "residual":
            pairs = zip(hs, inner, strict=True)
            hs = [h + linear(w, f"layers.{i}.out", z) for h, z in pairs]
        else:
            hs = inner
    outputs = [h @ w["head.weight"][j] + w["head.bias"][j] for j, h in enumerate(hs)]
    return torch.stack(outputs)


def normalised(spec: NetworkSpec, w: Tensors, i: int, hs: list) -> list:
    if spec.shape.normaliser == "none":
        return hs
    gain, bias = w[f"norm.{i}.gain"], w[f"norm.{i}.bias"]
    if spec.shape.normaliser == "layer":
        return [functional.layer_norm(h, h.shape[1:], gain, bias) for h in hs]
    mean = torch.cat(hs).mean(0)
    variance = torch.cat(hs).var(0, correction=0)
    return [(h - mean) / torch.sqrt(variance + 1e-5) * gain + bias for h in hs]


def loss_of_rows(loss: LossSpec, outputs, y, smoothing: float) -> torch.Tensor:
    if loss.name == "cross_entropy" and outputs.shape[1] == 1:
        target = y.double() * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(outputs[:, 0], target, reduction="none")
    if loss.name == "cross_entropy":
        return functional.cross_entropy(outputs, y, reduction="none", label_smoothing=smoothing)
    measure = {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": lambda a, b, reduction: functional.huber_loss(a, b, reduction, loss.delta),
    }[loss.name]
    return measure(outputs, y, reduction="none").mean(1)


def mean_loss(program: Program, outputs, batch, share: float | None, smoothing: float):
    """Each member's own loss, averaged; ``outputs`` is ``[members, rows, outputs]``."""
    y, weights = batch["y"], batch["w"].double()
    y = y if y.dtype == torch.int64 else y.double()
    losses = []
    for own in outputs:
        rows = loss_of_rows(program.loss, own, y, smoothing)
        if share is not None:
            partner = loss_of_rows(program.loss, own, y.roll(-1, 0), smoothing)
            rows = share * rows + (1 - share) * partner
        losses.append((rows * weights).sum() / weights.sum())
    return torch.stack(losses).mean()


def batch_of(data: MadeRows, rows: np.ndarray) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in data.batch(rows).items()}


def check_step(program: Program, way: type, k: int, **controls: float) -> None:
    """Loss and gradient of a step of ``k`` candidates against those of the reference."""
    layout = make_layout(program)
    starts = [random_weights(program, seed) for seed in range(k)]
    states = [begin(program, layout, Candidate(str(i), i, s)) for i, s in enumerate(starts)]
    state = join(states)
    data = make_rows(program.net, program.loss)
    source = NoiseSource(program, state.seeds, torch.float64)
    arrays = {name: np.full((k, 1), value) for name, value in controls.items()}
    source.begin(read_controls(arrays, k, 1), state.steps)
    noise = source.at(0)
    order = np.random.default_rng(3).integers(0, ROWS, (k, BATCH)).astype(np.int32)
    rows = Table(data, torch.float64).gather(torch.from_numpy(order.ravel()), (k, BATCH))
    gradient = torch.full_like(state.flat["p"], torch.nan)
    step = way(program, layout, state.flat["p"], state.kept, gradient)
    loss = step(rows, noise, controls.get("smoothing"))
    for i, start in enumerate(starts):
        w = {n: torch.tensor(a, requires_grad=True) for n, a in start.arrays.items()}
        batch = batch_of(data, order[i])
        keep = None
        if noise.keep is not None:
            keep = [mask[i].view(BATCH, MEMBERS, -1) for mask in noise.keep]
        share = controls.get("mixup")
        x, c = batch["x"].double(), batch["c"].long()
        outputs = all_members(program.net, w, x, c, share, keep)
        expected = mean_loss(program, outputs, batch, share, controls.get("smoothing", 0.0))
        expected.backward()
        assert torch.allclose(loss[i], expected.detach(), rtol=1e-12, atol=1e-12)
        for name, place in layout.places.items():
            found = gradient[i, place.start : place.stop].view(place.shape)
            grown = w[name].grad
            assert grown is not None
            assert torch.allclose(found, grown, rtol=1e-9, atol=1e-11), name


def ways(program: Program) -> list[type]:
    return [ByAutograd, WrittenOut] if is_explicit(program.net) else [ByAutograd]


@pytest.mark.parametrize("changes", SHAPES)
@pytest.mark.parametrize("k", [1, K])
def test_loss_and_gradient_of_every_kind_of_network(changes: dict, k: int) -> None:
    program = make_program(**changes, dropout="plain")
    for way in ways(program):
        check_step(program, way, k)
        check_step(program, way, k, dropout=0.3, mixup=0.7)


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
def test_loss_and_gradient_of_every_loss(loss: LossSpec, outputs: int) -> None:
    program = make_program(loss, outputs)
    for way in ways(program):
        check_step(program, way, K, smoothing=0.1)
        check_step(program, way, K, mixup=0.6)


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
@pytest.mark.parametrize("changes", [SHAPES[1], SHAPES[4]])
def test_outputs_are_the_mean_of_what_members_predict(loss, outputs, changes) -> None:
    program = make_program(loss, outputs, **changes)
    data = make_rows(program.net, loss)
    starts = [random_weights(program, seed) for seed in range(K)]
    candidates = [Candidate(str(i), i, start) for i, start in enumerate(starts)]
    stack = TorchBackend().open(program, data, candidates)
    found = stack.outputs(np.arange(ROWS))
    assert found.shape == (K, ROWS, outputs)
    for i, start in enumerate(starts):
        w = {name: torch.tensor(value) for name, value in start.arrays.items()}
        x, c = torch.from_numpy(data.x).double(), torch.from_numpy(data.c).long()
        each = all_members(program.net, w, x, c).numpy()
        if loss.name != "cross_entropy":
            assert np.allclose(found[i], each.mean(0), atol=1e-12)
        elif outputs == 1:
            chance = (1 / (1 + np.exp(-each))).mean(0)
            assert np.allclose(1 / (1 + np.exp(-found[i])), chance, atol=1e-12)
        else:
            powers = np.exp(each - each.max(-1, keepdims=True))
            chances = (powers / powers.sum(-1, keepdims=True)).mean(0)
            assert np.allclose(np.exp(found[i]), chances, atol=1e-12)


def test_training_equals_torch_optim() -> None:
    """Forty steps of AdamW with factors by tensor and decay, two candidates with own rates."""
    steps, rates = 40, (0.01, 0.03)
    program = make_program(activation="mish", numbers="periodic")
    data = make_rows(program.net, program.loss)
    starts = [initial_tensors(program.net, seed) for seed in range(K)]
    candidates = [Candidate(str(i), i, Weights(start)) for i, start in enumerate(starts)]
    order = np.random.default_rng(1).integers(0, ROWS, (K, steps, BATCH)).astype(np.int32)
    ones = np.ones((K, steps))
    controls = {"rate": np.array(rates)[:, None] * ones, "shrink": 1e-3 * ones}
    stack = TorchBackend().open(program, data, candidates)
    trace = stack.advance(Span(order, controls | {"beta1": 0.9 * ones, "beta2": 0.999 * ones}))
    factors = rate_factors(program.net, "adamw", "width")
    for i, start in enumerate(starts):
        w = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
        groups = [{"params": [value], "lr": rates[i] * factors[name]} for name, value in w.items()]
        optimiser = torch.optim.AdamW(groups, weight_decay=0.0)
        for step, rows in enumerate(order[i]):
            batch = batch_of(data, rows)
            outputs = all_members(program.net, w, batch["x"].double(), batch["c"].long())
            loss = mean_loss(program, outputs, batch, None, 0.0)
            assert abs(float(loss.detach()) - trace.loss[i, step]) <= 1e-9
            optimiser.zero_grad()
            loss.backward()
            with torch.no_grad():
                for name, value in w.items():
                    if name.endswith(".weight"):
                        value.mul_(1 - 1e-3)
            optimiser.step()
        ended = stack.weights(str(i)).arrays
        for name, value in w.items():
            assert np.abs(ended[name] - value.detach().numpy()).max() <= 1e-8, name


def test_each_member_drops_units_of_its_own() -> None:
    program = make_program(hidden=(16, 8))
    source = NoiseSource(program, (1, 2), torch.float64)
    source.begin(read_controls({"dropout": np.full((2, 4), 0.5)}, 2, 4), np.array([0, 0]))
    noise = source.at(3)
    assert noise.keep is not None
    assert [tuple(mask.shape) for mask in noise.keep] == [
        (2, BATCH * MEMBERS, 16),
        (2, BATCH * MEMBERS, 8),
    ]
    by_member = noise.keep[0][0].view(BATCH, MEMBERS, 16)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        equal = (by_member[:, one] == by_member[:, other]).double().mean()
        assert float(equal) == pytest.approx(0.5, abs=0.1)


def test_one_member_is_the_network_that_there_was() -> None:
    for changes in SHAPES:
        shape = make_program(**changes).net.shape
        plain = make_program(**{**changes, "members": 1}).net
        names = [name for name in tensor_shapes(replace_shape(plain, shape)) if "members" in name]
        assert names == ["members.scale"]
        assert "members.scale" not in tensor_shapes(plain)
        assert tensor_shapes(plain)["head.weight"] == (shape.hidden[-1], 3)
        shared = {n: a for n, a in initial_tensors(plain, 5).items() if not n.startswith("head")}
        own = initial_tensors(replace_shape(plain, shape), 5)
        assert all(np.array_equal(own[name], value) for name, value in shared.items())


def replace_shape(spec: NetworkSpec, shape: Shape) -> NetworkSpec:
    return replace(spec, shape=shape)


def test_members_that_are_copies_are_one_network() -> None:
    """With factors of one, members say what one network says, and lose what it loses."""
    one, many = make_program(members=1), make_program()
    start = dict(random_weights(one, 3).arrays)
    copies = start | {
        "members.scale": np.ones((MEMBERS, many.net.body_inputs)),
        "head.weight": np.tile(start["head.weight"], (MEMBERS, 1, 1)),
        "head.bias": np.tile(start["head.bias"], (MEMBERS, 1)),
    }
    order, rows = make_span(1, 1).order, np.arange(ROWS)
    found = []
    for program, arrays in ((one, start), (many, copies)):
        data = make_rows(program.net, program.loss)
        stack = TorchBackend().open(program, data, [Candidate("a", 1, Weights(arrays))])
        outputs = stack.outputs(rows)
        logs = outputs - np.logaddexp.reduce(outputs, axis=2, keepdims=True)
        found.append((logs, stack.advance(Span(order, {})).loss))
    assert np.allclose(found[0][0], found[1][0], atol=1e-12)
    assert np.allclose(found[0][1], found[1][1], atol=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_sure_members_give_finite_outputs(outputs: int) -> None:
    program = replace(make_program(outputs=outputs), dtype="float32")
    weights = dict(random_weights(program, 0).arrays)
    weights["head.weight"] = 1e4 * weights["head.weight"]
    data = make_rows(program.net, program.loss)
    stack = TorchBackend().open(program, data, [Candidate("a", 0, Weights(weights))])
    found = stack.outputs(np.arange(ROWS))
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 100


def test_other_noise_is_by_member_too() -> None:
    shape = Shape(body="residual", hidden=(4, 4), activation="rrelu", members=MEMBERS)
    net = NetworkSpec(shape, Inputs(3, 0, (), 1))
    program = Program(net, LossSpec("mse"), "adamw", 64)
    source = NoiseSource(program, (1,), torch.float64)
    source.begin(read_controls({"stochastic_depth": np.full((1, 1), 0.5)}, 1, 1), np.array([0]))
    noise: Noise = source.at(0)
    assert noise.paths is not None
    assert noise.slopes is not None
    assert noise.paths[1].shape == (1, 64 * MEMBERS, 1)
    assert noise.slopes[0].shape == (1, 64 * MEMBERS, 4)
    skipped = (noise.paths[1][0].view(64, MEMBERS) == 0).double().mean(0)
    assert all(0.2 < float(share) < 0.8 for share in skipped)
