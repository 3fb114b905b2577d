"""Small queries that several facets share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from justright.core.trial import Attempt, TrialState
from justright.store import rules
from justright.store.holder import Holder
from justright.store.sql.tables import attempts, studies, trials


def study_id(connection: Connection, name: str) -> int:
    """The row of a study that must exist."""
    found = connection.scalar(select(studies.c.id).where(studies.c.name == name))
    if found is None:
        raise rules.no_study(name)
    return found


def holder_of(row: Any) -> Holder | None:
    """The holder in a row of studies or attempts; None after a release."""
    return None if row.pid is None else Holder(row.pid, row.host, row.since)


def holder_columns(holder: Holder, expires: float) -> dict[str, Any]:
    """The columns that name a holder."""
    return {
        "pid": holder.pid,
        "host": holder.host,
        "since": holder.since,
        "expires": expires,
    }


def owned(connection: Connection, attempt: Attempt, trial_id: str) -> tuple[int, int]:
    """Rows of an open attempt and of a trial that it holds; raises `Fenced` otherwise."""
    row = connection.execute(
        select(attempts.c.id, trials.c.id)
        .join(trials, trials.c.attempt_id == attempts.c.id)
        .where(attempts.c.name == attempt.id, attempts.c.open, trials.c.name == trial_id)
    ).first()
    if row is None:
        raise rules.lost_attempt(attempt)
    return row[0], row[1]


def end_attempts(connection: Connection, which: Any, running: Any) -> None:
    """End attempts: what runs in them becomes planned again.

    Args:
        connection: A transaction that writes.
        which: Condition on `attempts`.
        running: The same condition on `trials`.
    """
    connection.execute(update(attempts).where(which, attempts.c.open).values(open=False))
    connection.execute(
        update(trials)
        .where(running, trials.c.state == TrialState.RUNNING.value)
        .values(state=TrialState.PLANNED.value, attempt_id=None)
    )
