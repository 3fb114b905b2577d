"""In double precision every candidate equals the same network trained by torch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch.nn import functional

from justright.engine.contract import Candidate, Program, Span, Weights
from justright.engine.torch_stack.backend import TorchBackend
from justright.engine.torch_stack.fused import is_fused
from justright.engine.torch_stack.layout import make_layout
from justright.nets.initialise import initial_tensors
from justright.nets.rates import rate_factors
from justright.recipe.network import Inputs, NetworkSpec, Shape, tensor_shapes
from justright.recipe.recipe import LossSpec, ScheduleSpec
from justright.testing.backends import BATCH, ROWS, make_rows
from justright.training import schedules

STEPS, K = 100, 4
RATES = np.array([0.003, 0.01, 0.03, 0.01])
DECAYS = np.array([0.0, 0.1, 0.01, 0.05])

SCHEDULES = ("constant", "exponential", "step", "cosine", "coslog4", "flat_cosine", "onecycle")

Optimiser = Callable[[list[dict]], torch.optim.Optimizer]
OPTIMISERS: dict[str, Optimiser] = {
    "sgd": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "nesterov": lambda groups: torch.optim.SGD(groups, momentum=0.9, nesterov=True),
    "adam": lambda groups: torch.optim.Adam(groups, betas=(0.9, 0.95)),
    "adamw": lambda groups: torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0),
    "nadam": lambda groups: torch.optim.NAdam(groups, betas=(0.9, 0.95)),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, alpha=0.95),
    "adamax": lambda groups: torch.optim.Adamax(groups, betas=(0.9, 0.95)),
}


@pytest.fixture(autouse=True)
def double_by_default() -> Iterator[None]:
    """torch's NAdam keeps its product of momenta in the default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def make_spec(outputs: int = 3, **changes) -> NetworkSpec:
    shape = Shape(**{"hidden": (9, 7), "activation": "tanh", "normaliser": "layer", **changes})
    return NetworkSpec(shape, Inputs(4, 1, (3, 2), outputs))


def start_of(spec: NetworkSpec, seed: int) -> dict[str, np.ndarray]:
    """Initial tensors with a head that is not zero, so that every gradient is at work."""
    arrays = initial_tensors(spec, seed)
    arrays["head.weight"] = np.random.default_rng(seed).normal(size=arrays["head.weight"].shape)
    return arrays


def forward(spec: NetworkSpec, w: dict[str, torch.Tensor], x, c) -> torch.Tensor:
    """The network written out with torch's own layers, for one candidate."""
    parts = [x, *(functional.embedding(c[:, i], w[f"categories.{i}.weight"]) for i in (0, 1))]
    h = torch.cat(parts, 1) * w["scale"]
    for i in range(len(spec.shape.hidden)):
        h = functional.linear(h, w[f"layers.{i}.weight"].T, w[f"layers.{i}.bias"])
        if spec.shape.normaliser == "layer":
            h = functional.layer_norm(h, h.shape[1:], w[f"norm.{i}.gain"], w[f"norm.{i}.bias"])
        h = torch.tanh(h)
    return functional.linear(h, w["head.weight"].T, w["head.bias"])


def row_loss(loss: LossSpec, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if loss.name == "cross_entropy" and outputs.shape[1] == 1:
        smoothed = y.double() * (1 - loss.smoothing) + loss.smoothing / 2
        return functional.binary_cross_entropy_with_logits(
            outputs[:, 0], smoothed, reduction="none"
        )
    if loss.name == "cross_entropy":
        return functional.cross_entropy(
            outputs, y, reduction="none", label_smoothing=loss.smoothing
        )
    measure = {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": lambda a, b, reduction: functional.huber_loss(a, b, reduction, loss.delta),
    }[loss.name]
    return measure(outputs, y, reduction="none").mean(1)


class Alone:
    """One candidate trained by torch.optim."""

    def __init__(self, program: Program, rate: float, seed: int, clip: float) -> None:
        self.program, self.clip = program, clip
        arrays = start_of(program.net, seed)
        self.w = {n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()}
        scale = rate_factors(program.net, program.optimiser, program.parametrisation)
        groups = [{"params": [w], "lr": rate * scale[n]} for n, w in self.w.items()]
        self.peak = [group["lr"] for group in groups]
        self.optimiser = OPTIMISERS[program.optimiser](groups)

    def train(self, data, order, schedule, decays) -> list[float]:
        losses = []
        for rows, factor, decay in zip(order, schedule, decays, strict=True):
            batch = {name: torch.from_numpy(v) for name, v in data.batch(rows).items()}
            y = batch["y"] if batch["y"].dtype == torch.int64 else batch["y"].double()
            outputs = forward(self.program.net, self.w, batch["x"].double(), batch["c"].long())
            each = row_loss(self.program.loss, outputs, y)
            w = batch["w"].double()
            loss = (each * w).sum() / w.sum()
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.w.values(), self.clip)
            with torch.no_grad():
                for name, tensor in self.w.items():
                    if name.endswith(".weight"):
                        tensor.mul_(1 - decay)
            for group, peak in zip(self.optimiser.param_groups, self.peak, strict=True):
                group["lr"] = peak * factor
            self.optimiser.step()
            losses.append(float(loss.detach()))
        return losses


def controls_of(schedule: np.ndarray, clip: float, smoothing: float = 0.0) -> dict:
    ones = np.ones((K, STEPS))
    return {
        "rate": RATES[:, None] * schedule[None],
        "shrink": RATES[:, None] * DECAYS[:, None] * schedule[None],
        "beta1": 0.9 * ones,
        "beta2": 0.95 * ones,
        "clip": clip * ones,
        "smoothing": smoothing * ones,
    }


