"""The baselines as they were judged on the screening blocks: one mean over all of them.

A baseline that did not get every fold done has no score: a mean over fewer folds is of other rows
than the means that it would stand beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from justright.core.trial import Trial, TrialState
from justright.designer.work.jobs import BaselineJob


@dataclass(frozen=True)
class Rival:
    """A baseline on the screening blocks.

    Attributes:
        name: The baseline's name.
        trials: One per screening block, in their order.
    """

    name: str
    trials: tuple[Trial, ...]

    @property
    def done(self) -> bool:
        """Whether every block has a result."""
        return bool(self.trials) and not self._missing

    @property
    def scores(self) -> dict[str, float]:
        """Every metric, averaged over the blocks; empty if one of them is missing.

        A metric that is undefined on a block, such as AUC where one class is absent, is nan.
        """
        if not self.done:
            return {}
        each = [trial.result.get("scores", {}) for trial in self.trials]
        return {name: float(np.mean([s.get(name, np.nan) for s in each])) for name in each[0]}

    @property
    def seconds(self) -> float:
        """Seconds of all its trainings."""
        return sum(float(trial.result.get("seconds", 0.0)) for trial in self.trials)

    @property
    def training_s(self) -> float:
        """Seconds of one training, on average over those that ended."""
        ended = sum(trial.state is TrialState.DONE for trial in self.trials)
        return self.seconds / max(ended, 1)

    @property
    def hurried(self) -> bool:
        """Whether the clock made it weaker than it could be, or ended it."""
        cut = any(trial.state is TrialState.CUT for trial in self.trials)
        return cut or any(trial.result.get("hurried") for trial in self.trials)

    @property
    def state(self) -> TrialState:
        """Done, or the state of the first block that has no result."""
        return self._missing[0].state if self._missing else TrialState.DONE

    @property
    def reason(self) -> str:
        """Why it has no score."""
        if not self._missing:
            return ""
        why = self._missing[0].reason or self.state.value
        blocks, ended = len(self.trials), len(self.trials) - len(self._missing)
        return why if blocks == 1 else f"only {ended} of {blocks} folds done: {why}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What its trainings had to say, each once."""
        return tuple(dict.fromkeys(n for t in self.trials for n in t.result.get("notes", ())))

    @property
    def _missing(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.state is not TrialState.DONE)


def gather(jobs: Sequence[BaselineJob], trials: Mapping[str, Trial]) -> dict[str, Rival]:
    """The baselines by name, each with its trials in the order of its jobs."""
    found: dict[str, tuple[Trial, ...]] = {}
    for job in jobs:
        own = tuple(trials[spec.id] for spec in job.specs)
        found[job.name] = (*found.get(job.name, ()), *own)
    return {name: Rival(name, own) for name, own in found.items()}


def score_of(rivals: Mapping[str, Rival], metric: str) -> dict[str, float]:
    """A metric's mean over the screening blocks, of those baselines that have one."""
    found = {name: rival.scores.get(metric, np.nan) for name, rival in rivals.items()}
    return {name: score for name, score in found.items() if np.isfinite(score)}


def loss_of(rivals: Mapping[str, Rival]) -> dict[str, float]:
    """The proper loss, averaged over the screening blocks, of those baselines that have one."""
    found = {
        name: float(np.mean([float(trial.result.get("loss", np.nan)) for trial in rival.trials]))
        for name, rival in rivals.items()
        if rival.done
    }
    return {name: loss for name, loss in found.items() if np.isfinite(loss)}
