"""Entry of the command line; imports next to nothing, so that Ctrl-C is heard from the start.

What takes time, the imports, happens where a signal ends the process at once with one line:
Python would show a trace of whatever was being imported.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` alone takes 15 ms to import
    from collections.abc import Sequence
    from types import FrameType, TracebackType
    from typing import Any

STOPPED = 130


class stopped_at_once:  # named as the function that it is used like
    """While inside, Ctrl-C ends the process with one line and exit code 130.

    For stretches with nothing to tidy up. Outside the main thread, or where a program has its own
    answer to Ctrl-C, it does nothing.
    """

    def __enter__(self) -> None:
        self._before: Any = None
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                self._before = signal.signal(signal.SIGINT, _leave)
            except ValueError:  # not the main thread
                return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


def _leave(_number: int, _frame: FrameType | None) -> None:
    try:
        os.write(2, b"justright: stopped\n")
    finally:
        os._exit(STOPPED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 2 bad input, 130 Ctrl-C, 1 our own fault."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with stopped_at_once():
            from justright.cli.commands import run  # noqa: PLC0415 (heavy: see the top)
        return run(words)
    except KeyboardInterrupt:  # in the moment between two of our answers to it
        sys.stderr.write("justright: stopped\n")
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
