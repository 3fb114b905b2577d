"""A store in memory."""

from justright.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
