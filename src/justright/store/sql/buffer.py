"""Points wait here for a moment, so that logging costs the trainer microseconds.

A thread writes what has come in once a second, or when 1,024 items wait. The last chunk of a
series is written again with the new points until it is full: no compaction is needed later.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, final

from sqlalchemy import Connection, and_, delete, insert, select

from justright.core.errors import Fenced, StoreError
from justright.store import rules
from justright.store.sql.database import Database
from justright.store.sql.series import KINDS, AbstractSeries, Item
from justright.store.sql.tables import attempts, trials

FLUSH_S = 1.0
FLUSH_ITEMS = 1024
# Both published in the design's operations notes (durable within 1 s or 1,024 points).
MAX_WAITING = 1_000_000  # assumption: about 150 MB; reached only when writing fails for long
_MAX_TAILS = 1024  # assumption: open series remembered; others are read again when they grow


class Key(NamedTuple):
    """What an item belongs to."""

    kind: AbstractSeries
    attempt: str
    trial: str
    name: str


class _Tail(NamedTuple):
    """The items of a series' last, not yet full chunk, and its last step (-1 before any)."""

    items: list[Item]
    last: int


@final
class Buffer:
    """Items of series that were logged and not yet written.

    Threads: any; one lock around the waiting items, one around writing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._waiting: dict[Key, list[Item]] = {}
        self._count = 0
        self._tails: dict[Key, _Tail] = {}
        self._lost: set[tuple[str, str]] = set()
        self._news: set[str] = set()
        self._error: StoreError | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, key: Key, items: Iterable[Item]) -> None:
        """Append items; raises `Fenced` if writing has noticed that the attempt was ended."""
        if self._lost and key[1:3] in self._lost:
            raise _thrown_away({key.attempt})
        if self._closed:
            raise StoreError("the store is closed", hint="open it again")
        if self._count > MAX_WAITING and self._error is not None:
            raise self._error
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                rules.check_name("curve", key.name)
                waiting = self._waiting[key] = []
                self._start()
            before = len(waiting)
            waiting.extend(items)
            self._count += len(waiting) - before
            full = self._count >= FLUSH_ITEMS
        if full and not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write all that waits; raises what `AbstractCurves.flush` names."""
        self.settle()
        with self._lock:
            news, self._news = self._news, set()
        if news:
            raise _thrown_away(news)

    def settle(self) -> None:
        """Write all that waits, and keep quiet about ended attempts; `flush` will tell."""
        with self._writing:
            with self._lock:
                batch, self._waiting = self._waiting, {}
                count, self._count = self._count, 0
            if not batch:
                return
            try:
                self._write(batch)
                self._error = None
            except BaseException as error:
                with self._lock:  # nothing is lost: what came in meanwhile goes behind it
                    for key, items in self._waiting.items():
                        batch.setdefault(key, []).extend(items)
                    self._waiting = batch
                    self._count += count
                if isinstance(error, StoreError):
                    self._error = error
                raise

    def close(self) -> None:
        """Write all that waits and end the thread."""
        if self._closed:
            return
        try:
            self.settle()
        finally:
            self._closed = True
            self._wake.set()
            if self._thread is not None:
                self._thread.join()

    @property
    def closed(self) -> bool:
        """Whether nothing more is taken."""
        return self._closed

    def _start(self) -> None:
        if self._thread is None:
            # A weak reference, so that a store nobody closed can still be collected (and warn).
            arguments = (weakref.ref(self), self._wake)
            self._thread = threading.Thread(
                target=_write_now_and_then, args=arguments, name="justright-store", daemon=True
            )
            self._thread.start()

    def _write(self, batch: dict[Key, list[Item]]) -> None:
        tails: dict[Key, _Tail] = {}
        lost: set[tuple[str, str]] = set()
        with self._database.write_metrics() as connection:
            rows = _owners(connection, batch)
            stale: dict[AbstractSeries, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
            fresh: dict[AbstractSeries, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
            for key, items in batch.items():
                row = rows.get(key[1:3])
                if row is None:
                    lost.add((key.attempt, key.trial))
                    continue
                mine = {**row, "name": key.name}
                tail = self._tails.get(key) or _stored_tail(connection, key.kind, mine)
                chunks = list(_chunks(key.kind, tail, items))
                if not chunks:
                    continue
                if tail.items:
                    stale[key.kind].append({**mine, "first": tail.items[0][0]})
                for chunk in chunks:
                    head = {**mine, "first": chunk[0][0]}
                    fresh[key.kind].append({**head, **key.kind.columns(chunk)})
                full = len(chunks[-1]) >= key.kind.limit
                tails[key] = _Tail([] if full else chunks[-1], chunks[-1][-1][0])
            for kind in KINDS:
                _replace(connection, kind, stale[kind], fresh[kind])
        self._remember(tails)
        with self._lock:
            self._lost |= lost
            self._news |= {attempt for attempt, _ in lost}

    def _remember(self, tails: dict[Key, _Tail]) -> None:
        for key, tail in tails.items():
            self._tails.pop(key, None)
            self._tails[key] = tail  # newest last
        for key in list(self._tails)[: max(0, len(self._tails) - _MAX_TAILS)]:
            del self._tails[key]


def _write_now_and_then(buffer: weakref.ref[Buffer], wake: threading.Event) -> None:
    while True:
        wake.wait(FLUSH_S)
        wake.clear()
        alive = buffer()
        if alive is None or alive.closed:
            return
        try:
            alive.settle()
        except StoreError:
            # Kept in the buffer with its items: flush, finish and close raise it to the caller.
            wake.wait(FLUSH_S)
        del alive


def _thrown_away(attempt_ids: set[str]) -> Fenced:
    return Fenced(
        f"points of ended attempts were not recorded ({', '.join(sorted(attempt_ids))})",
        hint="their trials were taken over",
    )


def _owners(connection: Connection, batch: Iterable[Key]) -> dict[tuple[str, ...], dict[str, int]]:
    """Rows of the attempts and trials that may be written, by their names."""
    names = sorted({key.attempt for key in batch})
    query = (
        select(attempts.c.name, trials.c.name, attempts.c.id, trials.c.id)
        .join(trials, trials.c.attempt_id == attempts.c.id)
        .where(attempts.c.name.in_(names), attempts.c.open)
    )
    return {
        (attempt, trial): {"attempt_id": attempt_row, "trial_id": trial_row}
        for attempt, trial, attempt_row, trial_row in connection.execute(query)
    }


def _stored_tail(connection: Connection, kind: AbstractSeries, mine: dict[str, Any]) -> _Tail:
    table = kind.table
    same = and_(*(table.c[name] == value for name, value in mine.items()))
    query = select(table).where(same).order_by(table.c.first.desc()).limit(1)
    row = connection.execute(query).first()
    if row is None:
        return _Tail([], -1)
    return _Tail(kind.items(row) if row.points < kind.limit else [], row.last_step)


def _chunks(kind: AbstractSeries, tail: _Tail, items: list[Item]) -> Iterator[list[Item]]:
    """Full chunks and a last one from the tail and what is new; nothing if nothing is new."""
    last, new = tail.last, []
    for item in items:
        if item[0] > last:
            new.append(item)
            last = item[0]
    if not new:
        return
    chunk = list(tail.items)
    for item in new:
        if len(chunk) >= kind.limit or (chunk and kind.width(chunk[0]) != kind.width(item)):
            yield chunk
            chunk = []
        chunk.append(item)
    yield chunk


def _replace(
    connection: Connection,
    kind: AbstractSeries,
    stale: list[dict[str, Any]],
    fresh: list[dict[str, Any]],
) -> None:
    table = kind.table
    for row in stale:
        connection.execute(delete(table).where(*(table.c[n] == v for n, v in row.items())))
    if fresh:
        connection.execute(insert(table), fresh)
