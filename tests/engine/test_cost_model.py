"""The cost model: chunks, prices, calibration."""

from __future__ import annotations

import json

import numpy as np
import pytest

from justright.core.codec import dumps, from_document
from justright.engine.contract import Candidate, Program, Span
from justright.engine.torch_stack.backend import TorchBackend
from justright.engine.torch_stack.calibrate import calibrate
from justright.engine.torch_stack.cost import USUAL, CostModel
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec
from justright.testing.backends import ROWS, make_rows


def make_program(width: int, batch: int, depth: int = 2, **changes) -> Program:
    shape = Shape(hidden=(width,) * depth, **changes)
    return Program(NetworkSpec(shape, Inputs(32, 0, (), 4)), LossSpec(), "adamw", batch)


def test_small_networks_share_a_chunk_and_large_ones_train_alone() -> None:
    assert USUAL.chunk(make_program(32, 32), 40) >= 16
    assert USUAL.chunk(make_program(64, 128), 16) >= 8
    assert USUAL.chunk(make_program(512, 512, depth=3), 16) == 1
    assert USUAL.chunk(make_program(32, 32), 3) == 3


def test_cost_grows_with_the_network_and_shrinks_with_company() -> None:
    costs = [USUAL.cost(make_program(width, 128), 8) for width in (16, 64, 256)]
    assert costs[0].step_s < costs[1].step_s < costs[2].step_s
    assert costs[0].row_s < costs[1].row_s < costs[2].row_s
    assert costs[0].bytes < costs[1].bytes < costs[2].bytes
    assert USUAL.cost(make_program(32, 32), 16).step_s < USUAL.cost(make_program(32, 32), 1).step_s


def test_what_costs_more_is_priced_higher() -> None:
    plain = USUAL.step_s(make_program(64, 128), 8)
    for changes in (
        {"activation": "mish"},
        {"normaliser": "layer"},
        {"numbers": "periodic"},
        {"body": "residual"},
    ):
        assert USUAL.step_s(make_program(64, 128, **changes), 8) > plain


def test_a_model_survives_json() -> None:
    model = CostModel(1e-6, 2e-11, 3e-10, 4e-10)
    assert from_document(CostModel, json.loads(dumps(model))) == model


def test_a_calibrated_model_predicts_this_machine() -> None:
    model = calibrate(seconds=0.5)
    program = make_program(48, 64)
    data = make_rows(program.net, program.loss)
    stack = TorchBackend(model).open(program, data, [Candidate(str(i), i) for i in range(8)])
    order = np.random.default_rng(0).integers(0, ROWS, (8, 5, 64)).astype(np.int32)
    span = Span(order, {"rate": np.full((8, 5), 1e-3)})
    took = min(stack.advance(span).seconds for _ in range(20)) / 40
    # A busy machine may be several times slower in one of the two measurements.
    assert model.cost(program, 8).step_s == pytest.approx(took, rel=5.0)
    assert model.cost(program, 8).step_s > took / 6
