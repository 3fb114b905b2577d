"""The contract of a store: one small abstract class per noun.

What holds for every facet and every implementation:

Threads: all methods may be called from any thread of the process that opened the store; a store
    is never carried across a fork. Several processes may open the same store at the same time.
Isolation: every call is one transaction: all of it happened or nothing. What was returned
    without an error is durable (`Curves.log` alone is durable only after at most 1 s, 1,024
    points or `flush`) and visible to every other process at its next call.
Ownership: values are copied on the way in and on the way out. Returned values are frozen; the
    mappings in them belong to the caller, who must not change them.
Documents: JSON types; floats keep every bit, infinities and NaN included.
Errors: `StoreError` for anything that is missing, damaged, full or not writable; `Fenced` for a
    write under a lease that has passed to somebody else. After an error nothing has changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from justright.core.decision import Decision
from justright.core.finding import Finding
from justright.core.idea import Idea, Verdict
from justright.core.study import StudyHead
from justright.core.trial import Attempt, Lease, Trial, TrialSpec, TrialState
from justright.store.holder import Holder
from justright.store.records import (
    Checkpoint,
    CheckpointState,
    CurveSummary,
    Histogram,
    IdeaRecord,
    Parcel,
)

LEASE_S = 60.0
"""Seconds a lease lasts without a heartbeat (assumption: six missed beats at one per 10 s)."""


class AbstractStudies(ABC):
    """Studies and the right to work on one.

    A study is worked on by one process at a time: the holder of its lease. A lease may be taken
    over when it was released, when it expired, or at once when its holder is a dead process of
    this machine. Taking it over ends every open attempt of the study: their running trials
    return to `PLANNED` and their late writes raise `Fenced`.
    """

    @abstractmethod
    def open(self, head: StudyHead, holder: Holder, lease_s: float = LEASE_S) -> Lease:
        """Create the study, or open the existing one, and hold it.

        An existing study keeps its own head (settings and time of creation).

        Raises:
            StudyMismatchError: If the name belongs to other data or another goal.
            StudyBusyError: If somebody else (also of this process) holds it; says who.
        """

    @abstractmethod
    def heartbeat(self, lease: Lease, lease_s: float = LEASE_S) -> Lease:
        """Prolong the lease; raises `Fenced` if somebody else has it by now."""

    @abstractmethod
    def release(self, lease: Lease) -> None:
        """Give the lease back; without effect if it has passed to somebody else."""

    @abstractmethod
    def holder(self, name: str) -> Lease | None:
        """The lease on a study while it is held by a process that may be alive."""

    @abstractmethod
    def heads(self) -> tuple[StudyHead, ...]:
        """All studies, newest first."""

    @abstractmethod
    def head(self, name: str) -> StudyHead | None:
        """One study, or None if there is none of that name."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a study with everything in it; raises `StudyBusyError` while it is held."""


