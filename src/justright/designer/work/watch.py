"""Tells whoever watches how the study stands; never in the way of the work."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

from justright.core.progress import Listener, Snapshot
from justright.designer.timing.clock import Clock

STAGES = ("data", "baselines and champion", "improving", "final training", "test set", "report")
"""The stages of a study, as the screen counts them."""

_EVERY_S = 0.2


@dataclass
class Watch:
    """The present state as snapshots for a listener.

    Attributes:
        clock: The study's clock.
        listener: Who is told; None = nobody.
        champion: Best network so far, as text.
        baseline: Best baseline so far, as text.
        seconds: Seconds spent per finished stage, in order.
    """

    clock: Clock
    listener: Listener | None = None
    champion: str = ""
    baseline: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    _stage: str = STAGES[0]
    _since: float = 0.0
    _activity: dict[str, str] = field(default_factory=dict)
    _told: float = 0.0

    def stage(self, name: str) -> None:
        """Begin a stage and close the one before."""
        now = self.clock.elapsed_s
        if self._stage != name:
            self.close(now)
        self._stage, self._since = name, now
        self._tell()

    def close(self, now: float | None = None) -> None:
        """Book the running stage's seconds."""
        now = self.clock.elapsed_s if now is None else now
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._since = now

    def activity(self, label: str, text: str | None) -> None:
        """What one worker does, or None when it has finished."""
        if text is None:
            self._activity.pop(label, None)
        else:
            self._activity[label] = text
        self.tick()

    def tick(self) -> None:
        """Refresh, at most five times a second."""
        if time.monotonic() - self._told >= _EVERY_S:
            self._tell()

    def headline(self, line: str) -> None:
        """Say a finished fact, to be kept on the screen."""
        self._tell(line)

    def _tell(self, headline: str = "") -> None:
        self._told = time.monotonic()
        if self.listener is None:
            return
        snapshot = Snapshot(
            stage=self._stage,
            index=STAGES.index(self._stage) + 1,
            total=len(STAGES),
            elapsed_s=self.clock.elapsed_s,
            left_s=self.clock.left_s,
            champion=self.champion,
            baseline=self.baseline,
            activity=tuple(f"{label}: {text}" for label, text in self._activity.items()),
            headline=headline,
        )
        with contextlib.suppress(Exception):  # a broken listener must not cost a training
            self.listener(snapshot)
