"""Measures the cost model on this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import torch

from justright.engine.contract import Array, Candidate, Program, Span
from justright.engine.torch_stack.cost import USUAL, CostModel, work_of
from justright.engine.torch_stack.stack import TorchStack
from justright.engine.torch_stack.table import Table
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec

ROWS, FEATURES = 2048, 32
TIMED = (
    ((16,), 32, 1),
    ((32, 32), 32, 8),
    ((64, 64), 128, 8),
    ((128, 128, 128), 256, 4),
    ((256, 256, 256), 256, 1),
)
"""Hidden widths, batch and candidates: calls, small products, traffic, large products."""


class _Noise:
    """Rows without meaning."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
        self._y = rng.normal(size=(ROWS, 1)).astype(np.float32)

    def __len__(self) -> int:
        return ROWS

    def batch(self, rows: Array) -> Mapping[str, Array]:
        at = np.asarray(rows, np.int64)
        return {"x": self._x[at], "y": self._y[at]}


def calibrate(seconds: float = 1.0) -> CostModel:
    """Time a few networks and fit the seconds of each kind of work.

    Args:
        seconds: Time to spend, shared evenly.

    Returns:
        Least squares of the relative errors, each figure held between a tenth and ten times its
        usual value.
    """
    rows = []
    for hidden, batch, k in TIMED:
        shape = Shape(hidden=hidden, scale_layer=False)
        net = NetworkSpec(shape, Inputs(FEATURES, 0, (), 1))
        program = Program(net, LossSpec("mse"), "adamw", batch)
        took = _time(program, k, seconds / len(TIMED))
        work = work_of(program, k)
        rows.append(np.array([work.operations, work.products, work.near, work.far]) / took)
    usual = np.array([USUAL.operation_s, USUAL.product_s, USUAL.near_s, USUAL.far_s])
    held = 0.1 * np.eye(4)  # assumption: ties are broken by the usual proportions
    matrix = np.concatenate([np.stack(rows) * usual, held])
    target = np.concatenate([np.ones(len(rows)), held.sum(1)])
    factors = np.clip(np.linalg.lstsq(matrix, target, rcond=None)[0], 0.1, 10.0)
    return CostModel(*(usual * factors).tolist())


def _time(program: Program, k: int, seconds: float) -> float:
    """Median seconds of a candidate's step."""
    torch.set_num_threads(1)
    candidates = [Candidate(str(seed), seed) for seed in range(k)]
    stack = TorchStack(program, Table(_Noise(), torch.float32), candidates, chunk=k)
    rng = np.random.default_rng(1)
    order = rng.integers(0, ROWS, (k, 4, program.batch)).astype(np.int32)
    span = Span(order, {"rate": np.full((k, 4), 1e-3)})
    stack.advance(span)
    took, end = [], time.perf_counter() + seconds
    while len(took) < 3 or time.perf_counter() < end:
        took.append(stack.advance(span).seconds / (4 * k))
    stack.close()
    return float(np.median(took))