class AbstractTrials(ABC):
    """Trials and the attempts at them.

    A trial is planned, started as part of an attempt, and finished by that attempt. `DONE` is
    for ever. All running trials of an attempt share its lease: when one is taken over, the
    attempt is ended as a whole, its other running trials return to `PLANNED`.
    """

    @abstractmethod
    def plan(self, study: str, specs: Sequence[TrialSpec]) -> tuple[Trial, ...]:
        """Plan trials and return how each stands now, in the order given.

        A spec whose id is known changes nothing: the trial as it is comes back.
        """

    @abstractmethod
    def get(self, study: str, trial_id: str) -> Trial:
        """One trial; raises `StoreError` if there is none of that id."""

    @abstractmethod
    def list(self, study: str, stage: str | None = None) -> tuple[Trial, ...]:
        """The trials of a study, or of one of its stages, in the order they were planned."""

    @abstractmethod
    def start(
        self, study: str, trial_ids: Sequence[str], holder: Holder, lease_s: float = LEASE_S
    ) -> Attempt:
        """Start planned trials as one attempt: all of them or none.

        A trial that runs under an expired lease, or under that of a dead process of this
        machine, is taken over.

        Raises:
            Fenced: If one of them runs under the lease of somebody else.
            StoreError: If one of them is unknown or final (see `retry`).
        """

    @abstractmethod
    def heartbeat(self, attempt: Attempt, lease_s: float = LEASE_S) -> Attempt:
        """Prolong the attempt's lease; raises `Fenced` if the attempt was ended."""

    @abstractmethod
    def finish(
        self,
        attempt: Attempt,
        trial_id: str,
        state: TrialState,
        result: Mapping[str, Any],
        reason: str = "",
    ) -> None:
        """Record the end of a trial; its curve points logged before are durable with it.

        Finishing again with the same state, result and reason changes nothing.

        Raises:
            Fenced: If the attempt was ended, or never held this trial.
            StoreError: If the state is not final, or the trial is final with another outcome.
        """

    @abstractmethod
    def abandon(self, attempt: Attempt) -> None:
        """End an attempt: what still runs in it returns to `PLANNED`."""

    @abstractmethod
    def retry(self, study: str, trial_ids: Sequence[str]) -> None:
        """Return failed and cut trials to `PLANNED`; their results are forgotten.

        Planned trials stay so. Raises `StoreError` if one is running, done or unknown.
        """

    @abstractmethod
    def attempts(self, study: str, trial_id: str | None = None) -> tuple[Attempt, ...]:
        """All attempts of a study, or those at one trial, oldest first."""


