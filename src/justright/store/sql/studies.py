"""Studies in SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

from sqlalchemy import delete, insert, select, update

from justright.core.study import StudyHead
from justright.core.trial import Lease
from justright.store import rules
from justright.store.base import LEASE_S, AbstractStudies
from justright.store.holder import Holder
from justright.store.sql.database import Database
from justright.store.sql.rows import end_attempts, holder_columns, holder_of
from justright.store.sql.tables import attempts, studies, trials


@final
class SqlStudies(AbstractStudies):
    """Studies as rows; the lease is part of the row."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def open(self, head: StudyHead, holder: Holder, lease_s: float = LEASE_S) -> Lease:
        rules.check_name("study", head.name)
        with self._database.write() as connection:
            now = self._clock()
            row = connection.execute(select(studies).where(studies.c.name == head.name)).first()
            if row is None:
                values = {
                    "name": head.name,
                    "data": head.data,
                    "goal": head.goal,
                    "settings": rules.text_of(head.settings),
                    "created": head.created,
                    "token": 1,
                    **holder_columns(holder, now + lease_s),
                }
                connection.execute(insert(studies).values(values))
                return Lease(head.name, 1, str(holder), now + lease_s)
            rules.check_same_study(_head(row), head)
            old = holder_of(row)
            if old is not None and not rules.is_free(old, row.expires, now):
                raise rules.busy(head.name, old)
            end_attempts(connection, attempts.c.study_id == row.id, trials.c.study_id == row.id)
            values = {"token": row.token + 1, **holder_columns(holder, now + lease_s)}
            connection.execute(update(studies).where(studies.c.id == row.id).values(values))
            return Lease(head.name, row.token + 1, str(holder), now + lease_s)

    def heartbeat(self, lease: Lease, lease_s: float = LEASE_S) -> Lease:
        expires = self._clock() + lease_s
        with self._database.write() as connection:
            held = _held(lease)
            if not connection.execute(
                update(studies).where(*held).values(expires=expires)
            ).rowcount:
                raise rules.lost_study(lease)
        return replace(lease, expires=expires)

    def release(self, lease: Lease) -> None:
        with self._database.write() as connection:
            connection.execute(update(studies).where(*_held(lease)).values(pid=None))

    def holder(self, name: str) -> Lease | None:
        with self._database.read() as connection:
            row = connection.execute(select(studies).where(studies.c.name == name)).first()
        if row is None:
            raise rules.no_study(name)
        holder = holder_of(row)
        if holder is None or rules.is_free(holder, row.expires, self._clock()):
            return None
        return Lease(name, row.token, str(holder), row.expires)

    def heads(self) -> tuple[StudyHead, ...]:
        with self._database.read() as connection:
            order = (studies.c.created.desc(), studies.c.name)
            rows = connection.execute(select(studies).order_by(*order)).all()
        return tuple(_head(row) for row in rows)

    def head(self, name: str) -> StudyHead | None:
        with self._database.read() as connection:
            row = connection.execute(select(studies).where(studies.c.name == name)).first()
        return None if row is None else _head(row)

    def remove(self, name: str) -> None:
        with self._database.write() as connection:
            row = connection.execute(select(studies).where(studies.c.name == name)).first()
            if row is None:
                raise rules.no_study(name)
            holder = holder_of(row)
            if holder is not None and not rules.is_free(holder, row.expires, self._clock()):
                raise rules.busy(name, holder)
            # Trials point at recipes and attempts without a cascade, so they go first.
            connection.execute(delete(trials).where(trials.c.study_id == row.id))
            connection.execute(delete(studies).where(studies.c.id == row.id))


def _held(lease: Lease) -> tuple[Any, ...]:
    return (
        studies.c.name == lease.subject,
        studies.c.token == lease.token,
        studies.c.pid.is_not(None),
    )


def _head(row: Any) -> StudyHead:
    return StudyHead(row.name, row.data, row.goal, rules.document_of(row.settings), row.created)
