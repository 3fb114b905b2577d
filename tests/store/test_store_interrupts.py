"""A request to end, at any moment of a transaction, leaves the store free for the next writer."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from justright.core.interrupts import ended_by_signals
from justright.store.opening import STORE_FILE, open_store
from justright.store.sql import database
from justright.testing.stores.case import opened

_OURS = ("justright", "contextlib")


@contextmanager
def asked_to_end(moment: int) -> Iterator[list[int]]:
    """Raise SIGTERM at this moment: any call of Python code, any line or return of ours.

    Code of context managers counts as ours: between theirs and ours is where it was torn.

    Yields:
        The moments seen so far, of which there is one.
    """
    seen = [0]

    def count(frame: FrameType, event: str, _value: Any) -> Any:
        if event != "exception":
            seen[0] += 1
            if seen[0] == moment:
                sys.settrace(None)
                signal.raise_signal(signal.SIGTERM)
        return count if any(part in frame.f_code.co_filename for part in _OURS) else None

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield seen
    finally:
        sys.settrace(before)


def test_the_next_writer_never_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback is alive, as it is where a study saves what it has."""
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    gc.disable()  # what is raised while garbage is collected is printed and forgotten
    stopped = 0
    try:
        with open_store(tmp_path / STORE_FILE) as store, ended_by_signals():
            opened(store)
            moment = 0
            while True:
                moment += 1
                try:
                    with asked_to_end(moment) as seen:
                        store.ledger.put("houses", "fact", {"moment": moment})
                except KeyboardInterrupt:
                    stopped += 1
                    store.ledger.put("houses", "after", {"moment": moment})
                else:
                    assert seen[0] < moment, "a request to end was lost"
                    break
            assert store.ledger.fact("houses", "after") == {"moment": moment - 1}
    finally:
        gc.enable()
    assert stopped > 300
