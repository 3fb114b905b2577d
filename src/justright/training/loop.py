"""The training loop: spans of steps, evaluations between them, and an eye on the clock.

What a step does is decided elsewhere: `order` says which rows, `controls` with which rates, the
engine (`engine.torch_stack.chunk`) takes it. No patience here: a loss may rise inside a cycle of
the schedule, so every run goes to its last step and the best evaluation is kept (Holzmüller et
al. 2024 do so too).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from justright.engine.contract import Array, Span, Stack, Trace, Weights
from justright.training.health import probed, taken_samples
from justright.training.judge import outputs_of
from justright.training.plan import Plan
from justright.training.record import Kept, Record
from justright.training.weights import usable_tensors

SPAN_S = 0.15
"""Seconds of work aimed at between two looks at the clock, which are to be at most 0.25 s apart
also when the machine gets busy (judgement)."""

MAX_SPAN = 2_000
"""Most steps of a span, so that its order stays small."""


@dataclass
class Pace:
    """Chooses the length of spans from the measured time of a step; the first are short."""

    step_s: float = SPAN_S / 4

    def steps(self) -> int:
        """Steps of the next span."""
        return int(min(max(SPAN_S / self.step_s, 1), MAX_SPAN))

    def measured(self, seconds: float, steps: int) -> None:
        """Take a span's time into account; a slow one counts at once, a fast one by half."""
        new = max(seconds / steps, 1e-7)
        self.step_s = max(new, (self.step_s + new) / 2)


def train(
    stack: Stack,
    plan: Plan,
    records: Mapping[str, Record],
    report: Callable[[int], None],
    checkpoint: Callable[[int], None],
    step: int = 0,
) -> float:
    """Train the candidates of a stack to the end, or to the deadline.

    Args:
        stack: The candidates, at `step`.
        plan: What they are to do.
        records: By candidate; written here.
        report: Called with the step after each span.
        checkpoint: Called with the step after each span, with everything consistent.
        step: Where to start.

    Returns:
        Seconds that the steps took, without evaluations and whatever else lay between them.
    """
    pace, stepped_s = Pace(), 0.0
    if step == 0:
        _listen(stack, plan, records)
        _spread(stack, plan, records)
    while step < plan.steps and stack.ids:
        count = min(pace.steps(), next(e for e in plan.evaluations if e > step) - step)
        if time.time() + count * pace.step_s > plan.deadline:
            _cut(stack, plan, records)
            return stepped_s
        began = time.perf_counter()
        losses = [records[id].judged for id in stack.ids]
        span = plan.span(stack.ids, step, count, losses)
        trace = stack.advance(span)
        taken = time.perf_counter() - began
        pace.measured(taken, count)
        stepped_s += taken
        step += count
        for place, id in enumerate(stack.ids):
            _remember(records[id], place, span, trace)
        _drop_failed(stack, records)
        if step in plan.evaluations and stack.ids:
            evaluate(stack, plan, records)
        report(step)
        checkpoint(step)
    _spread(stack, plan, records)
    for id in stack.ids:
        records[id].state = "done"
    return stepped_s


def evaluate(stack: Stack, plan: Plan, records: Mapping[str, Record]) -> None:
    """Score every candidate, and keep the weights of those that improved.

    The loss that chooses the step is measured on the validation rows, so the kept score is
    slightly too good; with ten looks at most the bias is small, and it is the same for all arms.
    """
    _listen(stack, plan, records)
    chosen = [plan.trainees[id] for id in stack.ids]
    if plan.net.shape.normaliser == "batch":
        shortest = min(len(each.probe.rows) for each in chosen)
        stack.refresh(np.stack([each.probe.rows[:shortest] for each in chosen]))
    probes = [each.probe for each in chosen]
    probe_outputs = outputs_of(stack, [p.rows for p in probes], averaged=plan.averaged)
    none = np.empty(0, np.int64)
    rows = [none if each.validation is None else each.validation.rows for each in chosen]
    outputs = outputs_of(stack, rows, averaged=plan.averaged)
    for place, (id, each) in enumerate(zip(stack.ids, chosen, strict=True)):
        record, judged, own = records[id], each.validation, outputs[place]
        prediction = each.probe.predict(probe_outputs[place])
        loss = probe_loss = each.probe.loss(prediction)
        if judged is None:
            record.note(probe_loss=probe_loss)
        else:
            prediction = judged.predict(own)
            loss = judged.loss(prediction)
            metric = judged.metric(plan.metric, prediction)
            record.note(probe_loss=probe_loss, validation_loss=loss, metric=metric)
        if record.improves(loss, plan.keep_best and judged is not None):
            record.kept = Kept(record.steps, loss, _usable(stack.weights(id), plan), prediction)


def _remember(record: Record, place: int, span: Span, trace: Trace) -> None:
    """Take in what a span did to one candidate; one that diverged shows its last steps."""
    start, health = record.steps, record.health
    taken = record.advance(trace.loss[place], bool(trace.alive[place]))
    if health is None:
        return
    clips, looked_at = span.controls.get("clip"), taken_samples(start, taken)
    health.advance(
        np.asarray(trace.loss[place, :taken], np.float64),
        np.asarray(trace.norm[place, :taken], np.float64),
        None if clips is None else clips[place, :taken],
        {name: values[place, :looked_at] for name, values in trace.health.items()},
    )
    if record.state == "failed":
        health.note(record.steps, {})


def _listen(stack: Stack, plan: Plan, records: Mapping[str, Record]) -> None:
    """Ask the hidden layers of each candidate about some of its training rows."""
    if not plan.health_every:
        return
    rows = np.stack([probed(plan.trainees[id].probe.rows) for id in stack.ids])
    said = stack.activations(rows)
    for place, id in enumerate(stack.ids):
        health = records[id].health
        if health is not None:
            own = {name: values[place] for name, values in said.items()}
            health.note(records[id].steps, own)


def _spread(stack: Stack, plan: Plan, records: Mapping[str, Record]) -> None:
    """Remember how what the hidden layers of each candidate say is distributed."""
    if not plan.health_every or not stack.ids:
        return
    rows = np.stack([probed(plan.trainees[id].probe.rows) for id in stack.ids])
    edges, counts = stack.distribution(rows)
    for place, id in enumerate(stack.ids):
        health = records[id].health
        if health is not None:
            health.spread(records[id].steps, edges[place], counts[place])


def _usable(weights: Weights, plan: Plan) -> dict[str, Array]:
    return usable_tensors(plan.net, weights, averaged=plan.averaged)


def _drop_failed(stack: Stack, records: Mapping[str, Record]) -> None:
    """A candidate that diverged leaves the stack, and slows nobody down."""
    alive = [id for id in stack.ids if records[id].state == "running"]
    if len(alive) < len(stack.ids):
        stack.keep(alive) if alive else stack.close()


def _cut(stack: Stack, plan: Plan, records: Mapping[str, Record]) -> None:
    """The deadline has come: the last steps are scored, as a run that was to end here would."""
    if any(records[id].lags for id in stack.ids):
        evaluate(stack, plan, records)
    _spread(stack, plan, records)
    for id in stack.ids:
        record = records[id]
        record.state, record.reason = "cut", f"time was up after step {record.steps}"
