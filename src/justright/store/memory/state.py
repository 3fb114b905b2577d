"""The state that the facets of a memory store share."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from justright.core.decision import Decision
from justright.core.finding import Finding
from justright.core.idea import Prediction, Verdict
from justright.core.study import StudyHead
from justright.core.trial import Attempt, Lease, Trial, TrialState
from justright.store import rules
from justright.store.holder import Holder
from justright.store.records import Checkpoint, Histogram, Parcel


@dataclass
class AttemptRow:
    """An attempt, and whether it may still write."""

    id: str
    trials: tuple[str, ...]
    token: int
    holder: Holder
    expires: float
    started: float
    open: bool = True

    def attempt(self) -> Attempt:
        """The frozen value."""
        lease = Lease(self.id, self.token, str(self.holder), self.expires)
        return Attempt(self.id, self.trials, lease, self.started)


@dataclass
class IdeaRow:
    """An idea without its prediction, and what was said about it."""

    document: dict[str, Any]
    predictions: list[Prediction]
    created: float
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass
class StudyRow:
    """A study and everything in it."""

    head: StudyHead
    token: int = 0
    holder: Holder | None = None
    expires: float = 0.0
    trials: dict[str, Trial] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # trial id -> attempt id
    attempts: dict[str, AttemptRow] = field(default_factory=dict)
    curves: dict[tuple[str, str, str], tuple[list[int], list[float]]] = field(default_factory=dict)
    histograms: dict[tuple[str, str, str], list[Histogram]] = field(default_factory=dict)
    ideas: dict[str, IdeaRow] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    facts: dict[str, list[str]] = field(default_factory=dict)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def end(self, attempt: AttemptRow) -> None:
        """End an attempt: what runs in it becomes planned again."""
        attempt.open = False
        for trial_id in attempt.trials:
            trial = self.trials[trial_id]
            if self.owners.get(trial_id) == attempt.id and trial.state is TrialState.RUNNING:
                self.trials[trial_id] = Trial(trial.spec)
                del self.owners[trial_id]

    def curve_attempts(self, trial_id: str) -> list[str]:
        """Ids of the attempts at a trial, oldest first."""
        return [row.id for row in self.attempts.values() if trial_id in row.trials]


@dataclass
class State:
    """All rows, one lock over them, and the clock."""

    clock: Callable[[], float]
    lock: threading.RLock = field(default_factory=threading.RLock)
    studies: dict[str, StudyRow] = field(default_factory=dict)
    parcels: dict[int, tuple[Parcel, float, bool]] = field(default_factory=dict)
    posted: int = 0

    def study(self, name: str) -> StudyRow:
        """A study that must exist."""
        if name not in self.studies:
            raise rules.no_study(name)
        return self.studies[name]

    def writable(self, attempt: Attempt, trial_id: str) -> StudyRow:
        """The study of an open attempt that holds this trial."""
        for study in self.studies.values():
            row = study.attempts.get(attempt.id)
            if row is not None and row.open and study.owners.get(trial_id) == attempt.id:
                return study
        raise rules.lost_attempt(attempt)


def new_id() -> str:
    """A random name of 16 hex digits."""
    return uuid.uuid4().hex[:16]
