"""Both stores keep the same contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from justright.store.base import AbstractStore
from justright.store.memory import MemoryStore
from justright.store.sql.store import SqlStore
from justright.testing.stores import StoreContract


class TestMemoryStore(StoreContract):
    def open(self, folder: Path, clock: Callable[[], float]) -> AbstractStore:
        return MemoryStore(clock)


class TestSqlStore(StoreContract):
    def open(self, folder: Path, clock: Callable[[], float]) -> AbstractStore:
        return SqlStore(folder / "justright.db", clock)
