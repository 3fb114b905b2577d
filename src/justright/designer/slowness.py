"""How much slower than an idle machine this one is, from work that the main process does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST = 4.0
"""Slower than this is taken as this: a longer reserve would leave nothing to train in
(assumption)."""

_FORGET = 0.5
"""What a stretch keeps of its weight when a newer one is measured (assumption: load changes)."""

_LEAST_S = 0.02
"""Shorter stretches of processor time tell nothing: the clock ticks (assumption)."""


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
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def factor(self) -> float:
        """Wall seconds of a second of work."""
        return slowness(self.wall_s, self.cpu_s)

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
