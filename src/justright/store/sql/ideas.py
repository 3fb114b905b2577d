"""Ideas in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from sqlalchemy import Connection, Table, insert, select

from justright.core.errors import StoreError
from justright.core.idea import Idea, Prediction, Verdict
from justright.store import rules
from justright.store.base import AbstractIdeas
from justright.store.records import IdeaRecord
from justright.store.sql.database import Database
from justright.store.sql.rows import study_id
from justright.store.sql.tables import ideas, predictions, verdicts


@final
class SqlIdeas(AbstractIdeas):
    """Ideas as rows; predictions and verdicts as versions, which only grow."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def add(self, study: str, idea: Idea) -> str:
        name = rules.idea_id(study, idea)
        with self._database.write() as connection:
            parent = study_id(connection, study)
            row = connection.scalar(select(ideas.c.id).where(ideas.c.name == name))
            if row is None:
                values = {
                    "study_id": parent,
                    "name": name,
                    "document": rules.text_of(idea),
                    "created": self._clock(),
                }
                result = connection.execute(insert(ideas).values(values))
                key = result.inserted_primary_key
                row = key[0] if key else 0
            text = rules.text_of(idea.prediction)
            known = _versions(connection, predictions, row)
            if not known or known[-1] != text:
                judged = [_verdict(verdict) for verdict in _versions(connection, verdicts, row)]
                rules.check_prediction_time(idea, judged)
                self._append(connection, predictions, row, len(known) + 1, text)
        return name

    def judge(self, idea_id: str, verdict: Verdict) -> None:
        text = rules.text_of(verdict)
        with self._database.write() as connection:
            row = connection.scalar(select(ideas.c.id).where(ideas.c.name == idea_id))
            if row is None:
                raise StoreError(f"there is no idea {idea_id!r}", hint="add it first")
            known = _versions(connection, verdicts, row)
            if not known or known[-1] != text:
                self._append(connection, verdicts, row, len(known) + 1, text)

    def list(self, study: str) -> tuple[IdeaRecord, ...]:
        with self._database.read() as connection:
            of_study = ideas.c.study_id == study_id(connection, study)
            rows = connection.execute(select(ideas).where(of_study).order_by(ideas.c.id)).all()
            forecasts = _by_idea(connection, predictions, of_study)
            judged = _by_idea(connection, verdicts, of_study)
        return tuple(_record(row, forecasts[row.id], judged.get(row.id, ())) for row in rows)

    def _append(
        self, connection: Connection, table: Table, idea: int, version: int, text: str
    ) -> None:
        values = {
            "idea_id": idea,
            "version": version,
            "document": text,
            "created": self._clock(),
        }
        connection.execute(insert(table).values(values))


def _versions(connection: Connection, table: Table, idea: int) -> tuple[str, ...]:
    query = select(table.c.document).where(table.c.idea_id == idea).order_by(table.c.version)
    return tuple(connection.scalars(query))


def _by_idea(connection: Connection, table: Table, of_study: Any) -> dict[int, tuple[str, ...]]:
    query = select(table.c.idea_id, table.c.document).join(ideas, ideas.c.id == table.c.idea_id)
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(query.where(of_study).order_by(table.c.version)):
        found[row.idea_id] = (*found.get(row.idea_id, ()), row.document)
    return found


def _record(row: Any, forecasts: tuple[str, ...], judged: tuple[str, ...]) -> IdeaRecord:
    predicted = tuple(rules.value_of(Prediction, text) for text in forecasts)
    idea = rules.idea_of(rules.document_of(row.document), predicted[-1])
    found = tuple(_verdict(text) for text in judged)
    return IdeaRecord(row.name, idea, predicted, found, row.created)


def _verdict(text: str) -> Verdict:
    return rules.value_of(Verdict, text)
