"""What a running study tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Snapshot:
    """The state of a study at one moment.

    Attributes:
        stage: Name of the stage, for people.
        index: Its number, from 1.
        total: Number of stages.
        elapsed_s: Seconds since the process started.
        left_s: Seconds until the time limit; None without one.
        champion: Best network so far with its interval, as text; empty before the first.
        baseline: Best baseline so far, as text; empty before the first.
        activity: What the workers do right now, one entry each.
        headline: A finished fact worth keeping on the screen ("Data  20,433 rows ..."), or empty.
    """

    stage: str
    index: int
    total: int
    elapsed_s: float
    left_s: float | None
    champion: str = ""
    baseline: str = ""
    activity: tuple[str, ...] = ()
    headline: str = ""


Listener = Callable[[Snapshot], None]
"""Called in the main process, often; it must return fast and never raise."""
