"""Numbered schema changes, forward only.

To change the schema: change `tables.py`, append a `Migration` with the next number to
`MIGRATIONS`, and keep a dump of the version before as a fixture of the tests. A new database is
made from `tables.py` at once; a test holds both ways against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, update

from justright.core.errors import StoreError
from justright.store.sql.database import OUR_TABLES, Database, explain, foreign
from justright.store.sql.tables import meta, metadata

FIRST = 1
"""The version that a database without any migration has."""


@dataclass(frozen=True)
class Migration:
    """One step forward.

    Attributes:
        number: Version of the schema after it.
        title: What it does.
        apply: Changes the tables; runs inside the transaction that also records the number.
    """

    number: int
    title: str
    apply: Callable[[Connection], None]


MIGRATIONS: tuple[Migration, ...] = ()


def bring_up_to_date(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Create the tables, or apply what is missing; return the version.

    All of it is one transaction: a failure, or a kill, leaves the database as it was.

    Raises:
        StoreError: If the database is newer than this program, or not one of ours.
    """
    current = max([FIRST, *(migration.number for migration in migrations)])
    with database.read() as connection:
        if _version(connection, database.path) == current:
            return current
    with database.write() as connection:
        version = _version(connection, database.path)
        if version == 0:
            metadata.create_all(connection)
            rows = [
                {"key": "product", "value": "justright"},
                {"key": "schema", "value": str(current)},
            ]
            connection.execute(insert(meta), rows)
            return current
        if version > current:
            raise StoreError(
                f"{database.path} was written by a newer justright"
                f" (schema {version}, this one knows {current})",
                hint="upgrade with: pip install --upgrade justright",
            )
        for migration in migrations:
            if migration.number > version:
                migration.apply(connection)
                where = meta.c.key == "schema"
                connection.execute(update(meta).where(where).values(value=str(migration.number)))
    return current


def _version(connection: Connection, path: Path) -> int:
    """Version of the schema; 0 for an empty database."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return 0
    if not tables >= OUR_TABLES:
        raise foreign(path, tables)
    count = connection.scalar(select(func.count()).select_from(meta))
    found = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
    if not count or found is None or not found.isdigit():
        raise explain(path, ValueError("malformed"))
    return int(found)
