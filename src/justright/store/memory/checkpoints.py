"""Checkpoints in memory (their records; the bytes are files)."""

from __future__ import annotations

from dataclasses import replace
from typing import final

from justright.core.trial import Attempt
from justright.store.base import AbstractCheckpoints
from justright.store.memory.state import State
from justright.store.records import Checkpoint, CheckpointState


@final
class MemoryCheckpoints(AbstractCheckpoints):
    """Checkpoints in a list per study."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(
        self, attempt: Attempt, trial_id: str, step: int, path: str, sha256: str, size: int
    ) -> None:
        with self._state.lock:
            rows = self._state.writable(attempt, trial_id).checkpoints
            new = Checkpoint(trial_id, attempt.id, step, path, sha256, size)
            if not any(_same(row, new) for row in rows):
                rows.append(new)

    def latest(self, study: str, trial_id: str) -> Checkpoint | None:
        good = [c for c in self.list(study, trial_id) if c.state is CheckpointState.GOOD]
        return good[-1] if good else None

    def mark(self, study: str, checkpoint: Checkpoint, state: CheckpointState) -> None:
        with self._state.lock:
            rows = self._state.study(study).checkpoints
            for k, row in enumerate(rows):
                if _same(row, checkpoint):
                    rows[k] = replace(row, state=state)

    def list(self, study: str, trial_id: str) -> tuple[Checkpoint, ...]:
        with self._state.lock:
            rows = [c for c in self._state.study(study).checkpoints if c.trial == trial_id]
        return tuple(sorted(rows, key=lambda row: row.step))


def _same(a: Checkpoint, b: Checkpoint) -> bool:
    return (a.trial, a.attempt, a.step) == (b.trial, b.attempt, b.step)
