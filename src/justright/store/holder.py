"""Who holds a lease, and whether that process still lives."""

from __future__ import annotations

import os
import re
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_SLACK_S = 5.0  # assumption: clocks are set by less than this while a process starts


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
        """Whether it is certain that the process is gone: same machine, no such process.

        Elsewhere, and on systems where asking is not safe, only the expiry of a lease can tell.
        """
        if self.host != _machine() or os.name != "posix":
            return False
        try:
            os.kill(self.pid, 0)  # signal 0 only asks
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            pass
        state, started = _state_and_start(self.pid)
        # A number may have passed to another process (after a restart of a container it mostly
        # has); that one started after the lease was asked for. Slack: /proc rounds to seconds.
        return state == "Z" or started > self.since + _SLACK_S


def this_process(now: float | None = None) -> Holder:
    """The holder to name when this process asks for a lease."""
    return Holder(os.getpid(), _machine(), time.time() if now is None else now)


def _state_and_start(pid: int) -> tuple[str, float]:
    """State letter and Unix start time from /proc; "?" and 0 where there is none."""
    try:
        # The command, in brackets, may itself hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
    except OSError:
        return "?", 0.0
    if boot is None:
        return fields[0], 0.0
    return fields[0], int(boot[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _machine() -> str:
    try:
        return f"{socket.gethostname()}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()
