"""Train a stack of networks on encoded rows: from a request to files and scores."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.errors import OptionError
from justright.data.encoded import EncodedRows, concatenate
from justright.engine.contract import Array, Candidate, Program, Rows, Stack, Weights
from justright.engine.opening import backends
from justright.recipe.network import NetworkSpec, tensor_shapes
from justright.recipe.recipe import Recipe
from justright.training.budget import evaluation_steps
from justright.training.checkpoint import Checkpoint, load, request_key, save
from justright.training.controls import Course
from justright.training.health import EVERY, Health, as_curves, as_histograms
from justright.training.judge import Integers, Judged, probe_rows
from justright.training.loop import train
from justright.training.order import Order, balanced
from justright.training.plan import Plan, Trainee
from justright.training.record import Record
from justright.training.request import Member, MemberResult, TrainRequest
from justright.training.sample import prior_of
from justright.training.weights import replace_file, write_weights


def train_stack(request: TrainRequest, report: Callable[[Any], None]) -> tuple[MemberResult, ...]:
    """Train the members of a request together.

    A request that was interrupted goes on from its checkpoint, if it left one, and a trunk from
    where a shorter request for it ended. A member that diverges is a result, not an error.

    Args:
        request: What to train.
        report: Called after each span with ``{"text", "step", "steps", "loss"}``.

    Returns:
        One result per member, in their order.

    Raises:
        OptionError: If no backend can train the recipe on these rows.
        OSError: If the folder for the results cannot be written.
    """
    began = time.perf_counter()
    out = Path(request.out)
    out.mkdir(parents=True, exist_ok=True)
    folders = [EncodedRows(Path(folder)) for folder in request.folders]
    data = concatenate(folders)
    plan = _plan(request, folders, data)
    path = out / f"{request_key(request)}.checkpoint"
    found = load(path)
    if found and request.trunk:
        found = found.named([member.id for member in request.members])
    stack = _open(request, plan, folders, data, found)
    records = dict(found.records) if found else _records(request, plan)
    for id in stack.ids:
        records[id].state = "running"  # the end of a shorter run of a trunk is no end
    saved = time.monotonic()

    def tell(step: int) -> None:
        losses = [record.kept.loss for record in records.values() if record.kept]
        best = min(losses, default=None)
        text = f"step {step:,}/{request.last:,}" + (f", loss {best:.4g}" if losses else "")
        report({"text": text, "step": step, "steps": request.last, "loss": best})

    def checkpoint(step: int) -> None:
        nonlocal saved
        if stack.ids and step < request.last:
            if time.monotonic() - saved < request.checkpoint_s:
                return
            save(path, step, records, stack)
            saved = time.monotonic()

    step = found.step if found else 0
    before = {id: record.steps for id, record in records.items()}
    try:
        stepped_s = train(stack, plan, records, tell, checkpoint, step)
        if request.trunk and stack.ids:
            save(path, records[stack.ids[0]].steps, records, stack)
    finally:
        stack.close()
    seconds = time.perf_counter() - began
    results = tuple(
        replace(
            _result(out, plan.trainees[id], record, plan.metric),
            stepped=record.steps - before[id],
            seconds=seconds,
            stepped_s=stepped_s,
            stack=len(records),
        )
        for id, record in records.items()
    )
    if not request.trunk:
        path.unlink(missing_ok=True)
    return results


def _records(request: TrainRequest, plan: Plan) -> dict[str, Record]:
    if not request.health:
        return {member.id: Record(member.id) for member in request.members}
    probes = {member.id: plan.trainees[member.id].probe for member in request.members}
    return {id: Record(id, health=new_health(probe)) for id, probe in probes.items()}


def new_health(probe: Judged) -> Health:
    """Health that knows from where a sound training sets out: one batch may hold no outlier.

    Args:
        probe: Training rows with known targets.
    """
    return Health({"prior_loss": [[0], [probe.loss(prior_of(probe))]]})


def _plan(request: TrainRequest, folders: list[EncodedRows], data: Rows) -> Plan:
    """Everything about the run that follows from the request and the rows."""
    recipe = request.recipe
    offsets = np.cumsum([0, *map(len, folders)])

    def trainee(member: Member) -> Trainee:
        folder, offset = folders[member.folder], int(offsets[member.folder])
        rows, epoch = member.train + offset, len(member.train) / recipe.batch
        own = member.validation
        return Trainee(
            order=Order(member.seed, _sampled(recipe, data, rows)),
            course=Course(with_rate(recipe, member.rate), request.steps, epoch, member.seed),
            probe=Judged.of(folder, probe_rows(member.train), offset),
            validation=Judged.of(folder, own, offset) if len(own) else None,
        )

    return Plan(
        net=NetworkSpec(recipe.shape, folders[0].meta.inputs),
        trainees={member.id: trainee(member) for member in request.members},
        batch=recipe.batch,
        steps=request.last,
        evaluations=_evaluations(request),
        metric=request.metric,
        averaged=recipe.averages,
        keep_best=request.keep_best,
        deadline=float("inf") if request.deadline is None else request.deadline,
        health_every=EVERY if request.health else 0,
    )


def _sampled(recipe: Recipe, data: Rows, rows: Integers) -> Integers:
    """The rows of an epoch."""
    if recipe.sampling == "even":
        return rows
    return balanced(rows, np.asarray(data.batch(rows)["y"], np.int64))


def with_rate(recipe: Recipe, rate: float | None) -> Recipe:
    """The recipe with another peak rate; with its own if that is None."""
    if rate is None:
        return recipe
    return replace(recipe, optimiser=replace(recipe.optimiser, rate=rate))


def _evaluations(request: TrainRequest) -> tuple[int, ...]:
    """Steps to evaluate after; the last one to be taken is always among them."""
    name = request.recipe.schedule.name
    planned = evaluation_steps(request.steps, request.evaluations, name)
    return (*(step for step in planned if step < request.last), request.last)


def _open(
    request: TrainRequest,
    plan: Plan,
    folders: list[EncodedRows],
    data: Rows,
    found: Checkpoint | None,
) -> Stack:
    """Open the stack, new or from a checkpoint, on the first backend that accepts it."""
    recipe = request.recipe
    program = Program(plan.net, recipe.loss, recipe.optimiser.rule, plan.batch)
    candidates = [
        Candidate(
            member.id,
            member.seed,
            found.states[member.id]
            if found and member.id in found.states
            else new_start(plan.net, folders[member.folder]),
        )
        for member in request.members
    ]
    stack = open_stack(program, data, candidates)
    if found and found.states:
        stack.keep(list(found.states))
    return stack


def open_stack(program: Program, data: Rows, candidates: Sequence[Candidate]) -> Stack:
    """Open a stack on the first backend that accepts its program.

    Raises:
        OptionError: If none does.
    """
    refusals = []
    for backend in backends():
        refusal = backend.accepts(program)
        if refusal is None:
            return backend.open(program, data, candidates)
        refusals.append(f"{backend.name}: {refusal}")
    raise OptionError(f"no backend can train this network ({'; '.join(refusals)})")


def new_start(net: NetworkSpec, folder: EncodedRows) -> Weights:
    """Where a new network starts: the head says the prior, number bins are quantiles."""
    prior = np.asarray(folder.meta.prior, np.float32)
    bias = tensor_shapes(net)["head.bias"]
    arrays: dict[str, Array] = {"head.bias": np.broadcast_to(prior, bias)}
    if net.shape.numbers == "piecewise" and net.inputs.numbers:
        arrays["numbers.edges"] = resample_edges(folder.edges, net.shape.bins)
    return Weights(arrays)


def resample_edges(edges: Array, bins: int) -> Array:
    """Quantile bin edges ``[numbers, any + 1]`` for another number of bins, float32.

    >>> resample_edges(np.array([[0.0, 1.0, 4.0]]), 4).tolist()
    [[0.0, 0.5, 1.0, 2.5, 4.0]]
    """
    have = np.linspace(0.0, 1.0, edges.shape[1])
    want = np.linspace(0.0, 1.0, bins + 1)
    return np.stack([np.interp(want, have, row) for row in edges]).astype(np.float32)


def _result(out: Path, trainee: Trainee, record: Record, metric: str) -> MemberResult:
    """Write a member's files and sum it up; what it cost is not known yet."""
    kept = record.kept
    if kept is None:
        if record.state == "done":
            record.fail("its loss was never finite")
        loss, scores, weights, predictions = float("inf"), {}, "", ""
    else:
        judged, loss = trainee.validation, kept.loss
        scores = judged.scores(kept.prediction, metric) if judged else {}
        weights = str(out / f"{record.id}.safetensors")
        write_weights(Path(weights), kept.arrays, kept.step)
        predictions = _write_predictions(out, record) if trainee.validation else ""
    return MemberResult(
        id=record.id,
        state=record.state,
        reason=record.reason,
        scores=scores,
        loss=loss,
        best_step=kept.step if kept else 0,
        steps=record.steps,
        curve=record.curve,
        weights=weights,
        predictions=predictions,
        health=as_curves(record.health),
        histograms=as_histograms(record.health),
    )


def _write_predictions(out: Path, record: Record) -> str:
    content = io.BytesIO()
    assert record.kept is not None
    np.save(content, record.kept.prediction)
    path = out / f"{record.id}.npy"
    replace_file(path, content.getvalue())
    return str(path)
