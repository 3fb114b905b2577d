"""What a user may ask of `fit`, checked before any work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from justright.core.errors import OptionError
from justright.data.options import DataOptions
from justright.designer.request.limits import SizeWishes
from justright.designer.timing.clock import DEFAULT_LIMIT_S, SHORTEST_S
from justright.statistics.custom import custom_name, is_custom
from justright.store.opening import STORE_FILE

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_LATENCIES = {"": 1e6, "s": 1e6, "ms": 1e3, "us": 1.0, "µs": 1.0}  # microseconds
_BYTES = {"": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9}
_LONGEST = 100
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._-]{{0,{_LONGEST - 1}}}")
_SHOWN = 40

MOST_NETWORKS = 32
"""Most networks of an ensemble: beyond that hardly anything is gained (assumption)."""


@dataclass(frozen=True)
class FitOptions:
    """Everything `fit` may be told, but the data.

    Attributes:
        data: Target, kinds, splits: what concerns the table.
        limit_s: Hard limit in seconds, from process start to report.
        studies: Folder of the studies.
        name: Name of the study; None = the file's name.
        workers: Worker processes; None = one per core.
        work: A work plan to repeat exactly, from an earlier study's ``work.json``.
        examples: Whether the report may show rows of the data.
        size: What is said about the size of the network.
        tolerance: Difference of the deciding metric up to which nothing matters; None = 1% of
            the way from the constant to the best baseline.
        only: "size" ends the study with the size search, the test set unopened; None = all of it.
        ensemble: Networks of different seeds that are handed over as one model, their predictions
            averaged; 1 = one network.
        command: How the user called it, for the report.
    """

    data: DataOptions
    limit_s: float = DEFAULT_LIMIT_S
    studies: Path = Path("studies")
    name: str | None = None
    workers: int | None = None
    work: Path | None = None
    examples: bool = True
    size: SizeWishes = field(default_factory=SizeWishes)
    tolerance: float | None = None
    only: str | None = None
    ensemble: int = 1
    command: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse nonsense before any work."""
        if self.only not in (None, "size"):
            raise OptionError(f"--only {self.only!r}", hint="write --only size")
        if not 1 <= self.ensemble <= MOST_NETWORKS:
            raise OptionError(
                f"--ensemble {self.ensemble}", hint=f"give a number from 1 to {MOST_NETWORKS}"
            )
        if self.tolerance is not None and not (self.tolerance >= 0 and isfinite(self.tolerance)):
            raise OptionError(
                f"--tolerance {self.tolerance}",
                hint="give a difference of the metric that does not matter, such as 0.01",
            )


def read_metric(metric: Any, direction: str | None) -> str | None:
    """The name of the metric that decides; one of the user's becomes importable everywhere.

    Args:
        metric: A name, ``"package.module:function"``, or such a function; None = the usual one.
        direction: "higher" or "lower": which scores of a function are better.

    Raises:
        OptionError: If a function cannot be imported or has no direction, or a name has one.

    >>> read_metric("rmse", None), read_metric("math:fsum", "lower")
    ('rmse', 'math:fsum:lower')
    """
    if metric is not None and (not isinstance(metric, str) or is_custom(metric)):
        return custom_name(metric, direction)
    if direction is not None:
        raise OptionError(
            f"--metric-direction {direction} without a function",
            hint="the metrics of this program know theirs: leave it out",
        )
    return metric


def read_wishes(
    params: int | None, memory: int | str | None, latency: float | str | None, prefer: str
) -> SizeWishes:
    """What a user says about sizes, as they say it.

    Raises:
        OptionError: If a part of it cannot be read or makes no sense.
    """
    return SizeWishes(params, parse_bytes(memory), parse_latency(latency), prefer)


def parse_bytes(value: int | str | None) -> int | None:
    """Bytes of a size on disk or in memory.

    Args:
        value: Bytes, or text such as ``"200kB"`` or ``"1.5MB"``; None = no limit.

    Raises:
        OptionError: If it cannot be read.

    >>> parse_bytes("1.5kB"), parse_bytes(None)
    (1500, None)
    """
    if value is None:
        return None
    return int(_amount(value, _BYTES, "size", "write 200kB or 1.5MB"))


def parse_latency(value: float | str | None) -> float | None:
    """Seconds in which a network is to answer.

    Args:
        value: Seconds, or text such as ``"2ms"`` or ``"500us"``; None = no limit.

    Raises:
        OptionError: If it cannot be read.

    >>> parse_latency("2ms"), parse_latency(None)
    (0.002, None)
    """
    if value is None:
        return None
    if isinstance(value, float | int):  # seconds, often with an exponent
        return float(value)
    return _amount(value, _LATENCIES, "latency", "write 2ms or 500us") / 1e6


def parse_time(value: float | int | str | None) -> float:
    """Seconds of a time limit.

    Args:
        value: Seconds as a number, or text such as ``"90s"``, ``"5m"`` or ``"1.5h"``; None = ten
            minutes.

    Raises:
        OptionError: If it cannot be read, or is too short to do anything.

    >>> parse_time("1.5m")
    90.0
    """
    if value is None:
        return DEFAULT_LIMIT_S
    seconds = _amount(value, _UNITS, "time limit", "write 90s, 5m or 1h")
    if seconds < SHORTEST_S:
        raise OptionError(
            f"a time limit of {value} is too short to start, train and report",
            hint=f"give at least {SHORTEST_S:.0f}s (--time {SHORTEST_S:.0f}s)",
        )
    return seconds


def _amount(value: float | str, units: Mapping[str, float], what: str, hint: str) -> float:
    """A number and a unit, as people write them."""
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([a-zµ]*)\s*", str(value).lower())
    if match is None or match[2] not in units:
        raise OptionError(f"cannot read the {what} {value!r}", hint=hint)
    return float(match[1]) * units[match[2]]


def name_after(file: str) -> str:
    """The name of a study after its file, where the user gives none.

    >>> name_after("Häuser (1)"), name_after("...")
    ('H-user -1', 'table')
    """
    return re.sub(r"[^A-Za-z0-9 ._-]+", "-", file)[:_LONGEST].strip(" ._-") or "table"


def time_text(seconds: float) -> str:
    """A time limit as `parse_time` reads it, rounded up.

    >>> time_text(31), time_text(150)
    ('31s', '3m')
    """
    return f"{ceil(seconds / 60)}m" if seconds >= 120 else f"{ceil(seconds)}s"


def latency_text(seconds: float) -> str:
    """Seconds as `parse_latency` reads them, rounded up.

    >>> latency_text(0.00205), latency_text(8e-5)
    ('2.1ms', '80us')
    """
    micro = round(seconds * 1e6, 3)
    return f"{ceil(micro)}us" if micro < 1000 else f"{ceil(micro / 100) / 10:g}ms"


def check_name(name: str) -> str:
    """The name of a study, which is also a folder name.

    Raises:
        OptionError: If it could not be a folder name on every system.
    """
    if _NAME.fullmatch(name) is None or name.endswith(".") or name.startswith(STORE_FILE):
        shown = repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}..."
        raise OptionError(
            f"{shown} cannot be the name of a study",
            hint="use letters, digits, '.', '_' and '-' (--name NAME)",
        )
    return name
