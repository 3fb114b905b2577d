"""Who holds a lease, and whether that process still lives."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Holder:
    """A process that holds a lease; `str` gives the text for people.

    Attributes:
        pid: Process id on its host.
        host: Name of the machine, with its process namespace where the system has those (two
            containers may share a host name, but not the meaning of a process id).
        since: Unix time at which it asked for the lease.

    >>> str(Holder(4711, "box", 0.0)).startswith("process 4711 on box since ")
    True
    """

    pid: int
    host: str
    since: float

    def __str__(self) -> str:
        """Process, machine and local time."""
        moment = datetime.fromtimestamp(self.since).astimezone()
        host = self.host.partition("/")[0]
        return f"process {self.pid} on {host} since {moment:%Y-%m-%d %H:%M:%S}"

    @property
    def dead(self) -> bool:
        """Whether it is certain that the process is gone: same machine, no such process id."""
        if self.host != _machine() or os.name != "posix":
            return False  # elsewhere only the expiry of the lease can tell
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return False


def this_process(now: float | None = None) -> Holder:
    """The holder to name when this process asks for a lease."""
    return Holder(os.getpid(), _machine(), time.time() if now is None else now)


def _machine() -> str:
    try:
        return f"{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()
