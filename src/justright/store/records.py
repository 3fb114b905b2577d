"""What the store gives back: frozen values without behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from justright.core.idea import Idea, Prediction, Verdict


@dataclass(frozen=True)
class CurveSummary:
    """A curve in seven numbers, known without reading its points.

    Attributes:
        first: First step.
        last_step: Last step.
        points: Number of points.
        low: Smallest finite value; NaN if there is none.
        high: Largest finite value; NaN if there is none.
        mean: Mean of the finite values; NaN if there is none.
        last: Last value, finite or not.
    """

    first: int
    last_step: int
    points: int
    low: float
    high: float
    mean: float
    last: float


@dataclass(frozen=True)
class Histogram:
    """Counts of values between edges at one step.

    Attributes:
        step: The step, from 0.
        edges: Bin edges, float64 [bins + 1].
        counts: Values per bin, int64 [bins].
    """

    step: int
    edges: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True)
class IdeaRecord:
    """An idea with all that was predicted and found.

    Attributes:
        id: Its name in the store.
        idea: The idea; its prediction is the newest version.
        predictions: All versions of the prediction, oldest first.
        verdicts: All verdicts on it, oldest first; empty before the first.
        created: Unix time.
    """

    id: str
    idea: Idea
    predictions: tuple[Prediction, ...]
    verdicts: tuple[Verdict, ...]
    created: float

    @property
    def verdict(self) -> Verdict | None:
        """The newest verdict, if there is one."""
        return self.verdicts[-1] if self.verdicts else None


class CheckpointState(StrEnum):
    """Whether a checkpoint can be used."""

    GOOD = "good"
    CORRUPT = "corrupt"
    DELETED = "deleted"


@dataclass(frozen=True)
class Checkpoint:
    """A saved state of one trial; the bytes are a file, the store knows its hash.

    Attributes:
        trial: Id of the trial.
        attempt: Id of the attempt that wrote it.
        step: Steps done.
        path: The file, as text.
        sha256: Hash of the file's bytes, 64 hex digits.
        size: Bytes.
        state: Whether it can be used.
    """

    trial: str
    attempt: str
    step: int
    path: str
    sha256: str
    size: int
    state: CheckpointState = CheckpointState.GOOD


@dataclass(frozen=True)
class Parcel:
    """One message that waits in the outbox for a mirror.

    Attributes:
        id: Its number; numbers grow.
        study: The study it is about.
        mirror: Name of the mirror that sends it.
        key: Name of the message; a second one of the same key is not taken.
        document: The message, JSON types.
        tries: How often sending failed.
        reason: Why it failed last.
    """

    id: int
    study: str
    mirror: str
    key: str
    document: Mapping[str, Any]
    tries: int = 0
    reason: str = ""
