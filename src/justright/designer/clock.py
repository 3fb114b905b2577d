"""The time limit: hard, from process start to report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

DEFAULT_LIMIT_S = 600.0
"""At most ten minutes when the user names no limit (assumption: a coffee, not a night)."""

SHORTEST_S = 10.0
"""Below this, starting (3 s) and reporting (3 s) leave nothing to train in (assumption)."""

REPORT_S = 3.0
"""Kept for the test set, the model folder and the report (measured: about 2 s on two
idle cores, up to 11 s on starved ones)."""


@dataclass(frozen=True)
class Clock:
    """A start and a limit.

    Attributes:
        started: Unix time at which the process (or the call) began.
        limit_s: Seconds that everything may take.
    """

    started: float
    limit_s: float

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.time() - self.started

    @property
    def left_s(self) -> float:
        """Seconds until the limit; negative when it has passed."""
        return self.started + self.limit_s - time.time()

    @property
    def work_left_s(self) -> float:
        """Seconds until work must stop so that the report is in time."""
        return self.left_s - REPORT_S

    def deadline(self, reserve_s: float = 0.0) -> float:
        """Unix time at which work must end if `reserve_s` more is kept for later stages."""
        return self.started + self.limit_s - REPORT_S - reserve_s


def process_start() -> float:
    """Unix time at which this process began, so that imports count against the limit.

    Falls back to now where the operating system does not tell.
    """
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - float(fields[19]) / os.sysconf(
            "SC_CLK_TCK"
        )
    except (OSError, ValueError, IndexError, AttributeError):
        return time.time()
    return time.time() - max(age, 0.0)