class AbstractCurves(ABC):
    """Curves: growing steps with a value each, per trial and name.

    The steps of a curve grow within an attempt; a point at or below the last step is ignored,
    so a repeated write never duplicates. The curve of a trial is that of its newest attempt
    from that attempt's first step on, and of the older attempts before it.
    """

    @abstractmethod
    def log(self, attempt: Attempt, trial_id: str, name: str, step: int, value: float) -> None:
        """Append one point; costs the caller microseconds and is durable within a second.

        Raises:
            Fenced: If the attempt was ended and an earlier write has noticed it.
        """

    @abstractmethod
    def extend(
        self,
        attempt: Attempt,
        trial_id: str,
        name: str,
        steps: Sequence[int] | np.ndarray,
        values: Sequence[float] | np.ndarray,
    ) -> None:
        """Append points, as `log` does for each of them."""

    @abstractmethod
    def flush(self) -> None:
        """Return when everything logged before is durable.

        Raises:
            Fenced: If points of an ended attempt were thrown away since the last flush.
            StoreError: If writing failed; the points are kept and tried again.
        """

    @abstractmethod
    def read(self, study: str, trial_id: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The curve as steps int64 [n] and values float64 [n]; empty if there is none."""

    @abstractmethod
    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        """Names of the trial's curves, sorted."""

    @abstractmethod
    def summaries(
        self, study: str, trial_id: str | None = None
    ) -> Mapping[tuple[str, str], CurveSummary]:
        """Summaries by (trial id, name), of each curve's newest attempt, for one or all trials."""


class AbstractHistograms(ABC):
    """Histograms over training, per trial and name; steps behave as those of curves.

    They share the buffer and the rules of `AbstractCurves`, `flush` included.
    """

    @abstractmethod
    def log(self, attempt: Attempt, trial_id: str, name: str, histogram: Histogram) -> None:
        """Append one histogram; raises as `AbstractCurves.log` does."""

    @abstractmethod
    def read(self, study: str, trial_id: str, name: str) -> tuple[Histogram, ...]:
        """All histograms of that name, by step."""

    @abstractmethod
    def names(self, study: str, trial_id: str) -> tuple[str, ...]:
        """Names of the trial's histograms, sorted."""


class AbstractIdeas(ABC):
    """Ideas, their predictions and verdicts: all of them are added, none is ever changed.

    An idea is known by its study, title, slot and patch.
    """

    @abstractmethod
    def add(self, study: str, idea: Idea) -> str:
        """Record an idea with its prediction, and return its id.

        The same idea with another prediction adds a version of the prediction.

        Raises:
            StoreError: If a verdict other than "not run" is known: too late to predict.
        """

    @abstractmethod
    def judge(self, idea_id: str, verdict: Verdict) -> None:
        """Record a verdict; one equal to the newest changes nothing."""

    @abstractmethod
    def list(self, study: str) -> tuple[IdeaRecord, ...]:
        """The ideas of a study in the order they were added."""


class AbstractLedger(ABC):
    """What was decided, seen and known: append-only, and facts of which the last version wins."""

    @abstractmethod
    def decide(self, study: str, decision: Decision) -> None:
        """Append a decision; an equal one (measured figures included) is kept once."""

    @abstractmethod
    def decisions(self, study: str) -> tuple[Decision, ...]:
        """The decisions in the order they were first made."""

    @abstractmethod
    def find(self, study: str, findings: Sequence[Finding]) -> None:
        """Append findings; equal ones are kept once."""

    @abstractmethod
    def findings(self, study: str) -> tuple[Finding, ...]:
        """The findings in the order they were first made."""

    @abstractmethod
    def put(self, study: str, key: str, document: Any) -> int:
        """Write the next version of a fact and return its number, from 1.

        A document equal to the last version adds none.
        """

    @abstractmethod
    def fact(self, study: str, key: str) -> Any:
        """The newest version of a fact, or None if there is none."""

    @abstractmethod
    def facts(self, study: str) -> Mapping[str, Any]:
        """The newest versions of all facts by key."""

    @abstractmethod
    def history(self, study: str, key: str) -> tuple[Any, ...]:
        """All versions of a fact, oldest first."""


class AbstractCheckpoints(ABC):
    """Saved states of trials: files with a hash, the newest good one counts."""

    @abstractmethod
    def add(
        self, attempt: Attempt, trial_id: str, step: int, path: str, sha256: str, size: int
    ) -> None:
        """Register a file that is complete on disk; raises `Fenced` for an ended attempt."""

    @abstractmethod
    def latest(self, study: str, trial_id: str) -> Checkpoint | None:
        """The good one with the most steps, or None."""

    @abstractmethod
    def mark(self, study: str, checkpoint: Checkpoint, state: CheckpointState) -> None:
        """Say that a checkpoint proved corrupt or was deleted, so that `latest` passes it by."""

    @abstractmethod
    def list(self, study: str, trial_id: str) -> tuple[Checkpoint, ...]:
        """All checkpoints of a trial, by step."""


class AbstractOutbox(ABC):
    """Messages to trackers, delivered at least once; training never waits for them."""

    @abstractmethod
    def post(self, study: str, mirror: str, key: str, document: Mapping[str, Any]) -> None:
        """Queue a message; a second one of the same study, mirror and key changes nothing."""

    @abstractmethod
    def due(self, mirror: str, limit: int = 100) -> tuple[Parcel, ...]:
        """The oldest messages whose time has come and that were not sent."""

    @abstractmethod
    def sent(self, parcel: Parcel) -> None:
        """Record the delivery; sent messages are never due again."""

    @abstractmethod
    def failed(self, parcel: Parcel, reason: str, retry_at: float) -> None:
        """Record a failed delivery, to be tried again from `retry_at` (Unix time) on."""


class AbstractStore(ABC):
    """A store: its facets, and the end of it.

    Use it as a context manager, or call `close`: both flush the curves first.
    """

    studies: AbstractStudies
    trials: AbstractTrials
    curves: AbstractCurves
    histograms: AbstractHistograms
    ideas: AbstractIdeas
    ledger: AbstractLedger
    checkpoints: AbstractCheckpoints
    outbox: AbstractOutbox

    @abstractmethod
    def close(self) -> None:
        """Flush what is buffered and let go of files and threads; a second call does nothing."""

    @abstractmethod
    def check(self) -> tuple[str, ...]:
        """Examine the whole store and describe what is damaged; empty when nothing is."""

    def __enter__(self) -> Self:
        """Give the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store, whatever happened."""
        self.close()
