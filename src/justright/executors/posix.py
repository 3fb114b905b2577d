"""Everything about processes that only POSIX systems offer, Linux extras included."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

# macOS offers fork, but its system libraries do not survive it (Accelerate, Objective-C; the
# reason why multiprocessing stopped forking there): plain children instead. Assumption.
CAN_FORK = sys.platform == "linux"

FORK, KILL, READY, ENDED = 1, 2, 3, 4
NOTE = struct.Struct("!BQi")  # what, number of the child, status: between main and the zygote
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# How much sooner than other processes the kernel ends a worker when memory runs out (range
# -1000 to 1000): the main process, which keeps the results, must survive. Assumption.
_OOM_SCORE = 500


def send_note(sock: socket.socket, what: int, number: int, fd: int | None = None) -> None:
    """Send a note to the zygote, for `FORK` with the socket of the new child."""
    socket.send_fds(sock, [NOTE.pack(what, number, 0)], [] if fd is None else [fd])


def leave_with(parent: int) -> None:
    """End this process when its parent ends, as soon as Python runs (Linux; else nothing).

    The kernel sends the signal also when only the *thread* that started this process ends, so
    the handler looks whether the parent is really gone.

    Args:
        parent: Process id that the parent had when it started this process.
    """

    def look(_signal: int, _frame: FrameType | None) -> None:
        if os.getppid() != parent:
            os._exit(0)

    signal.signal(signal.SIGUSR1, look)
    _ask_for_signal_at_death(signal.SIGUSR1)
    look(0, None)


def _die_with(parent: int) -> None:
    """Be killed when the parent ends, whatever is running (for children of one-thread parents)."""
    _ask_for_signal_at_death(signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _ask_for_signal_at_death(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def offer_to_memory_killer() -> None:
    """Let the kernel end this process first when memory runs out (Linux)."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(str(_OOM_SCORE))
    except OSError:  # no /proc, or not allowed: nothing depends on it
        return


def describe_status(status: int) -> str:
    """How a process ended, in words; negative for a signal, as `subprocess` has it.

    >>> describe_status(-9)
    'killed by SIGKILL (from outside, or the machine ran out of memory)'
    """
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    extra = " (from outside, or the machine ran out of memory)" if status == -9 else ""
    return f"killed by {name}{extra}"


@dataclass
class Zygote:
    """A process that imported what workers need and forks them on request.

    It never computes: a fork after OpenMP or other threads have run would hang.

    Attributes:
        control: Connection to the main process; its end ends everything.
        serve: What a forked child does with its own connection; never returns.
    """

    control: socket.socket
    serve: Callable[[socket.socket], None]
    _children: dict[int, int] = field(default_factory=dict)  # process id -> number

    def run(self) -> None:
        """Serve requests until the main process is gone, then take all children along."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        send_note(self.control, READY, 0)
        try:
            while True:
                ready, _, _ = select.select([self.control, reader], [], [])
                if reader in ready:
                    os.read(reader, 4096)
                    self._reap()
                if self.control in ready and not self._answer((reader, writer)):
                    return
        finally:
            self._end_all()

    def _answer(self, wakeup: tuple[int, int]) -> bool:
        try:
            message, fds, _, _ = socket.recv_fds(self.control, NOTE.size, 1)
        except OSError:
            return False
        if len(message) < NOTE.size:
            return False
        what, number, _ = NOTE.unpack(message)
        if what == FORK:
            self._fork(number, fds[0], wakeup)
        elif what == KILL:
            for pid, child in self._children.items():
                if child == number:
                    os.kill(pid, signal.SIGKILL)  # safe: not reaped yet, so the id is its own
        return True

    def _fork(self, number: int, fd: int, wakeup: tuple[int, int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._children[pid] = number
            os.close(fd)
            return
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _die_with(parent)
            self.control.close()
            for end in wakeup:
                os.close(end)
            self.serve(socket.socket(fileno=fd))
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._children.pop(pid, None)
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                self.control.sendall(NOTE.pack(ENDED, number, code))

    def _end_all(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)
