"""Functions that executor tests run in workers; importable without any test tool."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Report = Callable[[Any], None]


def add(a: int, b: int, report: Report) -> int:
    """The sum."""
    report(a)
    return a + b


def count(n: int, report: Report) -> int:
    """Report 0 to n - 1, then return n."""
    for i in range(n):
        report(i)
    return n


def zeros(megabytes: int, report: Report) -> npt.NDArray[np.float64]:
    """A large answer."""
    report(megabytes)
    return np.zeros((megabytes, 1 << 17))


def total(values: npt.NDArray[np.float64], report: Report) -> float:
    """The sum of a large argument."""
    report(len(values))
    return float(values.sum())


def fail(message: str, report: Report) -> None:
    """Raise."""
    report("about to fail")
    raise ValueError(message)


def exhaust(text: str, report: Report) -> None:
    """Raise what allocators raise: MemoryError without a text, else RuntimeError with it."""
    report("about to run out of memory")
    if text:
        raise RuntimeError(text)
    raise MemoryError


def unpicklable(report: Report) -> Any:
    """An answer that cannot travel."""
    return report


def sleep(seconds: float, report: Report) -> float:
    """Report the process id, sleep."""
    report(os.getpid())
    time.sleep(seconds)
    return seconds


def die(number: int, text: str, report: Report) -> None:
    """Write to standard error, then kill the own process by a signal."""
    report(os.getpid())
    print(text, file=sys.stderr, flush=True)
    os.kill(os.getpid(), number)
    signal.pause()


def facts(report: Report) -> dict[str, Any]:
    """What a worker looks like from inside."""
    report("looking")
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "modules": sorted(sys.modules),
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "environment": dict(os.environ),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "terminal": [os.isatty(fd) for fd in (0, 1, 2)],
    }
