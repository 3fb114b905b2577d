"""Where worker processes come from: forked by a zygote, or started one by one."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, final

from justright.executors import posix
from justright.executors.launch import launch
from justright.executors.wire import Channel

_STOP_S = 1.0  # patience with a process that was asked to end (assumption)


@dataclass(frozen=True)
class Child:
    """A worker process and our end of its connection."""

    number: int
    channel: Channel


class Nursery(ABC):
    """Makes workers that imported the same modules.

    `spawn` never waits: a child answers as soon as it is there. A nursery belongs to one thread.
    """

    @abstractmethod
    def spawn(self) -> Child:
        """A new worker.

        Raises:
            OSError: If no process can be started.
        """

    @abstractmethod
    def kill(self, child: Child) -> None:
        """End a worker at once; harmless if it has ended."""

    @abstractmethod
    def news(self) -> dict[int, str]:
        """Children that ended since the last time, and how, in words."""

    @property
    @abstractmethod
    def control(self) -> socket.socket | None:
        """What to watch for news; None = nothing, ask again from time to time."""

    @abstractmethod
    def close(self) -> None:
        """End all workers and free everything."""


@final
class ForkingNursery(Nursery):
    """One process imports the modules once and forks workers in milliseconds.

    Args:
        modules: What it imports.
        log: File for what workers write.
        start: Whether to import at once; else when the first worker is wanted.
    """

    def __init__(self, modules: Sequence[str], log: BinaryIO, *, start: bool = True) -> None:
        self._modules = tuple(modules)
        self._log = log
        self._numbers = itertools.count(1)
        self._alive: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._control = socket.socket()
        self._control.close()
        self._ready = False
        if start:
            self._start()

    def _start(self) -> None:
        self._ready = False
        self._process, self._control = launch("zygote", self._modules, self._log)

    @property
    def control(self) -> socket.socket | None:
        return None if self._process is None else self._control

    def spawn(self) -> Child:
        if self._process is None:
            self._start()
        number = next(self._numbers)
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):  # it is gone: `news` tells, for this child too
            posix.send_note(self._control, posix.FORK, number, theirs.fileno())
        self._alive.add(number)
        return Child(number, Channel(ours))

    def kill(self, child: Child) -> None:
        with contextlib.suppress(OSError):  # it is gone, and took its children along
            posix.send_note(self._control, posix.KILL, child.number)

    def news(self) -> dict[int, str]:
        ended: dict[int, str] = {}
        while self._process is not None:
            try:
                note = self._control.recv(posix.NOTE.size, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return ended
            except OSError:
                note = b""
            if len(note) < posix.NOTE.size:
                return ended | self._bury()
            what, number, status = posix.NOTE.unpack(note)
            if what == posix.READY:
                self._ready = True
            elif what == posix.ENDED:
                self._alive.discard(number)
                ended[number] = posix.describe_status(status)
        return ended

    def _bury(self) -> dict[int, str]:
        """The zygote is gone: all its children are; the next spawn starts a new one."""
        how = "its parent ended" if self._ready else "the process that makes workers ended"
        code = self._stop()
        ended = {n: f"{how}: {posix.describe_status(code)}" for n in self._alive}
        self._alive.clear()
        return ended

    def _stop(self) -> int:
        process, self._process = self._process, None
        self._control.close()
        if process is None:
            return 0
        if not self._ready:  # still importing: nothing to tidy up, and it would not listen
            process.kill()
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self) -> None:
        self._stop()
        self._alive.clear()


@final
class PlainNursery(Nursery):
    """Each worker is a process of its own that imports the modules itself."""

    def __init__(self, modules: Sequence[str], log: BinaryIO) -> None:
        self._modules = tuple(modules)
        self._log = log
        self._numbers = itertools.count(1)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def control(self) -> socket.socket | None:
        return None

    def spawn(self) -> Child:
        process, ours = launch("worker", self._modules, self._log)
        number = next(self._numbers)
        self._processes[number] = process
        return Child(number, Channel(ours))

    def kill(self, child: Child) -> None:
        process = self._processes.get(child.number)
        if process is not None:
            process.kill()

    def news(self) -> dict[int, str]:
        codes = {number: process.poll() for number, process in self._processes.items()}
        ended = {n: posix.describe_status(code) for n, code in codes.items() if code is not None}
        for number in ended:
            del self._processes[number]
        return ended

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
