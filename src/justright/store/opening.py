"""Opening the store that a path or URL names."""

from __future__ import annotations

from pathlib import Path

from justright.core.errors import StoreError
from justright.store.base import AbstractStore
from justright.store.memory import MemoryStore
from justright.store.sql.store import SqlStore

STORE_FILE = "justright.db"
"""Name of the store inside a folder of studies."""


def open_store(place: str | Path) -> AbstractStore:
    """Open a store, creating it where there is none.

    Args:
        place: A folder (the store is the file ``justright.db`` in it), a file, a URL such as
            ``sqlite:////home/me/studies/justright.db``, or ``memory:``. A path that does not
            exist names a file if it has a suffix, otherwise a folder.

    Raises:
        StoreError: If the place cannot hold a store, or holds something else.

    >>> with open_store("memory:") as store:
    ...     store.studies.heads()
    ()
    """
    text = str(place)
    if text in ("memory:", "memory://"):
        return MemoryStore()
    if text.startswith("sqlite:///"):
        place = Path(text.removeprefix("sqlite:///"))
    elif "://" in text:
        raise StoreError(
            f"a store cannot be kept at {text.partition('://')[0]}://",
            hint="give a folder, a file, or sqlite:///FILE",
        )
    path = Path(place).expanduser()
    inside = path.is_dir() or (not path.exists() and not path.suffix)
    if inside and path.name != STORE_FILE:
        path = path / STORE_FILE
    return SqlStore(path)
