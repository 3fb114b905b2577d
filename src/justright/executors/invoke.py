"""Runs one call in this thread and sorts out how it ended."""

from __future__ import annotations

import importlib
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from justright.executors.base import FailureKind

# Texts of torch's allocators (torch 2.6 to 2.13): they raise RuntimeError, not MemoryError.
MEMORY_TEXTS = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: with a value, or with a failure of a kind."""

    value: Any = None
    kind: FailureKind | None = None
    message: str = ""
    detail: str = ""
    seconds: float = 0.0


def resolve(function: str) -> Callable[..., Any]:
    """The function behind ``"package.module:name"``.

    >>> resolve("math:floor")(2.5)
    2
    """
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


def invoke(function: str, arguments: Mapping[str, Any], report: Callable[[Any], None]) -> Outcome:
    """Call ``f(**arguments, report=report)``; never raises an `Exception`."""
    start = time.perf_counter()
    try:
        value = resolve(function)(**arguments, report=report)
    except Exception as error:
        return failure(error, time.perf_counter() - start)
    return Outcome(value, seconds=time.perf_counter() - start)


def failure(error: BaseException, seconds: float = 0.0) -> Outcome:
    """An exception as the outcome of a call.

    >>> failure(MemoryError()).kind
    'memory'
    >>> failure(ValueError("no such thing")).message
    'ValueError: no such thing'
    """
    text = " ".join(str(error).split())
    short = text if len(text) <= 300 else text[:297] + "..."
    name = type(error).__name__
    return Outcome(
        kind="memory" if _is_memory(error, text) else "error",
        message=f"{name}: {short}" if short else name,
        detail="".join(traceback.format_exception(error)),
        seconds=seconds,
    )


def _is_memory(error: BaseException, text: str) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(
        known in text.lower() for known in MEMORY_TEXTS
    )
