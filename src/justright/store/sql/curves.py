"""Curves and histograms in SQL, through the buffer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from sqlalchemy import Connection, Select, select

from justright.core.trial import Attempt
from justright.store import rules
from justright.store.base import AbstractCurves, AbstractHistograms
from justright.store.records import CurveSummary, Histogram
from justright.store.sql.buffer import Buffer, Key
from justright.store.sql.database import Database
from justright.store.sql.rows import study_id
from justright.store.sql.series import HISTOGRAMS, POINTS, AbstractSeries
from justright.store.sql.tables import attempts, curve_chunks, trials

_FLOAT = (float, np.floating)
_WHOLE = (int, np.integer)


@final
class SqlCurves(AbstractCurves):
    """Curves as packed chunks of up to 1,024 points."""

    def __init__(self, database: Database, buffer: Buffer) -> None:
        self._database = database
        self._buffer = buffer

    def log(self, attempt: Attempt, trial_id: str, name: str, step: int, value: float) -> None:
        # The hot path: one point, checked with as few calls as possible.
        plain = isinstance(step, _WHOLE) and isinstance(value, _FLOAT)
        if not plain or not 0 <= step < rules.MAX_STEP:
            steps, values = rules.check_points([step], [value])
            step, value = steps[0], values[0]
        self._buffer.add(Key(POINTS, attempt.id, trial_id, name), ((int(step), float(value)),))

    def extend(
        self,
        attempt: Attempt,
        trial_id: str,
        name: str,
        steps: Sequence[int] | np.ndarray,
        values: Sequence[float] | np.ndarray,
    ) -> None:
        s, v = rules.check_points(steps, values)
        items = zip(s.tolist(), v.tolist(), strict=True)
        self._buffer.add(Key(POINTS, attempt.id, trial_id, name), items)

    def flush(self) -> None:
        self._buffer.flush()

    def read(self, study: str, trial_id: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        pieces: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        with self._database.read() as connection:
            for row in connection.execute(_rows(connection, POINTS, study, trial_id, name)):
                pieces.setdefault(row.attempt_id, []).append(POINTS.arrays(row))
        return rules.splice(
            [
                (np.concatenate([s for s, _ in found]), np.concatenate([v for _, v in found]))
                for found in pieces.values()
            ]
        )

    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        return _names(self._database, POINTS, study, trial_id)

    def summaries(
        self, study: str, trial_id: str | None = None
    ) -> Mapping[tuple[str, str], CurveSummary]:
        c = curve_chunks.c
        query = (
            select(trials.c.name.label("trial"), *(column for column in c if column is not c.blob))
            .join(trials, trials.c.id == c.trial_id)
            .join(attempts, attempts.c.id == c.attempt_id)
            .order_by(attempts.c.token, c.first)
        )
        with self._database.read() as connection:
            query = query.where(trials.c.study_id == study_id(connection, study))
            if trial_id is not None:
                query = query.where(trials.c.name == trial_id)
            rows = connection.execute(query).all()
        newest: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            found = newest.setdefault((row.trial, row.name), [])
            if found and found[-1].attempt_id != row.attempt_id:
                found.clear()
            found.append(row)
        return {key: POINTS.summary(found) for key, found in newest.items()}


@final
class SqlHistograms(AbstractHistograms):
    """Histograms as packed chunks."""

    def __init__(self, database: Database, buffer: Buffer) -> None:
        self._database = database
        self._buffer = buffer

    def log(self, attempt: Attempt, trial_id: str, name: str, histogram: Histogram) -> None:
        copy = rules.check_histogram(histogram)
        self._buffer.add(Key(HISTOGRAMS, attempt.id, trial_id, name), ((copy.step, copy),))

    def read(self, study: str, trial_id: str, name: str) -> tuple[Histogram, ...]:
        kept: list[Histogram] = []
        attempt = None
        with self._database.read() as connection:
            for row in connection.execute(_rows(connection, HISTOGRAMS, study, trial_id, name)):
                if row.attempt_id != attempt:
                    attempt, kept = row.attempt_id, [h for h in kept if h.step < row.first]
                kept += [histogram for _, histogram in HISTOGRAMS.items(row)]
        return tuple(kept)

    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        return _names(self._database, HISTOGRAMS, study, trial_id)


def _rows(
    connection: Connection, kind: AbstractSeries, study: str, trial_id: str, name: str
) -> Select:
    """The chunks of a series: attempts oldest first, and by step within each."""
    table = kind.table
    return (
        select(table)
        .join(trials, trials.c.id == table.c.trial_id)
        .join(attempts, attempts.c.id == table.c.attempt_id)
        .where(
            trials.c.study_id == study_id(connection, study),
            trials.c.name == trial_id,
            table.c.name == name,
        )
        .order_by(attempts.c.token, table.c.first)
    )


def _names(database: Database, kind: AbstractSeries, study: str, trial_id: str) -> tuple[str, ...]:
    table = kind.table
    with database.read() as connection:
        query = (
            select(table.c.name)
            .distinct()
            .join(trials, trials.c.id == table.c.trial_id)
            .where(trials.c.study_id == study_id(connection, study), trials.c.name == trial_id)
            .order_by(table.c.name)
        )
        return tuple(connection.scalars(query))
