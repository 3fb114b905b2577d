"""What the engine refuses, and rows that do not fit into memory."""

from __future__ import annotations

import numpy as np
import pytest

from justright.core.errors import InputError
from justright.engine.contract import Candidate, Program, Span, Weights
from justright.engine.torch_stack import table
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec
from justright.testing.backends import BATCH, ROWS, make_rows, make_span, same


def make_program(**changes) -> Program:
    shape = Shape(**{"hidden": (6,), **changes})
    return Program(
        NetworkSpec(shape, Inputs(3, 1, (4,), 3)), LossSpec(), "adamw", BATCH, dtype="float64"
    )


def make_stack(ids: str = "ab", start: Weights | None = None):
    program = make_program()
    candidates = [Candidate(id, ord(id), start) for id in ids]
    return TorchBackend().open(program, make_rows(program.net, program.loss), candidates)


def test_unknown_controls_and_wrong_shapes_are_refused() -> None:
    stack, span = make_stack(), make_span(2, 3)
    with pytest.raises(InputError, match="learning_rate"):
        stack.advance(Span(span.order, {"learning_rate": np.ones((2, 3))}))
    with pytest.raises(InputError, match="rate"):
        stack.advance(Span(span.order, {"rate": np.ones((2, 4))}))
    with pytest.raises(InputError, match="order"):
        stack.advance(Span(span.order[:1], {}))
    with pytest.raises(InputError, match="order"):
        stack.advance(Span(span.order[0], {}))
    with pytest.raises(IndexError, match="rows"):
        stack.advance(Span(span.order + ROWS, {}))


def test_unknown_and_equal_ids_are_refused() -> None:
    with pytest.raises(InputError, match="ids"):
        make_stack("aa")
    with pytest.raises(InputError, match="ids"):
        make_stack("")
    with pytest.raises(InputError, match="keep"):
        make_stack().keep(["c"])
    with pytest.raises(InputError, match="no candidate"):
        make_stack().weights("c")


def test_a_start_of_another_network_is_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        make_stack(start=Weights({"head.bias": np.zeros(7)}))
    with pytest.raises(InputError, match="no tensors"):
        make_stack(start=Weights({"layers.9.weight": np.zeros((2, 2))}))


def test_a_partial_start_sets_the_prior_of_the_head() -> None:
    prior = np.log([0.7, 0.2, 0.1])
    stack = make_stack(start=Weights({"head.bias": prior}))
    assert np.allclose(stack.outputs(np.arange(5)), prior, atol=1e-12)


def test_what_cannot_run_is_not_opened() -> None:
    program = make_program(body="residual", hidden=(4, 5))
    with pytest.raises(ValueError, match="width"):
        TorchBackend().open(program, make_rows(program.net, program.loss), [Candidate("a", 0)])


def test_rows_beyond_the_memory_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    span = make_span(2, 6, dropout=0.2)
    inside = make_stack()
    monkeypatch.setattr(table, "IN_MEMORY", 0)
    outside = make_stack()
    assert np.array_equal(inside.advance(span).loss, outside.advance(span).loss)
    same(inside.weights("b"), outside.weights("b"), tolerance=0.0)
    rows = np.arange(9)
    assert np.array_equal(inside.outputs(rows), outside.outputs(rows))


def test_no_rows_give_no_outputs() -> None:
    assert make_stack().outputs(np.arange(0)).shape == (2, 0, 3)


def test_candidates_of_different_age_share_a_stack() -> None:
    old = make_stack("a")
    old.advance(make_span(1, 5, dropout=0.3))
    program = make_program()
    data = make_rows(program.net, program.loss)
    both = [Candidate("b", 1), Candidate("a", ord("a"), old.weights("a"))]
    stack = TorchBackend().open(program, data, both)
    span = make_span(2, 4, seed=3, dropout=0.3)
    expected = old.advance(Span(span.order[1:], {n: v[1:] for n, v in span.controls.items()}))
    assert np.allclose(stack.advance(span).loss[1], expected.loss[0], atol=1e-10)
    assert stack.weights("a").step == 9
    assert stack.weights("b").step == 4


def test_a_candidate_that_dies_as_averages_begin_keeps_a_finite_one() -> None:
    program = make_program()
    data = make_rows(program.net, program.loss)
    data.x[5] = np.inf
    stack = TorchBackend().open(program, data, [Candidate("a", 1), Candidate("b", 2)])
    span = make_span(2, 2)
    order = np.where(span.order == 5, 6, span.order)
    order[0, 0, 0] = 5
    trace = stack.advance(Span(order, span.controls))
    assert trace.alive.tolist() == [False, True]
    arrays = stack.weights("a").arrays
    assert all(np.isfinite(value).all() for value in arrays.values())
    assert np.array_equal(arrays["ema/head.bias"], arrays["head.bias"])


def test_averages_that_a_start_leaves_out_begin_at_its_weights() -> None:
    given = make_stack("a").weights("a").arrays
    names = [name for name in given if not name.startswith(("ema/", "m/", "v/"))]
    start = {name: given[name] + 1.0 for name in names}
    start["ema/head.bias"] = np.full(3, 7.0)
    found = make_stack("b", Weights(start)).weights("b").arrays
    assert np.array_equal(found["ema/head.bias"], np.full(3, 7.0))
    assert np.array_equal(found["ema/layers.0.weight"], start["layers.0.weight"])
