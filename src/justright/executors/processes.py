"""Runs calls in worker processes."""

from __future__ import annotations

import os
import pickle
import queue
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, final

from justright.core.errors import OptionError
from justright.executors import posix
from justright.executors.base import AbstractExecutor, Call, Event, Failed, Progress
from justright.executors.cores import usable_cores
from justright.executors.dispatcher import Dispatcher, Job
from justright.executors.inline import pack_arguments
from justright.executors.nursery import ForkingNursery, Nursery, PlainNursery


@final
class ProcessExecutor(AbstractExecutor):
    """Runs calls in processes of one thread each that never import the caller's main module.

    So it works from scripts without a main guard, from ``python -c``, and from notebooks. A
    thread of its own talks to the workers. On Linux a small process imports ``preload`` once and
    forks workers in milliseconds; elsewhere each worker imports for itself. A cancelled or lost
    worker is replaced when the next call needs it.

    Args:
        workers: How many calls run at a time; None = the cores this process may use.
        preload: Groups of modules that workers import beforehand, one zygote a group, all
            started at once. A call goes to the group that names its module, else to the first.
        log: File that receives what workers write; None = an unnamed temporary file. Its end is
            the `Failed.detail` of a lost call.
        eager: Whether all groups are imported at once; else those after the first when a call
            first needs them, so that on a busy machine the first does not wait for them.
        fork: None = fork where the system allows it.

    Raises:
        OptionError: If ``workers`` is below one, or the log file cannot be written.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        preload: Sequence[Sequence[str]] = ((),),
        log: Path | None = None,
        eager: bool = True,
        fork: bool | None = None,
    ) -> None:
        self._capacity = usable_cores() if workers is None else workers
        if self._capacity < 1:
            raise OptionError(f"{workers} workers cannot work", hint="at least 1")
        groups = [tuple(group) for group in preload] or [()]
        self._pools = {name: i for i, group in reversed([*enumerate(groups)]) for name in group}
        file, remove = _open_log(log)
        forks = posix.CAN_FORK if fork is None else fork
        nurseries: list[Nursery] = [
            ForkingNursery(group, file, start=eager or place == 0)
            if forks
            else PlainNursery(group, file)
            for place, group in enumerate(groups)
        ]
        self._dispatcher = Dispatcher(nurseries, self._capacity, file)
        self._dispatcher.start()
        self._next = 1
        self._outstanding: set[int] = set()
        self._collected: list[Event] = []  # survives a KeyboardInterrupt while waiting
        # Also when the owner forgets to close, and at the interpreter's exit.
        self._finalizer = weakref.finalize(
            self, _close, self._dispatcher, file, remove, os.getpid()
        )

    @property
    def capacity(self) -> int:
        """How many calls run at the same time."""
        return self._capacity

    def submit(self, call: Call) -> int:
        """Queue a call; it starts as soon as a worker is free."""
        if not self._finalizer.alive:
            raise OptionError("the executor is closed", hint="open a new one")
        packed = pickle.dumps((call.function, pack_arguments(call)), pickle.HIGHEST_PROTOCOL)
        number = self._next
        self._next += 1
        self._outstanding.add(number)
        self._dispatcher.submit(Job(number, self._pools.get(call.module, 0), packed))
        return number

    def poll(self, timeout_s: float) -> list[Event]:
        """Events since the last poll, oldest first."""
        end = time.monotonic() + timeout_s
        while self._outstanding:
            broken = not self._dispatcher.is_alive()  # asked first: its last words count
            left = 0.0 if self._collected or broken else max(0.0, end - time.monotonic())
            try:
                event = self._dispatcher.events.get(block=left > 0, timeout=left or None)
            except queue.Empty:
                if broken:  # by a fault of its own: nobody must wait for ever
                    self._collected += map(_lost, sorted(self._outstanding))
                    self._outstanding.clear()
                break
            self._collected.append(event)
            if not isinstance(event, Progress):
                self._outstanding.discard(event.call_id)
        events, self._collected = self._collected, []
        return events

    def cancel(self, call_id: int) -> None:
        """Kill the call's worker, if it still runs."""
        if call_id in self._outstanding:
            self._dispatcher.cancel(call_id)

    def close(self) -> None:
        """Kill all workers and free everything."""
        self._finalizer()
        self._outstanding.clear()


def _lost(call_id: int) -> Failed:
    return Failed(call_id, "lost", "the executor broke before it could run this call")


def _open_log(log: Path | None) -> tuple[BinaryIO, Path | None]:
    """The file to append to, and what must be removed after closing it."""
    if log is None:
        number, name = tempfile.mkstemp(prefix="justright-", suffix=".log")
        os.close(number)
        file = open(name, "a+b", buffering=0)  # noqa: SIM115 (closed by `_close`)
        if sys.platform == "win32":  # a file in use cannot be removed there
            return file, Path(name)
        os.unlink(name)
        return file, None
    try:
        return open(log, "a+b", buffering=0), None
    except OSError as error:
        raise OptionError(
            f"the workers' log {str(log)!r} cannot be written: {error.strerror}",
            hint="name a file in a folder you can write to",
        ) from error


def _close(dispatcher: Dispatcher, file: BinaryIO, remove: Path | None, owner: int) -> None:
    if os.getpid() != owner:  # a fork of the caller must not end the caller's workers
        return
    dispatcher.stop()
    file.close()
    if remove is not None:
        remove.unlink(missing_ok=True)
