"""The time limit: hard, from process start to report."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from justright.designer.timing.slowness import Slowness

DEFAULT_LIMIT_S = 600.0
"""At most ten minutes when the user names no limit (assumption: a coffee, not a night)."""

SHORTEST_S = 10.0
"""Below this, starting (3 s) and reporting (3 s) leave nothing to train in (assumption)."""

REPORT_S = 3.0
"""Kept for the test set, the model folder and the report (measured: about 2 s on two
idle cores, up to 11 s on starved ones, so it grows with the slowness)."""

IDLE_SHARE, IDLE_MOST_S = 0.05, 20.0
"""It is at least this share of the limit, up to so many seconds (measured: after five minutes,
with another study that ended at once and a third process, the end of one took 19 s instead of 3;
the share is an assumption)."""

LONGEST_START_S = 20.0
"""No process of ours takes longer to start (assumption; 2 s on an idle machine)."""

REPORT_SHARE = 0.3
"""The grown reserve is at most this share of the limit (assumption)."""


def report_reserve(slowness: float, limit_s: float) -> float:
    """Seconds to keep for the report on a machine that is so much slower than an idle one.

    >>> report_reserve(1.0, 60.0), report_reserve(2.0, 60.0), report_reserve(4.0, 20.0)
    (3.0, 6.0, 6.0)
    >>> report_reserve(1.0, 300.0), report_reserve(1.0, 3600.0)
    (15.0, 20.0)
    """
    usual = max(REPORT_S, min(IDLE_SHARE * limit_s, IDLE_MOST_S))
    return min(usual * max(slowness, 1.0), max(REPORT_SHARE * limit_s, REPORT_S))


@dataclass(frozen=True)
class Clock:
    """A start and a limit.

    Attributes:
        started: Unix time at which the process (or the call) began.
        limit_s: Seconds that everything may take.
        slow: How slow the machine is, as measured so far.
    """

    started: float
    limit_s: float
    slow: Slowness = field(default_factory=Slowness, compare=False)

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
        return self.left_s - self.report_s

    @property
    def report_s(self) -> float:
        """Seconds kept for the report."""
        return report_reserve(self.slow.factor, self.limit_s)

    def deadline(self, reserve_s: float = 0.0) -> float:
        """Unix time at which work must end if `reserve_s` more is kept for later stages."""
        return self.started + self.limit_s - self.report_s - reserve_s


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
    if age > LONGEST_START_S:  # a shell that had worked before has become this process (exec)
        age = time.process_time()
    return time.time() - max(age, 0.0)
