"""The ledger in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, final

from sqlalchemy import Table, func, insert, select

from justright.core.codec import fingerprint
from justright.core.decision import Decision
from justright.core.finding import Finding
from justright.store import rules
from justright.store.base import AbstractLedger
from justright.store.sql import tables
from justright.store.sql.database import Database
from justright.store.sql.rows import study_id
from justright.store.sql.tables import facts

T = TypeVar("T")


@final
class SqlLedger(AbstractLedger):
    """Entries by fingerprint and facts by version: rows that never change."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def decide(self, study: str, decision: Decision) -> None:
        self._append(tables.decisions, study, [decision])

    def decisions(self, study: str) -> tuple[Decision, ...]:
        return self._entries(tables.decisions, study, Decision)

    def find(self, study: str, findings: Sequence[Finding]) -> None:
        self._append(tables.findings, study, findings)

    def findings(self, study: str) -> tuple[Finding, ...]:
        return self._entries(tables.findings, study, Finding)

    def put(self, study: str, key: str, document: Any) -> int:
        rules.check_name("fact", key)
        text = rules.text_of(document)
        with self._database.write() as connection:
            row = study_id(connection, study)
            last = connection.execute(
                select(facts.c.version, facts.c.document)
                .where(facts.c.study_id == row, facts.c.key == key)
                .order_by(facts.c.version.desc())
                .limit(1)
            ).first()
            if last is not None and last.document == text:
                return last.version
            version = 1 if last is None else last.version + 1
            values = {
                "study_id": row,
                "key": key,
                "version": version,
                "document": text,
                "created": self._clock(),
            }
            connection.execute(insert(facts).values(values))
            return version

    def fact(self, study: str, key: str) -> Any:
        history = self._texts(study, key, newest=True)
        return rules.document_of(history[0]) if history else None

    def facts(self, study: str) -> Mapping[str, Any]:
        with self._database.read() as connection:
            row = study_id(connection, study)
            newest = (
                select(facts.c.key, func.max(facts.c.version).label("version"))
                .where(facts.c.study_id == row)
                .group_by(facts.c.key)
                .subquery()
            )
            same = (facts.c.key == newest.c.key) & (facts.c.version == newest.c.version)
            query = select(facts.c.key, facts.c.document).join(newest, same)
            rows = connection.execute(query.where(facts.c.study_id == row)).all()
        return {row.key: rules.document_of(row.document) for row in sorted(rows)}

    def history(self, study: str, key: str) -> tuple[Any, ...]:
        return tuple(rules.document_of(text) for text in self._texts(study, key))

    def _texts(self, study: str, key: str, *, newest: bool = False) -> Sequence[str]:
        order = facts.c.version.desc() if newest else facts.c.version
        with self._database.read() as connection:
            mine = (facts.c.study_id == study_id(connection, study), facts.c.key == key)
            query = select(facts.c.document).where(*mine).order_by(order)
            return connection.scalars(query.limit(1) if newest else query).all()

    def _append(self, table: Table, study: str, entries: Sequence[Any]) -> None:
        fresh = {fingerprint(entry): rules.text_of(entry) for entry in reversed(entries)}
        with self._database.write() as connection:
            row = study_id(connection, study)
            query = select(table.c.fingerprint).where(table.c.study_id == row)
            known = set(connection.scalars(query))
            values = [
                {
                    "study_id": row,
                    "fingerprint": mark,
                    "document": text,
                    "created": self._clock(),
                }
                for mark, text in reversed(fresh.items())
                if mark not in known
            ]
            if values:
                connection.execute(insert(table), values)

    def _entries(self, table: Table, study: str, kind: type[T]) -> tuple[T, ...]:
        with self._database.read() as connection:
            mine = table.c.study_id == study_id(connection, study)
            texts = connection.scalars(select(table.c.document).where(mine).order_by(table.c.id))
            return tuple(rules.value_of(kind, text) for text in texts)
