"""The crew writes what became of every trial, and runs nothing twice."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from justright.core.study import StudyHead
from justright.core.trial import TrialSpec, TrialState
from justright.designer.timing.clock import Clock
from justright.designer.work.crew import Crew, Interrupted, Outcome
from justright.designer.work.watch import Watch
from justright.executors.base import AbstractExecutor, Call
from justright.executors.processes import ProcessExecutor
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.store.memory import MemoryStore


@dataclass(frozen=True)
class SmallJob:
    """A job of one trial that calls a function of `justright.testing.calls`."""

    name: str
    call_: Call

    @property
    def label(self) -> str:
        return self.name

    @property
    def specs(self) -> tuple[TrialSpec, ...]:
        return (TrialSpec("network", self.name, "test", {"name": self.name}, "p", 0, 1),)

    def call(self, missing: tuple[TrialSpec, ...], deadline: float) -> Call:
        return self.call_

    def outcomes(self, value: Any) -> tuple[Outcome, ...]:
        return (Outcome(TrialState.DONE, {"value": value}, "", {"loss": ([1, 2], [0.5, 0.25])}),)


def job(name: str, function: str, **arguments: Any) -> SmallJob:
    return SmallJob(name, Call(f"justright.testing.calls:{function}", arguments))


@pytest.fixture(scope="module")
def executor() -> Iterator[AbstractExecutor]:
    with ProcessExecutor(2, preload=(("justright.testing.calls",),)) as executor:
        yield executor


@pytest.fixture
def store() -> Iterator[AbstractStore]:
    with MemoryStore() as store:
        store.studies.open(StudyHead("s", "d", "g", {}, 0.0), this_process())
        yield store


def crew_of(executor: AbstractExecutor, store: AbstractStore) -> Crew:
    watch = Watch(Clock(time.time(), 60.0))
    return Crew(executor, store, "s", this_process(), watch, lambda: None)


def later(seconds: float = 30.0) -> float:
    return time.time() + seconds


def test_results_and_curves_are_stored(executor: AbstractExecutor, store: AbstractStore) -> None:
    jobs = [job(f"add {i}", "add", a=i, b=1) for i in range(5)]
    trials = crew_of(executor, store).run(jobs, later())
    values = [trials[j.specs[0].id].result["value"] for j in jobs]
    assert values == [1, 2, 3, 4, 5]
    steps, losses = store.curves.read("s", jobs[0].specs[0].id, "loss")
    assert (steps.tolist(), losses.tolist()) == ([1, 2], [0.5, 0.25])


def test_a_finished_trial_never_runs_twice(
    executor: AbstractExecutor, store: AbstractStore
) -> None:
    crew = crew_of(executor, store)
    crew.run([job("once", "add", a=1, b=1)], later())
    again = crew.run([job("once", "fail", message="ran twice")], later())
    (trial,) = again.values()
    assert (trial.state, trial.result["value"]) == (TrialState.DONE, 2)
    assert len(store.trials.attempts("s")) == 1


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("fail", {"message": "boom"}, "boom"),
        ("exhaust", {"text": ""}, "out of memory"),
        ("die", {"number": int(signal.SIGKILL), "text": "gone"}, ""),
    ],
)
def test_a_failure_is_a_recorded_fact_and_the_others_go_on(
    executor: AbstractExecutor,
    store: AbstractStore,
    function: str,
    arguments: dict[str, Any],
    reason: str,
) -> None:
    jobs = [job("bad", function, **arguments), job("good", "add", a=1, b=2)]
    trials = crew_of(executor, store).run(jobs, later())
    bad, good = (trials[j.specs[0].id] for j in jobs)
    assert bad.state is TrialState.FAILED
    assert reason in bad.reason
    assert bad.reason
    assert good.result["value"] == 3


def test_the_deadline_kills_what_does_not_end(
    executor: AbstractExecutor, store: AbstractStore
) -> None:
    began = time.monotonic()
    jobs = [job(f"slow {i}", "sleep", seconds=30.0) for i in range(3)]
    trials = crew_of(executor, store).run(jobs, later(0.3))
    assert time.monotonic() - began < 3
    assert {trial.state for trial in trials.values()} == {TrialState.CUT}


def test_what_the_clock_cut_is_tried_again(
    executor: AbstractExecutor, store: AbstractStore
) -> None:
    crew = crew_of(executor, store)
    crew.run([job("late", "sleep", seconds=30.0)], later(0.2))
    trials = crew.run([job("late", "add", a=2, b=2)], later())
    (trial,) = trials.values()
    assert (trial.state, trial.result["value"]) == (TrialState.DONE, 4)


def test_ctrl_c_returns_running_trials_to_the_plan(
    executor: AbstractExecutor, store: AbstractStore
) -> None:
    crew = crew_of(executor, store)
    slow = job("slow", "sleep", seconds=30.0)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    # a script's background job starts with Ctrl-C ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with pytest.raises(Interrupted):
        crew.run([slow], later())
    signal.signal(signal.SIGINT, before)
    (trial,) = store.trials.list("s")
    assert trial.state is TrialState.PLANNED
    assert crew.run([job("next", "add", a=0, b=0)], later())


def test_everyone_is_told_when_a_job_ends(
    executor: AbstractExecutor, store: AbstractStore
) -> None:
    ended: list[str] = []
    jobs = [job(f"j{i}", "add", a=i, b=i) for i in range(3)]
    crew_of(executor, store).run(jobs, later(), lambda each: ended.append(each.label))
    assert sorted(ended) == ["j0", "j1", "j2"]
