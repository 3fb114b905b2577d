"""Checkpoints of a whole stack, so that a killed training goes on where it was, bit by bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from justright.core.codec import fingerprint
from justright.core.errors import ModelError
from justright.engine.contract import Array, Stack, Weights
from justright.training.health import Health
from justright.training.record import Kept, Record
from justright.training.request import TrainRequest
from justright.training.weights import read_tensors, write_tensors

VERSION = 2


@dataclass(frozen=True)
class Checkpoint:
    """A stack between two spans.

    Attributes:
        step: Steps taken.
        records: By candidate.
        states: Weights, moments and averages of the candidates that are still running.
    """

    step: int
    records: Mapping[str, Record]
    states: Mapping[str, Weights]

    def named(self, ids: Sequence[str]) -> Checkpoint:
        """The same stack under other names, in its order: a trunk that goes on is a new trial."""
        names = dict(zip(self.records, ids, strict=True))
        records = {names[id]: replace(record, id=names[id]) for id, record in self.records.items()}
        return Checkpoint(self.step, records, {names[i]: w for i, w in self.states.items()})


def request_key(request: TrainRequest) -> str:
    """Names what a request asks for, whatever its deadline; part of the checkpoint's name.

    Where a trunk is to stop, and what its members are called, is no part of it: a longer request
    goes on from a shorter one.
    """
    members = [
        [
            "" if request.trunk else each.id,
            each.seed,
            each.folder,
            _digest(each.train),
            _digest(each.validation),
            each.rate,
        ]
        for each in request.members
    ]
    data = [(Path(folder) / "meta.json").read_text() for folder in request.folders]
    last = "open" if request.trunk else request.last
    length = [request.steps, last, request.evaluations]
    judged = [request.metric, request.keep_best, request.health]
    return fingerprint([VERSION, request.recipe, data, members, length, judged])


def save(path: Path, step: int, records: Mapping[str, Record], stack: Stack) -> None:
    """Write a checkpoint; the old one stays until the new one is complete.

    Raises:
        OSError: If the folder cannot be written.
    """
    arrays: dict[str, Array] = {}
    notes = []
    for index, record in enumerate(records.values()):
        note = {
            "id": record.id,
            "state": record.state,
            "reason": record.reason,
            "steps": record.steps,
            "curve": record.curve,
            "losses": record.losses,
            "health": None if record.health is None else asdict(record.health),
        }
        if record.kept is not None:
            note["kept"] = [record.kept.step, record.kept.loss]
            arrays[f"{index}/prediction"] = record.kept.prediction
            arrays |= {f"{index}/kept/{name}": a for name, a in record.kept.arrays.items()}
        if record.id in stack.ids:
            state = stack.weights(record.id).arrays
            arrays |= {f"{index}/state/{name}": array for name, array in state.items()}
        notes.append(note)
    write_tensors(path, arrays, {"stack": json.dumps({"step": step, "records": notes})})


def load(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none, or it is damaged: training then starts anew."""
    if not path.exists():
        return None
    try:
        arrays, metadata = read_tensors(path)
        document = json.loads(metadata["stack"])
        step = int(document["step"])
        records, states = {}, {}
        for index, note in enumerate(document["records"]):
            record, state = _read(note, index, arrays)
            records[record.id] = record
            if state:
                states[record.id] = Weights(state, step)
        return Checkpoint(step, records, states)
    except (ModelError, KeyError, TypeError, ValueError):
        return None


def _read(
    note: Mapping, index: int, arrays: Mapping[str, Array]
) -> tuple[Record, dict[str, Array]]:
    kept = None
    if "kept" in note:
        weights = _under(arrays, f"{index}/kept/")
        step, loss = note["kept"]
        kept = Kept(step, loss, weights, np.asarray(arrays[f"{index}/prediction"], np.float64))
    record = Record(
        id=note["id"],
        state=note["state"],
        reason=note["reason"],
        steps=note["steps"],
        curve=note["curve"],
        kept=kept,
        losses=(note["losses"][0], note["losses"][1]),
        health=None if note["health"] is None else Health(**note["health"]),
    )
    return record, _under(arrays, f"{index}/state/")


def _under(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _digest(rows: Array) -> str:
    return hashlib.sha256(rows.tobytes()).hexdigest()[:16]
