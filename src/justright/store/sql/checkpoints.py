"""Checkpoints in SQL (their records; the bytes are files)."""

from __future__ import annotations

from typing import final

from sqlalchemy import and_, insert, select, update

from justright.core.trial import Attempt
from justright.store.base import AbstractCheckpoints
from justright.store.records import Checkpoint, CheckpointState
from justright.store.sql.database import Database
from justright.store.sql.rows import owned, study_id
from justright.store.sql.tables import attempts, checkpoints, trials


@final
class SqlCheckpoints(AbstractCheckpoints):
    """Checkpoints as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, attempt: Attempt, trial_id: str, step: int, path: str, sha256: str, size: int
    ) -> None:
        with self._database.write() as connection:
            attempt_row, trial_row = owned(connection, attempt, trial_id)
            key = {"attempt_id": attempt_row, "trial_id": trial_row, "step": step}
            same = and_(*(checkpoints.c[name] == value for name, value in key.items()))
            if connection.scalar(select(checkpoints.c.id).where(same)) is None:
                state = CheckpointState.GOOD.value
                values = {**key, "path": path, "sha256": sha256, "size": size, "state": state}
                connection.execute(insert(checkpoints).values(values))

    def latest(self, study: str, trial_id: str) -> Checkpoint | None:
        good = [c for c in self.list(study, trial_id) if c.state is CheckpointState.GOOD]
        return good[-1] if good else None

    def mark(self, study: str, checkpoint: Checkpoint, state: CheckpointState) -> None:
        with self._database.write() as connection:
            row = study_id(connection, study)
            trial = select(trials.c.id).where(
                trials.c.study_id == row, trials.c.name == checkpoint.trial
            )
            attempt = select(attempts.c.id).where(attempts.c.name == checkpoint.attempt)
            connection.execute(
                update(checkpoints)
                .where(
                    checkpoints.c.trial_id == trial.scalar_subquery(),
                    checkpoints.c.attempt_id == attempt.scalar_subquery(),
                    checkpoints.c.step == checkpoint.step,
                )
                .values(state=state.value)
            )

    def list(self, study: str, trial_id: str) -> tuple[Checkpoint, ...]:
        c = checkpoints.c
        query = (
            select(attempts.c.name, c.step, c.path, c.sha256, c.size, c.state)
            .join(trials, trials.c.id == c.trial_id)
            .join(attempts, attempts.c.id == c.attempt_id)
            .where(trials.c.name == trial_id)
            .order_by(c.step, c.id)
        )
        with self._database.read() as connection:
            mine = trials.c.study_id == study_id(connection, study)
            rows = connection.execute(query.where(mine)).all()
        return tuple(
            Checkpoint(trial_id, *row[:-1], state=CheckpointState(row.state)) for row in rows
        )
