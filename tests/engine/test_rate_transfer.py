"""One learning rate serves all widths (the full table: benchmarks/rate_transfer.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification, make_friedman1

from justright.engine.contract import Candidate, Program, Span
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec

RATES = 2.0 ** np.arange(-8, -1)
SEEDS = (0, 1)
BATCH, STEPS, PROBE = 64, 100, 16


@dataclass(frozen=True)
class Standardised:
    x: np.ndarray
    y: np.ndarray
    outputs: int

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, rows):
        return {"x": self.x[rows], "y": self.y[rows]}


def make_data(name: str) -> Standardised:
    if name == "friedman":
        x, y = make_friedman1(2000, 8, noise=0.5, random_state=0)
    elif name == "clusters":
        x, y = make_classification(2000, 16, n_informative=8, n_classes=4, random_state=0)
    else:
        x, y = load_digits(return_X_y=True)
    x = ((x - x.mean(0)) / np.maximum(x.std(0), 0.1)).astype(np.float32)
    if name == "friedman":
        return Standardised(x, ((y - y.mean()) / y.std())[:, None].astype(np.float32), 1)
    return Standardised(x, y.astype(np.int64), int(y.max()) + 1)


def best_rate(data: Standardised, width: int, parametrisation: str) -> float:
    """Peak rate with the lowest training loss: vertex of the parabola around the best one."""
    loss = LossSpec("mse" if data.outputs == 1 else "cross_entropy")
    inputs = Inputs(data.x.shape[1], 0, (), data.outputs)
    net = NetworkSpec(Shape(hidden=(width, width)), inputs)
    program = Program(net, loss, "adamw", BATCH, parametrisation=parametrisation)
    members = [(rate, seed) for rate in RATES for seed in SEEDS]
    k, rng = len(members), np.random.default_rng(0)
    candidates = [Candidate(str(i), seed) for i, (_, seed) in enumerate(members)]
    stack = TorchBackend().open(program, data, candidates)
    order = np.tile(rng.integers(0, len(data), (STEPS, BATCH)), (k, 1, 1)).astype(np.int32)
    schedule = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
    peak = np.array([[rate] for rate, _ in members])
    stack.advance(Span(order, {"rate": peak * schedule, "beta2": np.full((k, STEPS), 0.95)}))
    probe = np.arange(PROBE * BATCH, dtype=np.int32).reshape(1, PROBE, BATCH)
    end = stack.advance(Span(np.tile(probe, (k, 1, 1)), {})).loss.mean(1)
    logs = np.log(end).reshape(len(RATES), len(SEEDS)).mean(1)
    best = int(np.argmin(logs[1:-1])) + 1
    low, middle, high = logs[best - 1 : best + 2]
    shift = 0.5 * (low - high) / (low - 2 * middle + high)
    return RATES[best] * 2.0 ** np.clip(shift, -1.0, 1.0)


@pytest.mark.parametrize("name", ["digits", "friedman", "clusters"])
def test_the_best_rate_at_widths_16_to_512_agrees_within_a_factor_of_two(name: str) -> None:
    data = make_data(name)
    best = [best_rate(data, width, "width") for width in (16, 64, 512)]
    assert max(best) / min(best) <= 2.0, best


def test_without_the_factors_it_does_not() -> None:
    data = make_data("digits")
    best = [best_rate(data, width, "standard") for width in (16, 256)]
    assert best[0] / best[1] > 2.0, best
