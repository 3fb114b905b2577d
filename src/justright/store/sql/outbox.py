"""The outbox in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from sqlalchemy import and_, insert, select, update

from justright.store import rules
from justright.store.base import AbstractOutbox
from justright.store.records import Parcel
from justright.store.sql.database import Database
from justright.store.sql.rows import study_id
from justright.store.sql.tables import parcels, studies


@final
class SqlOutbox(AbstractOutbox):
    """Parcels as rows, numbered in the order they were posted."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def post(self, study: str, mirror: str, key: str, document: Mapping[str, Any]) -> None:
        rules.check_name("mirror", mirror)
        rules.check_name("message", key)
        with self._database.write() as connection:
            values = {"study_id": study_id(connection, study), "mirror": mirror, "key": key}
            same = and_(*(parcels.c[name] == value for name, value in values.items()))
            if connection.scalar(select(parcels.c.id).where(same)) is None:
                fresh = {"tries": 0, "reason": '""', "due": 0.0, "sent": False}
                body = {"document": rules.text_of(document)}
                connection.execute(insert(parcels).values({**values, **body, **fresh}))

    def due(self, mirror: str, limit: int = 100) -> tuple[Parcel, ...]:
        c = parcels.c
        query = (
            select(c.id, studies.c.name, c.mirror, c.key, c.document, c.tries, c.reason)
            .join(studies, studies.c.id == c.study_id)
            .where(c.mirror == mirror, c.sent.is_(False), c.due <= self._clock())
            .order_by(c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Parcel(
                *row[:4], rules.document_of(row.document), row.tries, rules.document_of(row.reason)
            )
            for row in rows
        )

    def sent(self, parcel: Parcel) -> None:
        with self._database.write() as connection:
            mine = parcels.c.id == parcel.id
            connection.execute(update(parcels).where(mine).values(sent=True))

    def failed(self, parcel: Parcel, reason: str, retry_at: float) -> None:
        with self._database.write() as connection:
            values = {
                "tries": parcels.c.tries + 1,
                "reason": rules.text_of(reason),
                "due": retry_at,
            }
            connection.execute(update(parcels).where(parcels.c.id == parcel.id).values(values))
