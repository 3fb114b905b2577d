"""Trials and attempts: what was to be trained, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from justright.core.codec import fingerprint


class TrialState(StrEnum):
    """Where a trial stands; ``PLANNED`` to ``RUNNING`` to one of the other three."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # diverged, out of memory, worker lost: a recorded fact
    CUT = "cut"  # the clock ended it before it had a result

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to the trial."""
        return self in (TrialState.DONE, TrialState.FAILED, TrialState.CUT)


@dataclass(frozen=True)
class TrialSpec:
    """One training, wholly determined: equal specs give equal results.

    Attributes:
        kind: ``"network"`` or ``"baseline"``; ``"range test"`` and ``"race"`` of a learning rate.
        subject: Name of the baseline, or of the recipe ("champion", "rate × 3").
        stage: The stage of the study that asked for it.
        recipe: The recipe's document (a baseline's parameters), JSON types only.
        partition: Key of the partition of the rows.
        seed: Root seed of the training.
        steps: Optimisation steps planned; 0 for baselines.
    """

    kind: str
    subject: str
    stage: str
    recipe: Mapping[str, Any]
    partition: str
    seed: int
    steps: int

    @property
    def id(self) -> str:
        """Fingerprint of what determines the result (not of the names it goes by)."""
        return fingerprint(
            {
                "kind": self.kind,
                "recipe": self.recipe,
                "partition": self.partition,
                "seed": self.seed,
                "steps": self.steps,
            }
        )


@dataclass(frozen=True)
class Trial:
    """A trial and what is known of it.

    Attributes:
        spec: What was to be done.
        state: Where it stands.
        result: Scores, seconds, best step, paths: JSON types; empty until final.
        reason: Why it failed or was cut.
    """

    spec: TrialSpec
    state: TrialState = TrialState.PLANNED
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Lease:
    """The right to write the results of some trials (or to work on a study).

    Attributes:
        subject: Attempt id, or study name.
        token: Grows with every new holder; a write with an older token is refused.
        holder: Who holds it, for people: process id, host, since when.
        expires: Unix time after which somebody else may take it.
    """

    subject: str
    token: int
    holder: str
    expires: float


@dataclass(frozen=True)
class Attempt:
    """One try at running the trials of one stack together.

    Attributes:
        id: Name of the attempt.
        trials: Ids of the trials of the stack, in the order of its candidates.
        lease: The right to write its results.
        started: Unix time.
    """

    id: str
    trials: tuple[str, ...]
    lease: Lease
    started: float
