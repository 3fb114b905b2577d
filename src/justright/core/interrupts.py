"""Requests to end (Ctrl-C, SIGTERM, a closed terminal) that wait for what must not be torn.

Python raises KeyboardInterrupt wherever the main thread happens to be. Inside a transaction that
leaves a connection open and the store locked for as long as the traceback lives: the very writes
that are to save what is finished would then wait for it (LOG.md, 2026-11-21).
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals by which a program is asked to end."""


class _Requests:
    """What the main thread, in which alone signals are handled, knows of them."""

    depth = 0
    waiting = False


@contextlib.contextmanager
def ended_by_signals(names: tuple[str, ...] = ENDING) -> Iterator[None]:
    """Let requests to end raise KeyboardInterrupt in the main thread, but not in `uninterrupted`.

    Outside the main thread, where signals cannot be set, it does nothing.

    Args:
        names: The signals. What others handle, or our parent ignores (nohup), stays as it is.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in names:
            number = getattr(signal, name, None)  # Windows knows no SIGHUP
            plain = (signal.SIG_DFL, signal.default_int_handler)
            if number is not None and signal.getsignal(number) in plain:
                before[number] = signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let requests to end wait until this block is done; they are obeyed as it is left.

    Raises:
        KeyboardInterrupt: On leaving, if there was a request meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Requests.depth += 1
    try:
        yield
    finally:
        _Requests.depth -= 1
        if _Requests.waiting and not _Requests.depth:
            _Requests.waiting = False
            raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    if _Requests.depth:
        _Requests.waiting = True
    else:
        raise KeyboardInterrupt
