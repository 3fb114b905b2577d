"""Runs jobs on workers until they are done or the clock ends them, and writes what became of them.

The only place of the product where trials are started and finished: a trial that is done in the
store is never run again, one that was interrupted returns to the plan, one that diverged or ran
out of memory is a recorded fact.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from justright.core.trial import Attempt, Trial, TrialSpec, TrialState
from justright.designer.work.watch import Watch
from justright.executors.base import AbstractExecutor, Call, Failed, Finished, Progress
from justright.store.base import AbstractStore
from justright.store.holder import Holder
from justright.store.records import Histogram

GRACE_S = 0.7
"""How long a job may overrun its deadline before it is killed (spans are at most 0.25 s), on an
idle machine; longer on a slow one, where scoring and saving what was cut takes longer."""

_BEAT_S = 10.0

_NO_SPACE = tuple(os.strerror(n) for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@dataclass(frozen=True)
class Outcome:
    """What became of one trial of a job.

    Attributes:
        state: A final state.
        result: JSON types: scores, loss, steps, paths.
        reason: Why it failed or was cut.
        curves: Name to (steps, values).
        histograms: Name to histograms, by step.
    """

    state: TrialState
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    curves: Mapping[str, tuple[Sequence[int], Sequence[float]]] = field(default_factory=dict)
    histograms: Mapping[str, Sequence[Histogram]] = field(default_factory=dict)


class Job(Protocol):
    """Some trials that one call runs together."""

    @property
    def label(self) -> str:
        """For the screen."""
        ...

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        """The trials, in the order of the outcomes."""
        ...

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        """The call that runs those of the trials that are not done yet."""
        ...

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        """What the call's answer means, one outcome per missing trial."""
        ...


OnEnd = Callable[[Job], None]


class Interrupted(Exception):
    """The user pressed Ctrl-C: what is finished is kept, and the study goes to its end."""


@dataclass
class _Running:
    job: Job
    missing: tuple[TrialSpec, ...]
    attempt: Attempt


