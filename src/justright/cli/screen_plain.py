"""Screens for what is not a terminal: one line per stage and headline, or none at all."""

from __future__ import annotations

from threading import Lock
from typing import TextIO

from justright.cli.screen_base import AbstractScreen, SafeStream, clock
from justright.core.progress import Snapshot


class QuietScreen(AbstractScreen):
    """Shows nothing."""

    def show(self, snapshot: Snapshot) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class PlainScreen(AbstractScreen):
    """One line when a stage begins, a headline is known, or the champion improves.

    Args:
        stream: Where to write.
        verbose: Also a line when what the workers do changes.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._stream = SafeStream(stream)
        self._verbose = verbose
        self._lock = Lock()
        self._last = Snapshot("", 0, 0, 0.0, None)
        self._told: set[str] = set()

    def show(self, snapshot: Snapshot) -> None:
        """Write what is new; a closed or full stream ends the writing, not the study."""
        with self._lock:
            last, self._last = self._last, snapshot
            lines = []
            if snapshot.headline and snapshot.headline not in self._told:
                self._told.add(snapshot.headline)
                lines.append(snapshot.headline)
            if (snapshot.index, snapshot.stage) != (last.index, last.stage) and snapshot.stage:
                lines.append(f"{snapshot.index}/{snapshot.total} {snapshot.stage}")
            if snapshot.champion and snapshot.champion != last.champion:
                lines.append(f"best so far {snapshot.champion}")
            if self._verbose and snapshot.activity != last.activity:
                lines += [f"  {entry}" for entry in snapshot.activity]
            for line in lines:
                self._stream.write(f"{clock(snapshot.elapsed_s):>7}  {line}\n")
            if lines:
                self._stream.flush()

    def close(self) -> None:
        """Nothing to restore."""
