"""The cost model: chunks and prices; and that chunks are a matter of speed alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from justright.core.codec import dumps, from_document
from justright.engine.contract import Candidate, Program
from justright.engine.cost import USUAL, CostModel, written_out
from justright.engine.torch_stack.stack import TorchStack
from justright.engine.torch_stack.table import Table
from justright.nets.activations import ACTIVATIONS
from justright.nets.explicit import is_explicit
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec
from justright.testing.backends import BATCH, ROWS, doubles, make_rows, make_span


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


def test_members_cost_about_as_many_bodies() -> None:
    one, many = (make_program(128, 256, members=members) for members in (1, 8))
    ratio = USUAL.step_s(many, 1) / USUAL.step_s(one, 1)
    assert 4 < ratio < 8  # the rest of a step is not paid again
    narrow = [USUAL.step_s(make_program(16, 32, members=members), 1) for members in (1, 8)]
    assert 1 < narrow[1] / narrow[0] < 3
    assert 4 < USUAL.cost(many, 1).row_s / USUAL.cost(one, 1).row_s < 9
    assert USUAL.cost(many, 1).bytes > 2 * USUAL.cost(one, 1).bytes
    assert USUAL.chunk(many, 16) <= USUAL.chunk(one, 16)


def test_a_model_survives_json() -> None:
    model = CostModel(1e-6, 2e-11, 3e-10, 4e-10)
    assert from_document(CostModel, json.loads(dumps(model))) == model


def test_it_knows_without_torch_which_derivatives_are_written_out() -> None:
    for activation in ACTIVATIONS:
        for changes in ({}, {"normaliser": "layer"}, {"body": "residual"}, {"members": 4}):
            net = make_program(8, 8, activation=activation, **changes).net
            assert written_out(net.shape) == is_explicit(net)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("rates", ["equal", "different"])
def test_the_size_of_a_chunk_changes_no_more_than_rounding(outputs: int, rates: str) -> None:
    """In float32, as studies train: other numbers of candidates take other kernels, which round
    differently, and how is a matter of the processor.
    """
    shape = Shape(hidden=(32, 32), activation="selu", numbers="periodic")
    net = NetworkSpec(shape, Inputs(4, 1, (3,), outputs))
    program = Program(net, LossSpec(), "adamw", BATCH)
    k, steps = 4, 60
    spread = np.linspace(0.5, 2.0, k)[:, None] if rates == "different" else np.ones((k, 1))
    span = make_span(k, steps, rate=0.02 * spread, dropout=0.15)
    found = []
    for chunk in (1, 2, k):
        table = Table(make_rows(net, program.loss), torch.float32)
        candidates = [Candidate(str(seed), seed) for seed in range(k)]
        stack = TorchStack(program, table, candidates, chunk)
        loss = stack.advance(span).loss
        found.append((doubles(loss), doubles(stack.outputs(np.arange(ROWS)))))
    for loss, outcome in found[1:]:
        assert np.allclose(loss, found[0][0], rtol=0, atol=1e-5)
        scale = np.abs(found[0][1]).max()
        assert np.allclose(outcome, found[0][1], rtol=0, atol=1e-5 * max(scale, 1.0))