class Crew:
    """The workers of a study.

    One thread uses it at a time. It owns neither the executor nor the store. ``on_beat`` is called
    every ten seconds while something runs, to prolong the lease on the study.
    """

    def __init__(
        self,
        executor: AbstractExecutor,
        store: AbstractStore,
        study: str,
        holder: Holder,
        watch: Watch,
        on_beat: Callable[[], None],
    ) -> None:
        self._executor = executor
        self._store = store
        self._study = study
        self._holder = holder
        self._watch = watch
        self._beat = time.monotonic()
        self._on_beat = on_beat

    @property
    def capacity(self) -> int:
        """How many jobs run at the same time."""
        return self._executor.capacity

    @property
    def _grace_s(self) -> float:
        return GRACE_S * self._watch.clock.slow.factor

    def run(
        self,
        jobs: Sequence[Job],
        deadline: float,
        on_end: OnEnd = lambda _: None,
    ) -> dict[str, Trial]:
        """Run jobs, in order, as many at a time as there are workers; a barrier.

        Args:
            jobs: What is to be done.
            deadline: Unix time at which jobs are to end; those that do not are killed.
            on_end: Called when a job has ended and its trials are final.

        Returns:
            The trials of all jobs by id, as the store has them now.

        Raises:
            Interrupted: On Ctrl-C; what still ran has returned to the plan.
        """
        waiting = list(jobs)
        running: dict[int, _Running] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.capacity:
                    self._start(waiting.pop(0), running, deadline, on_end)
                self._turn(running, deadline, on_end)
        except KeyboardInterrupt:
            self._stop(running)
            raise Interrupted from None
        except BaseException:
            self._stop(running)
            raise
        ids = [spec.id for job in jobs for spec in job.specs]
        return {trial_id: self._store.trials.get(self._study, trial_id) for trial_id in ids}

    def ask(self, call: Call, label: str, deadline: float) -> Any:
        """Run one call that is no trial; its value, or None if it failed or was too slow.

        Raises:
            Interrupted: On Ctrl-C.
        """
        call_id = self._executor.submit(call)
        self._watch.activity(label, "running")
        value: Any = None
        ended = False
        try:
            while not ended:
                if time.time() > deadline + self._grace_s:
                    self._executor.cancel(call_id)
                for event in self._executor.poll(0.1):
                    if event.call_id == call_id and not isinstance(event, Progress):
                        value = event.value if isinstance(event, Finished) else None
                        ended = True
                self._watch.tick()
        except KeyboardInterrupt:
            self._executor.cancel(call_id)
            raise Interrupted from None
        finally:
            self._watch.activity(label, None)
        return value

    def _start(
        self, job: Job, running: dict[int, _Running], deadline: float, on_end: OnEnd
    ) -> None:
        trials = self._store.trials.plan(self._study, job.specs)
        cut = [t.spec.id for t in trials if t.state is TrialState.CUT]
        if cut:
            self._store.trials.retry(self._study, cut)
        settled = {TrialState.DONE, TrialState.FAILED}
        missing = tuple(trial.spec for trial in trials if trial.state not in settled)
        if not missing:
            on_end(job)
            return
        attempt = self._store.trials.start(
            self._study, [spec.id for spec in missing], self._holder
        )
        if time.time() >= deadline:
            self._finish(_Running(job, missing, attempt), _all(missing, TrialState.CUT, "no time"))
            on_end(job)
            return
        call_id = self._executor.submit(job.call(missing, deadline))
        running[call_id] = _Running(job, missing, attempt)
        self._watch.activity(job.label, "starting")

    def _turn(self, running: dict[int, _Running], deadline: float, on_end: OnEnd) -> None:
        if time.time() > deadline + self._grace_s:
            for call_id in list(running):
                self._executor.cancel(call_id)
        for event in self._executor.poll(0.1):
            work = running.get(event.call_id)
            if work is None:
                continue
            if isinstance(event, Progress):
                self._watch.activity(work.job.label, _describe(event.payload))
            elif isinstance(event, Finished):
                self._finish(work, work.job.outcomes(event.value))
            else:
                self._finish(work, _failure(work.missing, event))
            if not isinstance(event, Progress):
                del running[event.call_id]
                on_end(work.job)
        self._watch.tick()
        self._heartbeat(running)

    def _finish(self, work: _Running, outcomes: tuple[Outcome, ...]) -> None:
        for spec, outcome in zip(work.missing, outcomes, strict=True):
            for name, (steps, values) in outcome.curves.items():
                self._store.curves.extend(work.attempt, spec.id, name, steps, values)
            for name, found in outcome.histograms.items():
                for histogram in found:
                    self._store.histograms.log(work.attempt, spec.id, name, histogram)
            self._store.trials.finish(
                work.attempt, spec.id, outcome.state, outcome.result, outcome.reason
            )
        self._watch.activity(work.job.label, None)

    def _heartbeat(self, running: dict[int, _Running]) -> None:
        if time.monotonic() - self._beat < _BEAT_S:
            return
        self._beat = time.monotonic()
        self._on_beat()
        for work in running.values():
            work.attempt = self._store.trials.heartbeat(work.attempt)

    def _stop(self, running: dict[int, _Running]) -> None:
        for call_id, work in running.items():
            self._executor.cancel(call_id)
            self._store.trials.abandon(work.attempt)
            self._watch.activity(work.job.label, None)
        running.clear()


def _describe(payload: Any) -> str:
    if isinstance(payload, Mapping):
        return str(payload.get("text", ""))
    return str(payload)


def _all(missing: tuple[TrialSpec, ...], state: TrialState, reason: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(state, {}, reason) for _ in missing)


def _failure(missing: tuple[TrialSpec, ...], event: Failed) -> tuple[Outcome, ...]:
    """A killed job was cut by the clock, and one that found no space can be run again; everything
    else is the trials' own failure."""
    if event.kind == "cancelled":
        return _all(missing, TrialState.CUT, "cut by the time limit")
    if any(text in event.message for text in _NO_SPACE):
        return _all(missing, TrialState.CUT, "the disk is full")
    reason = "out of memory" if event.kind == "memory" else event.message
    return _all(missing, TrialState.FAILED, reason)