def check(program: Program, *, schedule: np.ndarray | None = None, clip: float = 1e9) -> None:
    """Train a stack, dropping half of it on the way, and each candidate alone; compare."""
    schedule = np.ones(STEPS) if schedule is None else schedule
    data = make_rows(program.net, program.loss)
    starts = [Weights(start_of(program.net, seed)) for seed in range(K)]
    candidates = [Candidate(str(seed), seed, start) for seed, start in enumerate(starts)]
    order = np.random.default_rng(1).integers(0, ROWS, (K, STEPS, BATCH)).astype(np.int32)
    controls = controls_of(schedule, clip, program.loss.smoothing)
    stack = TorchBackend().open(program, data, candidates)
    found = np.full((K, STEPS), np.nan)
    half = STEPS // 2
    found[:, :half] = stack.advance(
        Span(order[:, :half], {n: v[:, :half] for n, v in controls.items()})
    ).loss
    early = {id: stack.weights(id) for id in stack.ids}
    stack.keep(["1", "3"])
    rest = {n: v[[1, 3], half:] for n, v in controls.items()}
    found[[1, 3], half:] = stack.advance(Span(order[[1, 3], half:], rest)).loss
    for i in range(K):
        last = STEPS if i in (1, 3) else half
        alone = Alone(program, RATES[i], i, clip)
        expected = alone.train(
            data, order[i, :last], schedule[:last], controls["shrink"][i, :last]
        )
        assert np.abs(found[i, :last] - expected).max() <= 1e-10
        ended = (stack.weights(str(i)) if i in (1, 3) else early[str(i)]).arrays
        for name in tensor_shapes(program.net):
            difference = np.abs(ended[name] - alone.w[name].detach().numpy()).max()
            assert difference <= 1e-10, (name, difference)


def make_program(rule: str = "adamw", loss: LossSpec | None = None, **changes) -> Program:
    chosen = loss or LossSpec("cross_entropy")
    outputs = changes.pop("outputs", 3)
    parametrisation = changes.pop("parametrisation", "standard")
    return Program(
        make_spec(outputs, **changes),
        chosen,
        rule,
        BATCH,
        parametrisation=parametrisation,
        dtype="float64",
    )


# Each rule meets factors by tensor and a rate that changes; the losses below go without either.
@pytest.mark.parametrize(
    ("rule", "schedule"), list(zip(sorted(OPTIMISERS), SCHEDULES, strict=True))
)
def test_every_rule_and_every_schedule_equal_torch(rule: str, schedule: str) -> None:
    factors = schedules.rate_factors(ScheduleSpec(schedule, warmup=0.1), STEPS)
    check(make_program(rule, parametrisation="width"), schedule=factors)


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [
        (LossSpec("cross_entropy", smoothing=0.1), 3),
        (LossSpec("cross_entropy"), 1),
        (LossSpec("cross_entropy", smoothing=0.2), 1),
        (LossSpec("mse"), 2),
        (LossSpec("mae"), 2),
        (LossSpec("huber", delta=0.4), 1),
    ],
)
def test_every_loss_equals_torch(loss: LossSpec, outputs: int) -> None:
    check(make_program(loss=loss, outputs=outputs))


def test_clipping_by_global_norm_equals_torch() -> None:
    check(make_program("sgd"), clip=0.5)


def test_decay_of_adamw_equals_torch() -> None:
    """With a share of rate × decay, shrinking is AdamW's decay."""
    program = make_program()
    data = make_rows(program.net, program.loss)
    start = start_of(program.net, 0)
    order = np.random.default_rng(1).integers(0, ROWS, (1, STEPS, BATCH)).astype(np.int32)
    ones = np.ones((1, STEPS))
    controls = {"rate": 0.01 * ones, "shrink": 0.01 * 0.3 * ones, "beta2": 0.999 * ones}
    stack = TorchBackend().open(program, data, [Candidate("a", 0, Weights(start))])
    stack.advance(Span(order, controls))
    w = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
    decayed = [t for n, t in w.items() if n.endswith(".weight")]
    plain = [t for n, t in w.items() if not n.endswith(".weight")]
    groups = [{"params": decayed, "weight_decay": 0.3}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=0.01)
    for rows in order[0]:
        batch = {name: torch.from_numpy(v) for name, v in data.batch(rows).items()}
        outputs = forward(program.net, w, batch["x"].double(), batch["c"].long())
        each = row_loss(program.loss, outputs, batch["y"])
        optimiser.zero_grad()
        ((each * batch["w"]).sum() / batch["w"].double().sum()).backward()
        optimiser.step()
    arrays = stack.weights("a").arrays
    for name, tensor in w.items():
        assert np.abs(arrays[name] - tensor.detach().numpy()).max() <= 1e-10


def test_losses_are_equal_in_a_table_without_weights() -> None:
    program = make_program()
    data = make_rows(program.net, program.loss)
    order = np.arange(BATCH, dtype=np.int32).reshape(1, 1, BATCH)

    class Unweighted:
        def __len__(self) -> int:
            return len(data)

        def batch(self, rows):
            return {n: v for n, v in data.batch(rows).items() if n != "w"}

    stack = TorchBackend().open(program, Unweighted(), [Candidate("a", 0)])
    trace = stack.advance(Span(order, {}))
    assert trace.loss[0, 0] == pytest.approx(np.log(3))  # the head starts at the prior


@pytest.mark.parametrize("loss", [LossSpec("cross_entropy", smoothing=0.1), LossSpec("mse")])
def test_the_written_out_derivative_equals_torch(loss: LossSpec) -> None:
    check(make_program(loss=loss, normaliser="none", parametrisation="width"))


def test_the_one_pass_kernel_equals_torch() -> None:
    program = make_program(normaliser="none", parametrisation="width", hidden=(160, 120))
    assert is_fused(program, make_layout(program))
    check(program)
