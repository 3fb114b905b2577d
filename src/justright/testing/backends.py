"""The contract every training backend must pass; `backend_health` adds what is watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from justright.engine.contract import (
    Array,
    Backend,
    Candidate,
    Program,
    Span,
    Stack,
    Weights,
)
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import LossSpec

ROWS, BATCH = 96, 16


@dataclass(frozen=True)
class MadeRows:
    """A small table with a known rule: ``x``, ``c``, ``y`` and ``w`` in memory."""

    x: Array
    c: Array
    y: Array
    w: Array

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, rows: Array) -> dict[str, Array]:
        """The named tensors of some rows."""
        at = np.asarray(rows, np.int64)
        return {"x": self.x[at], "c": self.c[at], "y": self.y[at], "w": self.w[at]}


def doubles(values: Array) -> npt.NDArray[np.float64]:
    """An array as float64."""
    return np.asarray(values, np.float64)


def make_rows(net: NetworkSpec, loss: LossSpec, seed: int = 0) -> MadeRows:
    """Rows for a network and a loss: a noisy rule of the first number."""
    rng = np.random.default_rng(seed)
    inputs = net.inputs
    x = rng.normal(size=(ROWS, inputs.numbers + inputs.indicators)).astype(np.float32)
    codes = [rng.integers(0, size, ROWS) for size in inputs.categories]
    c = np.stack(codes, axis=1) if codes else np.zeros((ROWS, 0))
    signal = x[:, :1] if x.shape[1] else c[:, :1]
    noisy = signal * np.linspace(-1.0, 1.0, inputs.outputs)
    noisy = noisy + 0.1 * rng.normal(size=noisy.shape)
    if loss.name == "cross_entropy":
        y = noisy[:, 0] > 0 if inputs.outputs == 1 else np.argmax(noisy, axis=1)
        y = y.astype(np.int64)
    else:
        y = noisy.astype(np.float32)
    w = rng.uniform(0.5, 1.5, ROWS).astype(np.float32)
    return MadeRows(x, c.astype(np.int32), y, w)


def make_span(
    k: int, n: int, *, seed: int = 0, health_every: int = 0, **controls: float | Array
) -> Span:
    """A span of random rows; controls are one number for all, or ``[k, n]``."""
    rng = np.random.default_rng(seed)
    order = rng.integers(0, ROWS, (k, n, BATCH)).astype(np.int32)
    usual: dict[str, float | Array] = {"rate": 0.02, "shrink": 1e-3, "ema": 0.9, **controls}
    arrays = {name: np.broadcast_to(value, (k, n)) for name, value in usual.items()}
    return Span(order, arrays, health_every)


def cut(span: Span, start: int, stop: int, rows: Sequence[int] | None = None) -> Span:
    """Some steps of a span, for all or some of its candidates."""
    chosen = list(range(len(span.order))) if rows is None else list(rows)
    controls = {name: value[chosen, start:stop] for name, value in span.controls.items()}
    return Span(span.order[chosen, start:stop], controls, span.health_every)


class BackendContract:
    """Subclass as ``class TestMyBackend(BackendContract)`` and define `backend`.

    Tests run in float64 where the backend accepts it and compare to `tolerance`: exact equality
    would forbid a backend to choose its kernels by the number of candidates.
    """

    tolerance = 1e-9

    def backend(self) -> Backend:
        """The backend under test."""
        raise TypeError("a contract suite needs a backend: define backend()")

    def program(self) -> Program:
        """A program with everything that draws random numbers or keeps statistics."""
        shape = Shape(hidden=(12, 12), activation="silu", normaliser="batch")
        net = NetworkSpec(shape, Inputs(4, 1, (3,), 3))
        return Program(net, LossSpec("cross_entropy"), "adamw", BATCH, dtype="float64")

    def stack(self, ids: str = "abc", *, program: Program | None = None) -> Stack:
        """A stack with one candidate a letter; equal letters have equal seeds."""
        program = program or self.program()
        candidates = [Candidate(letter, seed=ord(letter)) for letter in ids]
        data = make_rows(program.net, program.loss)
        return self.backend().open(program, data, candidates)

    def test_accepts_the_program_of_this_suite(self) -> None:
        assert self.backend().accepts(self.program()) is None

    def test_costs_are_positive(self) -> None:
        cost = self.backend().cost(self.program(), 3)
        assert cost.step_s > 0
        assert cost.row_s > 0
        assert cost.bytes > 0

    def test_a_trace_has_a_loss_for_each_step(self) -> None:
        trace = self.stack().advance(make_span(3, 5))
        assert trace.loss.shape == (3, 5)
        assert np.isfinite(trace.loss).all()
        assert trace.alive.all()
        assert trace.seconds > 0

    def test_the_same_state_and_span_give_the_same_numbers(self) -> None:
        first, second = self.stack(), self.stack()
        span = make_span(3, 12, dropout=0.3, mixup=0.8)
        assert np.array_equal(first.advance(span).loss, second.advance(span).loss)
        same(first.weights("b"), second.weights("b"), tolerance=0.0)

    def test_a_span_may_be_split(self) -> None:
        whole, parts = self.stack(), self.stack()
        span = make_span(3, 20, dropout=0.3)
        expected = whole.advance(span).loss
        found = [parts.advance(cut(span, 0, 7)).loss, parts.advance(cut(span, 7, 20)).loss]
        assert np.allclose(np.concatenate(found, axis=1), expected, atol=self.tolerance)
        same(whole.weights("c"), parts.weights("c"), self.tolerance)

    def test_keep_leaves_survivors_unchanged(self) -> None:
        stack = self.stack("abcde")
        stack.advance(make_span(5, 6))
        before = {id: stack.weights(id) for id in "bd"}
        stack.keep(["b", "d"])
        assert tuple(stack.ids) == ("b", "d")
        for id, weights in before.items():
            same(stack.weights(id), weights, tolerance=0.0)

    def test_survivors_train_on_as_if_nothing_had_happened(self) -> None:
        span = make_span(5, 24, dropout=0.25)
        whole, dropped = self.stack("abcde"), self.stack("abcde")
        expected = whole.advance(span).loss
        dropped.advance(cut(span, 0, 9))
        dropped.keep(["b", "d"])
        found = dropped.advance(cut(span, 9, 24, rows=[1, 3])).loss
        assert np.allclose(found, expected[[1, 3], 9:], atol=self.tolerance)

    def test_masks_do_not_depend_on_membership(self) -> None:
        span = make_span(3, 10, dropout=0.4)
        together = self.stack("abc").advance(span).loss
        alone = self.stack("b").advance(cut(span, 0, 10, rows=[1])).loss
        assert np.allclose(alone[0], together[1], atol=self.tolerance)

    def test_masks_differ_between_steps_and_seeds(self) -> None:
        span = make_span(2, 1, dropout=0.5, rate=0.0, shrink=0.0)
        same_rows = Span(np.repeat(span.order[:1], 2, axis=0), span.controls)
        start = self.stack("a").weights("a")
        stack = self._from(start, seeds=(1, 2))
        stack.advance(replace(same_rows, controls={"rate": np.full((2, 1), 0.05)}))
        losses = np.concatenate([stack.advance(same_rows).loss for _ in range(2)], axis=1)
        assert len(np.unique(losses)) == 4

    def test_weights_round_trip_in_the_middle_of_a_run(self) -> None:
        span = make_span(2, 30, dropout=0.2, ema=0.8)
        first = self.stack("ab")
        first.advance(cut(span, 0, 13))
        first.refresh(np.arange(ROWS))
        second = self._resume(first)
        for id in "ab":
            same(first.weights(id), second.weights(id), tolerance=0.0)
        expected = first.advance(cut(span, 13, 30)).loss
        assert np.allclose(second.advance(cut(span, 13, 30)).loss, expected, atol=self.tolerance)
        same(first.weights("b"), second.weights("b"), self.tolerance)

    def test_weights_have_the_layout_of_the_recipe(self) -> None:
        program = self.program()
        stack = self.stack("a")
        stack.advance(make_span(1, 2))
        arrays = stack.weights("a").arrays
        shapes = {**tensor_shapes(program.net), **buffer_shapes(program.net)}
        for prefix in ("", "ema/"):
            assert {n: arrays[prefix + n].shape for n in shapes} == shapes
        assert {n: arrays[f"m/{n}"].shape for n in tensor_shapes(program.net)} == tensor_shapes(
            program.net
        )
        assert stack.weights("a").step == 2

    def test_a_candidate_that_diverges_is_recorded_and_frozen(self) -> None:
        span = make_span(3, 8, dropout=0.1)
        rates = np.full((3, 8), 0.02)
        rates[1, 2:] = 1e200
        broken = replace(span, controls={**span.controls, "rate": rates})
        stack, healthy = self.stack(), self.stack()
        trace = stack.advance(broken)
        expected = healthy.advance(span).loss
        assert trace.alive.tolist() == [True, False, True]
        assert np.isfinite(trace.loss[1, :3]).all()
        assert np.isnan(trace.loss[1, 4:]).all()
        assert np.allclose(trace.loss[[0, 2]], expected[[0, 2]], atol=self.tolerance)
        frozen = stack.weights("b")
        assert not stack.advance(make_span(3, 3)).alive[1]
        same(stack.weights("b"), frozen, tolerance=0.0)

    def test_a_row_that_is_not_finite_raises_nothing(self) -> None:
        program = self.program()
        data = make_rows(program.net, program.loss)
        data.x[5] = np.inf
        stack = self.backend().open(program, data, [Candidate("a", 1), Candidate("b", 2)])
        span = make_span(2, 4)
        order = np.where(span.order == 5, 6, span.order)
        order[0, 2, 0] = 5
        trace = stack.advance(replace(span, order=order))
        assert trace.alive.tolist() == [False, True]
        before = stack.weights("a")
        assert before.step == 2
        assert all(np.isfinite(value).all() for value in before.arrays.values())

    def test_outputs_take_one_list_or_one_a_candidate(self) -> None:
        stack = self.stack()
        stack.advance(make_span(3, 4))
        rows = np.arange(10)
        shared = stack.outputs(rows)
        assert shared.shape == (3, 10, self.program().net.inputs.outputs)
        own = stack.outputs(np.stack([rows, rows[::-1], rows]))
        assert np.allclose(own[1, ::-1], shared[1], atol=self.tolerance)
        assert np.allclose(own[2], shared[2], atol=self.tolerance)

    def test_the_average_follows_until_it_is_asked_for(self) -> None:
        stack = self.stack()
        stack.advance(make_span(3, 4, ema=0.0))
        rows = np.arange(8)
        assert np.array_equal(stack.outputs(rows), stack.outputs(rows, averaged=True))
        before = doubles(stack.weights("a").arrays["head.bias"])
        stack.advance(make_span(3, 1, ema=0.75))
        arrays = stack.weights("a").arrays
        expected = 0.75 * before + 0.25 * doubles(arrays["head.bias"])
        assert np.allclose(arrays["ema/head.bias"], expected, atol=self.tolerance)

    def test_refresh_sets_statistics_of_both_weights(self) -> None:
        stack = self.stack()
        stack.advance(make_span(3, 6))
        assert np.all(stack.weights("a").arrays["norm.0.mean"] == 0)
        stack.refresh(np.arange(ROWS))
        arrays = stack.weights("a").arrays
        assert (doubles(arrays["norm.1.var"]) > 0).all()
        assert not np.allclose(arrays["norm.1.mean"], arrays["ema/norm.1.mean"])

    def test_training_lowers_the_loss(self) -> None:
        trace = self.stack().advance(make_span(3, 150))
        loss = doubles(trace.loss)
        assert (loss[:, -10:].mean(1) < 0.6 * loss[:, 0]).all()

    def test_close_can_be_called(self) -> None:
        stack = self.stack()
        stack.close()
        assert stack.ids == ()

    def _from(self, start: Weights, seeds: Sequence[int]) -> Stack:
        program = self.program()
        candidates = [Candidate(str(seed), seed, start) for seed in seeds]
        return self.backend().open(program, make_rows(program.net, program.loss), candidates)

    def _resume(self, stack: Stack) -> Stack:
        program = self.program()
        candidates = [Candidate(id, ord(id), stack.weights(id)) for id in stack.ids]
        return self.backend().open(program, make_rows(program.net, program.loss), candidates)


class MembersContract(BackendContract):
    """The same for networks of several members.

    A backend that accepts no members leaves this suite out.
    """

    def program(self) -> Program:
        """Three members with everything that draws random numbers or keeps statistics."""
        plain = super().program()
        shape = replace(plain.net.shape, members=3)
        return replace(plain, net=replace(plain.net, shape=shape))

    def test_members_start_and_stay_apart(self) -> None:
        stack = self.stack("a")
        stack.advance(make_span(1, 30))
        arrays = stack.weights("a").arrays
        for name in ("members.scale", "head.weight", "head.bias"):
            value = doubles(arrays[name])
            assert len(value) == 3
            assert len(np.unique(value.round(12), axis=0)) == 3, name

    def test_outputs_are_those_of_members_on_average(self) -> None:
        stack = self.stack("a")
        stack.advance(make_span(1, 30))
        stack.refresh(np.arange(ROWS))
        together = self._chances(stack.weights("a"))
        alone = []
        for member in range(3):
            weights = stack.weights("a")
            arrays = {
                name: np.repeat(doubles(value)[member : member + 1], 3, axis=0)
                if name.startswith(("members.", "head."))
                else value
                for name, value in weights.arrays.items()
                if "/" not in name
            }
            alone.append(self._chances(Weights(arrays)))
        assert np.allclose(together, np.mean(alone, axis=0), atol=self.tolerance)
        assert not np.allclose(alone[0], alone[1], atol=1e-4)

    def _chances(self, weights: Weights) -> npt.NDArray[np.float64]:
        """Probabilities of all rows that a network with these weights predicts."""
        powers = np.exp(doubles(self._from(weights, seeds=(1,)).outputs(np.arange(ROWS))[0]))
        return powers / powers.sum(axis=1, keepdims=True)


def same(first: Weights, second: Weights, tolerance: float) -> None:
    """Assert that two candidates' states agree.

    Raises:
        AssertionError: If a name, a number or the count of steps differs.
    """
    assert first.step == second.step
    assert set(first.arrays) == set(second.arrays)
    for name, value in first.arrays.items():
        difference = np.max(np.abs(doubles(value) - doubles(second.arrays[name])), initial=0.0)
        assert difference <= tolerance, (name, difference)


__all__ = [
    "BackendContract",
    "MadeRows",
    "MembersContract",
    "cut",
    "make_rows",
    "make_span",
    "same",
]
