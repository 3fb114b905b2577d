"""A store in one SQLite file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import final

from sqlalchemy import select

from justright.core.errors import StoreError
from justright.store.base import AbstractStore
from justright.store.sql.buffer import Buffer
from justright.store.sql.checkpoints import SqlCheckpoints
from justright.store.sql.curves import SqlCurves, SqlHistograms
from justright.store.sql.database import Database
from justright.store.sql.ideas import SqlIdeas
from justright.store.sql.ledger import SqlLedger
from justright.store.sql.migrations import bring_up_to_date
from justright.store.sql.outbox import SqlOutbox
from justright.store.sql.series import KINDS
from justright.store.sql.studies import SqlStudies
from justright.store.sql.trials import SqlTrials


@final
class SqlStore(AbstractStore):
    """All facets over one SQLite file.

    Args:
        path: The file; created with its folders if there is none.
        clock: Gives the Unix time; tests hand in their own.

    Raises:
        StoreError: If the file cannot be used, is damaged, or is newer than this program.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path)
        try:
            bring_up_to_date(self._database)
        except BaseException:
            self._database.close()
            raise
        self._buffer = Buffer(self._database)
        self.studies = SqlStudies(self._database, clock)
        self.trials = SqlTrials(self._database, clock, self._buffer.settle)
        self.curves = SqlCurves(self._database, self._buffer)
        self.histograms = SqlHistograms(self._database, self._buffer)
        self.ideas = SqlIdeas(self._database, clock)
        self.ledger = SqlLedger(self._database, clock)
        self.checkpoints = SqlCheckpoints(self._database)
        self.outbox = SqlOutbox(self._database, clock)

    def close(self) -> None:
        """Flush what is buffered and close the file."""
        try:
            self._buffer.close()
        finally:
            self._database.close()

    def check(self) -> tuple[str, ...]:
        """SQLite's own check, references that lead nowhere, and every checksum."""
        damage = []
        with self._database.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            damage += [f"file: {line}" for line in pages if line != "ok"]
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                damage.append(f"table {row[0]}: row {row[1]} refers to a missing row of {row[2]}")
            for kind in KINDS:
                for row in connection.execute(select(kind.table)):
                    try:
                        kind.items(row)
                    except StoreError as error:
                        where = f"{kind.table.name} {row.name!r} from step {row.first}"
                        damage.append(f"{where}: {error.message}")
        return tuple(damage)
