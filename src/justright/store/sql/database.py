"""Connections to one SQLite file: transactions, durability, and errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from justright.core.errors import StoreError
from justright.core.interrupts import uninterrupted
from justright.store.sql.filesystem import network_filesystem

BUSY_S = 30.0
"""How long a writer waits for the others (measured by the predecessor study of this design: 32
writers with BEGIN IMMEDIATE wait at most 2.6 s; the rest is reserve)."""

_PRAGMA_TRIES_S = 30.0  # switching to WAL ignores the busy timeout while others open the file


OUR_TABLES = frozenset({"meta", "studies"})
"""Tables by which a database of ours is known."""


@final
class Database:
    """One SQLite file, used by one process.

    Threads: any. Every transaction has its connection to itself.
    Durability: `write` survives a loss of power (synchronous FULL); `write_metrics` survives the
    death of the process, and a loss of power from the next `write` on (synchronous NORMAL).
    Isolation: a read sees one snapshot; writers follow one another (BEGIN IMMEDIATE: a deferred
    BEGIN that reads first fails at once with SQLITE_BUSY_SNAPSHOT when another writes between).
    Ctrl-C: waits for the end of a transaction.

    Args:
        path: The file; created if there is none.

    Raises:
        StoreError: If the path cannot hold a database, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._closed = True
        self._pid = os.getpid()
        _check_place(path)
        self._state = _engine(path, "FULL")
        self._metrics = _engine(path, "NORMAL")
        self._closed = False
        try:
            self._use_wal()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._begin(self._state, writes=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may read and write, durable when it ends."""
        with self._begin(self._state, writes=True) as connection:
            yield connection

    @contextmanager
    def write_metrics(self) -> Iterator[Connection]:
        """A transaction for points of curves, of which a loss of power may take the last."""
        with self._begin(self._metrics, writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._state.dispose()
            self._metrics.dispose()

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(f"unclosed store {self.path}", ResourceWarning, stacklevel=1)
            self.close()

    @contextmanager
    def _begin(self, engine: Engine, *, writes: bool) -> Iterator[Connection]:
        if self._closed:
            raise StoreError(f"the store {self.path} is closed", hint="open it again")
        if os.getpid() != self._pid:  # a forked copy of a connection corrupts the file
            raise StoreError(
                f"the store {self.path} was opened by another process",
                hint="open it again in this one",
            )
        with uninterrupted(), self._plain_errors(), engine.connect() as connection:
            connection = connection.execution_options(writes=writes)
            with connection.begin():
                yield connection

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise explain(self.path, error.orig) from error
        except sqlite3.Error as error:  # from setting up a connection
            raise explain(self.path, error) from error
        except UnicodeDecodeError as error:  # SQLite's message quotes damaged bytes
            raise explain(self.path, ValueError("malformed")) from error

    def _use_wal(self) -> None:
        deadline = time.monotonic() + _PRAGMA_TRIES_S
        while True:
            with self._plain_errors(), self._state.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                try:
                    self._check_ours(raw)
                    mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                    break
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > deadline:
                        raise
            time.sleep(0.02)
        if mode != "wal":
            raise StoreError(
                f"{self.path} lies where SQLite cannot share files (journal mode {mode})",
                hint="choose a folder on a local disk with --studies",
            )

    def _check_ours(self, raw: sqlite3.Connection) -> None:
        """Refuse another program's database before anything in it is changed."""
        names = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        tables = {name for (name,) in names}
        if tables and not tables >= OUR_TABLES:
            raise foreign(self.path, tables)


def foreign(path: Path, tables: set[str]) -> StoreError:
    """The refusal of a database of another program."""
    return StoreError(
        f"{path} is a database of another program (tables {sorted(tables)[:3]})",
        hint="choose another folder with --studies",
    )


def explain(path: Path, error: BaseException | None) -> StoreError:
    """Say what a failure of SQLite means for the user."""
    text = str(error)
    for sign, message, hint in _FAILURES:
        if sign in text:
            return StoreError(message.format(path=path), hint=hint)
    return StoreError(f"the store {path} failed: {text}", hint="run: justright doctor")


_FAILURES = (
    ("is full", "the disk is full, {path} could not grow", "free some space and run again"),
    (
        "disk I/O error",
        "{path} could not be written: the disk is full, or a limit on file sizes was met",
        "free some space, or raise the limit, and run again",
    ),
    ("readonly", "{path} is read-only", "choose a folder you may write to with --studies"),
    (
        "unable to open",
        "{path} cannot be opened or created",
        "choose a folder you may write to with --studies",
    ),
    (
        "not a database",
        "{path} is not a justright store, or is damaged",
        "restore it from a backup, or move it away to start anew",
    ),
    (
        "malformed",
        "{path} is damaged",
        "restore it from a backup, or move it away to start anew",
    ),
    ("locked", "{path} is locked by another program", "close that program and run again"),
)


def _check_place(path: Path) -> None:
    where = "choose another folder with --studies"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a store", hint=where)
        if path.exists() and path.stat().st_size:
            with path.open("rb") as file:
                magic = file.read(16)
            if magic != b"SQLite format 3\x00":
                raise explain(path, sqlite3.DatabaseError("file is not a database"))
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}", hint=where) from error
    kind = network_filesystem(path)
    if kind:
        raise StoreError(
            f"{path} lies on a network file system ({kind}), where SQLite loses data",
            hint="choose a folder on a local disk with --studies",
        )


def _engine(path: Path, synchronous: str) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
