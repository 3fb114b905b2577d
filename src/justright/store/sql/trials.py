"""Trials and attempts in SQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from sqlalchemy import Connection, and_, func, insert, select, update

from justright.core.trial import Attempt, Lease, Trial, TrialSpec, TrialState
from justright.store import rules
from justright.store.base import LEASE_S, AbstractTrials
from justright.store.holder import Holder
from justright.store.sql.database import Database
from justright.store.sql.rows import end_attempts, holder_columns, holder_of, owned, study_id
from justright.store.sql.specs import insert_specs, read_trials
from justright.store.sql.tables import attempt_trials, attempts, trials


@final
class SqlTrials(AbstractTrials):
    """Trials as rows that point at the attempt which may write them.

    Args:
        database: The connections.
        clock: Gives the Unix time.
        settle: Writes the buffered curve points; called before a trial finishes.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float], settle: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._settle = settle

    def plan(self, study: str, specs: Sequence[TrialSpec]) -> tuple[Trial, ...]:
        ids = [spec.id for spec in specs]
        by_id: dict[str, TrialSpec] = {}
        for name, spec in zip(ids, specs, strict=True):
            by_id.setdefault(name, spec)
        with self._database.write() as connection:
            row = study_id(connection, study)
            found = read_trials(connection, row, tuple(by_id))
            fresh = {name: spec for name, spec in by_id.items() if name not in found}
            insert_specs(connection, row, fresh)
            found |= read_trials(connection, row, tuple(fresh))
        return tuple(found[name] for name in ids)

    def get(self, study: str, trial_id: str) -> Trial:
        with self._database.read() as connection:
            found = read_trials(connection, study_id(connection, study), [trial_id])
        if trial_id not in found:
            raise rules.no_trial(trial_id)
        return found[trial_id]

    def list(self, study: str, stage: str | None = None) -> tuple[Trial, ...]:
        with self._database.read() as connection:
            return tuple(
                read_trials(connection, study_id(connection, study), stage=stage).values()
            )

    def start(
        self, study: str, trial_ids: Sequence[str], holder: Holder, lease_s: float = LEASE_S
    ) -> Attempt:
        ids = rules.check_ids(trial_ids)
        with self._database.write() as connection:
            now = self._clock()
            row = study_id(connection, study)
            rows = self._startable(connection, row, ids, now)
            count = select(func.count()).where(attempts.c.study_id == row)
            token = int(connection.scalar(count) or 0) + 1
            name = uuid.uuid4().hex[:16]
            values = {
                "study_id": row,
                "name": name,
                "token": token,
                "started": now,
                "open": True,
                **holder_columns(holder, now + lease_s),
            }
            result = connection.execute(insert(attempts).values(values))
            key = result.inserted_primary_key
            attempt_row = key[0] if key else 0
            links = [
                {"attempt_id": attempt_row, "position": k, "trial_id": rows[name]}
                for k, name in enumerate(ids)
            ]
            connection.execute(insert(attempt_trials), links)
            mine = trials.c.id.in_(rows.values())
            state = {"state": TrialState.RUNNING.value, "attempt_id": attempt_row}
            connection.execute(update(trials).where(mine).values(state))
        return Attempt(name, ids, Lease(name, token, str(holder), now + lease_s), now)

    def heartbeat(self, attempt: Attempt, lease_s: float = LEASE_S) -> Attempt:
        expires = self._clock() + lease_s
        with self._database.write() as connection:
            mine = (attempts.c.name == attempt.id, attempts.c.open)
            if not connection.execute(
                update(attempts).where(*mine).values(expires=expires)
            ).rowcount:
                raise rules.lost_attempt(attempt)
        return replace(attempt, lease=replace(attempt.lease, expires=expires))

    def finish(
        self,
        attempt: Attempt,
        trial_id: str,
        state: TrialState,
        result: Mapping[str, Any],
        reason: str = "",
    ) -> None:
        rules.check_final(trial_id, state)
        outcome = rules.text_of({"result": result, "reason": reason})
        self._settle()
        with self._database.write() as connection:
            _, row = owned(connection, attempt, trial_id)
            known = (trials.c.state, trials.c.outcome)
            old = connection.execute(select(*known).where(trials.c.id == row)).one()
            if not TrialState(old.state).final:
                end = {"state": state.value, "outcome": outcome}
                connection.execute(update(trials).where(trials.c.id == row).values(end))
            elif (old.state, old.outcome) != (state.value, outcome):
                raise rules.final_trial(trial_id, TrialState(old.state))

    def abandon(self, attempt: Attempt) -> None:
        with self._database.write() as connection:
            mine = (attempts.c.name == attempt.id, attempts.c.open)
            row = connection.scalar(select(attempts.c.id).where(*mine))
            if row is None:
                raise rules.lost_attempt(attempt)
            end_attempts(connection, attempts.c.id == row, trials.c.attempt_id == row)

    def retry(self, study: str, trial_ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            where = and_(
                trials.c.study_id == study_id(connection, study), trials.c.name.in_(trial_ids)
            )
            query = select(trials.c.name, trials.c.state).where(where)
            states = {row.name: TrialState(row.state) for row in connection.execute(query)}
            for trial_id in trial_ids:
                if trial_id not in states:
                    raise rules.no_trial(trial_id)
                if states[trial_id] in (TrialState.DONE, TrialState.RUNNING):
                    raise rules.final_trial(trial_id, states[trial_id])
            fresh = {"state": TrialState.PLANNED.value, "attempt_id": None, "outcome": None}
            connection.execute(update(trials).where(where).values(fresh))

    def attempts(self, study: str, trial_id: str | None = None) -> tuple[Attempt, ...]:
        query = (
            select(attempts, trials.c.name.label("trial"))
            .join(attempt_trials, attempt_trials.c.attempt_id == attempts.c.id)
            .join(trials, trials.c.id == attempt_trials.c.trial_id)
            .order_by(attempts.c.token, attempt_trials.c.position)
        )
        with self._database.read() as connection:
            row = study_id(connection, study)
            rows = connection.execute(query.where(attempts.c.study_id == row)).all()
        members: dict[int, list[str]] = {}
        for row in rows:
            members.setdefault(row.id, []).append(row.trial)
        one_each = {row.id: row for row in rows}.values()
        found = (_attempt(row, tuple(members[row.id])) for row in one_each)
        return tuple(a for a in found if trial_id is None or trial_id in a.trials)

    def _startable(
        self, connection: Connection, study: int, ids: tuple[str, ...], now: float
    ) -> dict[str, int]:
        """Rows of the trials, after taking over those whose attempt is stale."""
        query = (
            select(trials.c.id, trials.c.name, trials.c.state, trials.c.attempt_id)
            .add_columns(attempts.c.pid, attempts.c.host, attempts.c.since, attempts.c.expires)
            .outerjoin(attempts, attempts.c.id == trials.c.attempt_id)
            .where(trials.c.study_id == study, trials.c.name.in_(ids))
        )
        rows = {row.name: row for row in connection.execute(query)}
        stale = set()
        for trial_id in ids:
            if trial_id not in rows:
                raise rules.no_trial(trial_id)
            row = rows[trial_id]
            state, holder = TrialState(row.state), holder_of(row)
            if state.final:
                raise rules.final_trial(trial_id, state)
            if state is TrialState.RUNNING:
                if holder is not None and not rules.is_free(holder, row.expires, now):
                    raise rules.taken(trial_id, holder)
                stale.add(row.attempt_id)
        if stale:
            end_attempts(connection, attempts.c.id.in_(stale), trials.c.attempt_id.in_(stale))
        return {name: row.id for name, row in rows.items()}


def _attempt(row: Any, members: tuple[str, ...]) -> Attempt:
    lease = Lease(row.name, row.token, str(holder_of(row)), row.expires)
    return Attempt(row.name, members, lease, row.started)
