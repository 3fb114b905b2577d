"""Short experiments: whether a network, its rows and its training are put together rightly.

What a bug in any of them leaves behind are figures (Karpathy 2019, A Recipe for Training Neural
Networks): an initial loss beside that of the prior, parameters without a gradient, rows that hear
of each other, a batch that cannot be learned by heart, inputs that make no difference. What is
healthy is judged in `diagnosis.sanity`; here it is only measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed
from justright.data.encoded import EncodedRows
from justright.engine.contract import Array, Candidate, Program, Span, Stack, Weights
from justright.recipe.network import NetworkSpec, buffer_shapes, tensor_shapes
from justright.recipe.recipe import OptimiserName, Recipe, RegularisationSpec, ScheduleSpec
from justright.training.controls import Course
from justright.training.judge import Judged, outputs_of, probe_rows
from justright.training.loop import Pace
from justright.training.order import Order
from justright.training.plan import make_span
from justright.training.request import CHECKS, SanityRequest
from justright.training.run import new_start, open_stack
from justright.training.sample import (
    Sample,
    accuracy,
    distinct_rows,
    even_rows,
    number,
    prior_of,
    row_leak,
    row_losses,
)
from justright.training.trunk import trunk

HEART_ROWS, HEART_STEPS, HEART_SHARE = 32, 500, 0.01
"""Rows to be learned by heart, most steps for it, and the share of the initial loss at which that
is done (rows and idea: Karpathy 2019; numbers: assumption)."""

FEWEST_ROWS = 8
"""Rows with different inputs without which there is nothing to learn by heart (assumption)."""

FIRST_STEPS = 16
"""Steps after which gradients and outputs are looked at: the head starts at zero, so that before
the first of them no layer below it has a gradient."""

GRADIENT_BATCHES = 8
"""Batches of which one has to give a parameter a gradient (assumption)."""

EVERY = 25
"""Steps after which it is looked whether the rows are known."""

SHORT_STEPS, SHORT_SEEDS, SHORT_BATCH = 100, 3, 64
"""Steps, seeds and most rows a step of the runs with own and with shuffled inputs. Measured on 13
tables of 120 to 257,346 training rows (benchmarks/sanity.py): the gain of the own inputs is 3.4 to
102 standard errors, -2.2 to 1.9 where targets are shuffled; 256 rows a step see no more, and take
up to 2.2 s."""

SAMPLE, SAMPLE_NUMBERS, HELD_OUT = 16_384, 4_000_000, 2_048
"""Training rows that are drawn from, but no more than so many numbers of them; and rows that are
not trained on, by which the runs are judged (assumption: more cost time and say the same)."""

Figures = dict[str, Any]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def check_sanity(request: SanityRequest, report: Callable[[Any], None]) -> Figures:
    """Make the checks, until the deadline.

    Args:
        request: What is checked.
        report: Called with ``{"text"}`` before each check.

    Returns:
        Figures by name of the check (`CHECKS`), JSON types, None for one that was not reached;
        beside them "reached", the number of those that were, and "seconds".

    Raises:
        OptionError: If no backend can train the recipe.
    """
    began = time.perf_counter()
    bench = Bench(request, EncodedRows(Path(request.folder)))
    found: Figures = dict.fromkeys(CHECKS)
    reached = 0
    for name in CHECKS[: request.checks]:
        if bench.late:
            break
        report({"text": f"sanity: {name}"})
        figures = getattr(bench, name)()
        if figures is None:
            break
        found[name] = figures
        reached += 1
    return found | {"reached": reached, "seconds": time.perf_counter() - began}


class Bench:
    """Where one recipe is tried on one block; each check returns its figures, None if it was cut.

    Args:
        request: What is checked.
        data: Its rows.
    """

    def __init__(self, request: SanityRequest, data: EncodedRows) -> None:
        self._request = request
        self._data = data
        self._recipe = replace(trunk(request.recipe), schedule=ScheduleSpec("constant"))
        self._bare = without_regularisers(self._recipe)
        self._net = NetworkSpec(request.recipe.shape, data.meta.inputs)
        self._deadline = float("inf") if request.deadline is None else request.deadline
        self._first: Mapping[str, Array] = {}

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.time() >= self._deadline

    def initial(self) -> Figures | None:
        """Loss of the untrained network, and of predicting the mean or the class shares."""
        rows = probe_rows(self._request.train)
        judged = Judged.of(self._data, rows)
        stack = self._open(self._recipe, Sample.of(self._data, rows), [self._seed("first")])
        try:
            outputs = np.asarray(stack.outputs(np.arange(len(rows)))[0], np.float64)
        finally:
            stack.close()
        loss = judged.loss(judged.predict(outputs))
        return {"loss": number(loss), "prior": number(judged.loss(prior_of(judged)))}

    def repeatable(self) -> Figures | None:
        """Whether a stack that is opened twice gives the same numbers, bit for bit."""
        seeds = [self._seed("first"), self._seed("second")]
        sample = self._sample()
        seen = []
        for _ in range(2):
            stack = self._open(self._recipe, sample, seeds)
            try:
                ways = self._ways(self._recipe, seeds, np.arange(sample.train), FIRST_STEPS)
                losses = self._run(stack, ways, self._batch, FIRST_STEPS)
                if losses is None:
                    return None
                seen.append((losses, stack.weights("0").arrays, stack.weights("1").arrays))
            finally:
                stack.close()
        names = {*tensor_shapes(self._net), *buffer_shapes(self._net)}
        self._first = {name: value for name, value in seen[0][1].items() if name in names}
        same = np.array_equal(seen[0][0], seen[1][0], equal_nan=True) and all(
            np.array_equal(one[name], other[name], equal_nan=True)
            for one, other in zip(seen[0][1:], seen[1][1:], strict=True)
            for name in one
        )
        return {"same": bool(same), "steps": FIRST_STEPS}

    def gradients(self) -> Figures | None:
        """Which tensors have no gradient in any of some batches, and the share of such weights.

        The second moment of Adam is the record: it is zero where every gradient was. The rate is
        zero, so the network stays as it is.
        """
        sample = self._sample()
        seed = self._seed("gradients")
        stack = self._open(self._bare, sample, [seed], rule="adam", start=self._first)
        try:
            order = Order(seed, np.arange(sample.train)).take(0, GRADIENT_BATCHES, self._batch)
            stack.advance(Span(order[None], {}))
            arrays = stack.weights("0").arrays
        finally:
            stack.close()
        unmoved = {
            name: np.asarray(arrays[f"v/{name}"]) == 0.0 for name in tensor_shapes(self._net)
        }
        weights = sum(each.size for each in unmoved.values())
        return {
            "tensors": len(unmoved),
            "without": sorted(name for name, each in unmoved.items() if each.all()),
            "share": sum(int(each.sum()) for each in unmoved.values()) / max(weights, 1),
            "batches": GRADIENT_BATCHES,
        }

    def apart(self) -> Figures | None:
        """By how much a row's output moves, in evaluation mode, when other rows are exchanged.

        In training mode batch normalisation and mixup let rows hear of each other on purpose.
        """
        sample = self._sample()
        chosen = distinct_rows(sample, np.arange(sample.train), 2 * HEART_ROWS)
        half = len(chosen) // 2
        if half < 2:
            return {"moved": None, "reason": "fewer than 4 rows differ in their inputs"}
        rows, others = chosen[:half], chosen[half : 2 * half]
        stack = self._open(self._recipe, sample, [self._seed("first")], start=self._first)
        try:
            moved = row_leak(stack, rows, others)
        finally:
            stack.close()
        reason = "" if moved is not None else "the network says the same of every row"
        return {"moved": moved, "rows": half, "reason": reason}

    def heart(self) -> Figures | None:
        """How far a few rows can be learned by heart without regularisation."""
        sample = self._sample()
        rows = even_rows(sample, HEART_ROWS)
        if len(rows) < FEWEST_ROWS:
            return {
                "share": None,
                "reason": f"fewer than {FEWEST_ROWS} rows differ in their inputs",
            }
        seed, count = self._seed("heart"), len(rows)
        stack = self._open(self._bare, sample, [seed], batch=count)
        try:
            ways = self._ways(self._bare, [seed], rows, HEART_STEPS, count)
            losses = self._run(stack, ways, count, HEART_STEPS, learned)
            if losses is None:
                return None
            stack.refresh(rows)
            right = accuracy(sample, rows, stack.outputs(rows)[0])
        finally:
            stack.close()
        if not losses[0, 0] > 0.0:
            return {"share": None, "reason": "these rows have equal targets"}
        share = float(np.nanmin(losses[0]) / losses[0, 0])
        reason = "" if np.isfinite(losses[0]).all() else "the training diverged"
        steps = losses.shape[1]
        return {
            "share": number(share),
            "accuracy": right,
            "rows": count,
            "steps": steps,
            "reason": reason,
        }

    def inputs(self) -> Figures | None:
        """Losses of short runs with the rows' own inputs, and with those of other rows.

        Both see the same targets in the same order from the same start. They are judged on rows
        that they did not see, each on inputs of the kind that it knows.
        """
        sample = self._sample().with_shuffled(self._seed("shuffle"), SHORT_SEEDS)
        seeds = [self._seed("run", place) for place in range(SHORT_SEEDS)]
        stack = self._open(self._recipe, sample, [*seeds, *seeds])
        copies = [0] * SHORT_SEEDS + list(range(1, SHORT_SEEDS + 1))
        rows = np.arange(sample.train)
        ways = [
            way
            for copy, seed in zip(copies, [*seeds, *seeds], strict=True)
            for way in self._ways(self._recipe, [seed], rows + copy * sample.size, SHORT_STEPS)
        ]
        try:
            losses = self._run(stack, ways, self._batch, SHORT_STEPS)
            if losses is None:
                return None
            first = sample.train if sample.train < sample.size else 0
            judged = [np.arange(first, sample.size) + copy * sample.size for copy in copies]
            if self._net.shape.normaliser == "batch":
                stack.refresh(np.stack([rows + copy * sample.size for copy in copies]))
            outputs = outputs_of(stack, judged, averaged=False)
        finally:
            stack.close()
        each = np.stack([row_losses(sample, r, o) for r, o in zip(judged, outputs, strict=True)])
        gains = each[SHORT_SEEDS:].mean(axis=0) - each[:SHORT_SEEDS].mean(axis=0)
        count = len(gains)
        return {
            "own": number(each[:SHORT_SEEDS].mean()),
            "shuffled": number(each[SHORT_SEEDS:].mean()),
            "gain": number(gains.mean()),
            "se": number(gains.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
            "rows": count,
            "held_out": first > 0,
            "steps": SHORT_STEPS,
            "reason": "" if np.isfinite(losses).all() else "a run diverged",
        }

    @property
    def _batch(self) -> int:
        return min(self._recipe.batch, SHORT_BATCH)

    def _seed(self, *purpose: str | int) -> int:
        return child_seed(self._request.seed, "sanity", *purpose)

    def _sample(self) -> Sample:
        """Some training rows, and after them some that are not trained on."""
        inputs = self._data.meta.inputs
        width = max(inputs.numbers + inputs.indicators + len(inputs.categories), 1)
        generator = np.random.default_rng(self._seed("sample"))

        def draw(rows: Integers, most: int) -> Integers:
            return rows if len(rows) <= most else generator.choice(rows, most, replace=False)

        most = min(SAMPLE, max(SAMPLE_NUMBERS // width, HEART_ROWS))
        train = draw(self._request.train, most)
        held_out = draw(self._request.validation, HELD_OUT)
        return replace(Sample.of(self._data, np.concatenate([train, held_out])), train=len(train))

    def _open(
        self,
        recipe: Recipe,
        sample: Sample,
        seeds: Sequence[int],
        *,
        batch: int = 0,
        rule: OptimiserName | None = None,
        start: Mapping[str, Array] | None = None,
    ) -> Stack:
        """A stack of new networks, or of some that start elsewhere."""
        rule = rule or recipe.optimiser.rule
        program = Program(self._net, recipe.loss, rule, batch or self._batch)
        begin = Weights(start) if start else new_start(self._net, self._data)
        candidates = [Candidate(str(place), seed, begin) for place, seed in enumerate(seeds)]
        return open_stack(program, sample, candidates)

    def _ways(
        self, recipe: Recipe, seeds: Sequence[int], rows: Array, steps: int, batch: int = 0
    ) -> list[tuple[Order, Course]]:
        """Rows and numbers of each step."""
        epoch = len(rows) / (batch or self._batch)
        return [
            (Order(seed, np.asarray(rows, np.int64)), Course(recipe, steps, epoch, seed))
            for seed in seeds
        ]

    def _run(
        self,
        stack: Stack,
        ways: Sequence[tuple[Order, Course]],
        batch: int,
        steps: int,
        done: Callable[[Floats], bool] = lambda _: False,
    ) -> Floats | None:
        """Training losses ``[K, steps]`` to the end, or until it is done; None if it was cut.

        Whether it is done is asked at fixed steps, so that no figure depends on the clock.
        """
        pace, losses = Pace(), np.empty((len(ways), 0))
        while (step := losses.shape[1]) < steps and not (step % EVERY == 0 and done(losses)):
            count = min(pace.steps(), steps - step, EVERY - step % EVERY)
            if time.time() + count * pace.step_s > self._deadline:
                return None
            trace = stack.advance(make_span(ways, batch, step, count))
            pace.measured(max(trace.seconds, 1e-9), count)
            losses = np.concatenate([losses, np.asarray(trace.loss, np.float64)], axis=1)
        return losses


def learned(losses: Floats) -> bool:
    """Whether the only candidate knows its rows by heart."""
    return losses.shape[1] > 0 and bool(losses[0, -1] <= HEART_SHARE * losses[0, 0])


def without_regularisers(recipe: Recipe) -> Recipe:
    """The recipe without what keeps a network from learning rows by heart.

    >>> without_regularisers(Recipe(ema_epochs=1.0)).ema_epochs is None
    True
    """
    return replace(
        recipe,
        regularisation=RegularisationSpec(),
        loss=replace(recipe.loss, smoothing=0.0),
        optimiser=replace(recipe.optimiser, decay_epochs=None),
        ema_epochs=None,
    )
