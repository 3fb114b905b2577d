"""What every screen can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from justright.core.progress import Snapshot


class AbstractScreen(ABC):
    """Shows snapshots until it is closed.

    `show` is fast, may be called from any thread, and never raises: a study must not end because
    a terminal was closed.
    """

    @abstractmethod
    def show(self, snapshot: Snapshot) -> None:
        """Take notice of a snapshot."""

    def __call__(self, snapshot: Snapshot) -> None:
        """Take notice of a snapshot: a screen is a `core.progress.Listener`."""
        self.show(snapshot)

    @abstractmethod
    def close(self) -> None:
        """Leave the terminal as it was; a second call does nothing."""

    def __enter__(self) -> Self:
        """Give the screen itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the screen, also after Ctrl-C."""
        self.close()


class SafeStream:
    """A text stream whose failures are forgotten: a reader that left, a closed terminal.

    Args:
        stream: The stream that may fail.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or nothing if the stream is gone."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Flush the stream if it is still there."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal; a stream that is gone is none."""
        try:
            return self._stream.isatty()
        except (OSError, ValueError, AttributeError):
            return False

    def fileno(self) -> int:
        """The number of the file behind it, by which its size is asked."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """Its encoding, which decides the characters that can be drawn."""
        return getattr(self._stream, "encoding", None) or "utf-8"


def clock(seconds: float) -> str:
    """A time as it stands on a clock.

    >>> clock(7.9), clock(65), clock(3725), clock(-1)
    ('0:07', '1:05', '1:02:05', '0:00')
    """
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}"
