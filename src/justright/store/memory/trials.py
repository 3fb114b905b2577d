"""Trials in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from justright.core.trial import Attempt, Trial, TrialSpec, TrialState
from justright.store import rules
from justright.store.base import LEASE_S, AbstractTrials
from justright.store.holder import Holder
from justright.store.memory.state import AttemptRow, State, StudyRow, new_id


@final
class MemoryTrials(AbstractTrials):
    """Trials in a dict per study."""

    def __init__(self, state: State) -> None:
        self._state = state

    def plan(self, study: str, specs: Sequence[TrialSpec]) -> tuple[Trial, ...]:
        with self._state.lock:
            row = self._state.study(study)
            ids = [spec.id for spec in specs]
            fresh: dict[str, Trial] = {}
            for name, spec in zip(ids, specs, strict=True):
                rules.check_spec(spec)
                if name not in row.trials and name not in fresh:
                    fresh[name] = _copy(Trial(spec))
            row.trials.update(fresh)
            return tuple(_copy(row.trials[name]) for name in ids)

    def get(self, study: str, trial_id: str) -> Trial:
        with self._state.lock:
            return _copy(_trial(self._state.study(study), trial_id))

    def list(self, study: str, stage: str | None = None) -> tuple[Trial, ...]:
        with self._state.lock:
            trials = self._state.study(study).trials.values()
            return tuple(_copy(t) for t in trials if stage is None or t.spec.stage == stage)

    def start(
        self, study: str, trial_ids: Sequence[str], holder: Holder, lease_s: float = LEASE_S
    ) -> Attempt:
        ids = rules.check_ids(trial_ids)
        with self._state.lock:
            row, now = self._state.study(study), self._state.clock()
            stale = []
            for trial_id in ids:
                trial = _trial(row, trial_id)
                if trial.state.final:
                    raise rules.final_trial(trial_id, trial.state)
                if trial.state is TrialState.RUNNING:
                    owner = row.attempts[row.owners[trial_id]]
                    if not rules.is_free(owner.holder, owner.expires, now):
                        raise rules.taken(trial_id, owner.holder)
                    stale.append(owner)
            for owner in stale:
                row.end(owner)
            new = AttemptRow(new_id(), ids, len(row.attempts) + 1, holder, now + lease_s, now)
            row.attempts[new.id] = new
            for trial_id in ids:
                row.trials[trial_id] = replace(row.trials[trial_id], state=TrialState.RUNNING)
                row.owners[trial_id] = new.id
            return new.attempt()

    def heartbeat(self, attempt: Attempt, lease_s: float = LEASE_S) -> Attempt:
        with self._state.lock:
            _, row = self._open(attempt)
            row.expires = self._state.clock() + lease_s
            return row.attempt()

    def finish(
        self,
        attempt: Attempt,
        trial_id: str,
        state: TrialState,
        result: Mapping[str, Any],
        reason: str = "",
    ) -> None:
        rules.check_final(trial_id, state)
        with self._state.lock:
            row = self._state.writable(attempt, trial_id)
            old = row.trials[trial_id]
            new = Trial(old.spec, state, rules.copied(result), reason)
            if not old.state.final:
                row.trials[trial_id] = new
            elif rules.text_of(old) != rules.text_of(new):
                raise rules.final_trial(trial_id, old.state)

    def abandon(self, attempt: Attempt) -> None:
        with self._state.lock:
            study, row = self._open(attempt)
            study.end(row)

    def retry(self, study: str, trial_ids: Sequence[str]) -> None:
        with self._state.lock:
            row = self._state.study(study)
            trials = [_trial(row, trial_id) for trial_id in trial_ids]
            for trial_id, trial in zip(trial_ids, trials, strict=True):
                if trial.state in (TrialState.DONE, TrialState.RUNNING):
                    raise rules.final_trial(trial_id, trial.state)
            for trial_id, trial in zip(trial_ids, trials, strict=True):
                row.trials[trial_id] = Trial(trial.spec)
                row.owners.pop(trial_id, None)

    def attempts(self, study: str, trial_id: str | None = None) -> tuple[Attempt, ...]:
        with self._state.lock:
            rows = self._state.study(study).attempts.values()
            return tuple(r.attempt() for r in rows if trial_id is None or trial_id in r.trials)

    def _open(self, attempt: Attempt) -> tuple[StudyRow, AttemptRow]:
        for study in self._state.studies.values():
            row = study.attempts.get(attempt.id)
            if row is not None and row.open:
                return study, row
        raise rules.lost_attempt(attempt)


def _trial(row: StudyRow, trial_id: str) -> Trial:
    if trial_id not in row.trials:
        raise rules.no_trial(trial_id)
    return row.trials[trial_id]


def _copy(trial: Trial) -> Trial:
    spec = replace(trial.spec, recipe=rules.copied(trial.spec.recipe))
    return replace(trial, spec=spec, result=rules.copied(trial.result))
