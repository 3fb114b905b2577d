"""How much slower than an idle machine this one is.

Two things make it slow: others that take the processor, seen in the work that the main process
does as wall time beside processor time, and a processor that does less in its own time, as a
virtual one does whose host is crowded; that is seen only in a fixed piece of work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST = 4.0
"""Slower than this is taken as this: a longer reserve would leave nothing to train in
(assumption)."""

_FORGET = 0.5
"""What a stretch keeps of its weight when a newer one is measured (assumption: load changes)."""

_LEAST_S = 0.02
"""Shorter stretches of processor time tell nothing: the clock ticks (assumption)."""


LOOPS, LOOP_S = 20_000, 0.45e-3
"""The fixed piece of work, and the processor time that it takes (measured: 2.5 GHz Cascade Lake
and EPYC, Python 3.11; crowded hosts took two to five times as long)."""

_AGAIN_S = 5.0
"""Seconds after which it is measured again (assumption); it takes two milliseconds."""


class Pace:
    """How much longer than usual a fixed piece of work takes this processor."""

    def __init__(self) -> None:
        self._measured_at = -_AGAIN_S
        self._factor = 1.0

    def __call__(self) -> float:
        """Processor time over the usual one, at least 1; the best of three."""
        now = time.monotonic()
        if now - self._measured_at >= _AGAIN_S:
            self._measured_at = now
            self._factor = max(min(_fixed_work() for _ in range(3)) / LOOP_S, 1.0)
        return self._factor


def _fixed_work() -> float:
    began, total = time.thread_time(), 0
    for number in range(LOOPS):
        total += number
    return time.thread_time() - began


def steady() -> float:
    """The pace of a processor that is always as fast as usual."""
    return 1.0


def slowness(wall_s: float, cpu_s: float) -> float:
    """Wall seconds of a second of work, between 1 and `MOST`; 1 where nothing was measured.

    >>> slowness(3.0, 2.0), slowness(1.0, 4.0), slowness(9.0, 0.1), slowness(0.0, 0.0)
    (1.5, 1.0, 4.0, 1.0)
    """
    return min(max(wall_s / cpu_s, 1.0), MOST) if cpu_s > 0 else 1.0


@dataclass
class Slowness:
    """Adds up busy stretches of the main process, the latest counting most.

    Attributes:
        wall_s: Seconds they took.
        cpu_s: Seconds of processor time that this process had in them, all threads together.
        pace: Says how much longer than usual the processor takes for its own work.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    pace: Callable[[], float] = field(default=steady, compare=False)

    @property
    def factor(self) -> float:
        """Wall seconds of a second of work."""
        return min(slowness(self.wall_s, self.cpu_s) * self.pace(), MOST)

    def add(self, wall_s: float, cpu_s: float) -> None:
        """Take a stretch of work into account that waited for nobody."""
        if cpu_s >= _LEAST_S:
            self.wall_s = _FORGET * self.wall_s + wall_s
            self.cpu_s = _FORGET * self.cpu_s + cpu_s

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure what is done inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.add(time.perf_counter() - wall, time.process_time() - cpu)
