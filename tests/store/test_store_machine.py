"""Any order of calls on two connections, with reopening, agrees with a few dicts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from justright.core.errors import Fenced, StoreError
from justright.core.trial import Attempt, TrialState
from justright.store.sql.store import SqlStore
from justright.testing.stores.case import ELSEWHERE, Clock, head, spec

NUMBERS = st.integers(0, 3)
VALUES = st.floats(allow_nan=False) | st.just(1.7976931348623157e308)
ENDS = st.sampled_from([TrialState.DONE, TrialState.FAILED, TrialState.CUT])
WHICH = st.integers(0, 1)


class StoreMachine(RuleBasedStateMachine):
    """The model: per trial its state, result and attempt; curves by attempt; facts by key."""

    @initialize()
    def create(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.stores = [self.opened(), self.opened()]
        self.lease = self.stores[0].studies.open(head(), ELSEWHERE, lease_s=1e9)
        self.states: dict[int, str] = {}
        self.results: dict[int, float] = {}
        self.owner: dict[int, Attempt] = {}
        self.attempts: list[tuple[int, Attempt]] = []
        self.curves: dict[str, dict[int, float]] = {}
        self.facts: dict[str, list[float]] = {}

    def opened(self) -> SqlStore:
        return SqlStore(self.folder / "justright.db", self.clock)

    def teardown(self) -> None:
        if hasattr(self, "stores"):
            for store in self.stores:
                store.close()
            shutil.rmtree(self.folder)

    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        self.stores[which].close()
        self.stores[which] = self.opened()

    @rule(which=WHICH)
    def take_over_study(self, which: int) -> None:
        self.stores[which].studies.release(self.lease)
        self.lease = self.stores[which].studies.open(head(), ELSEWHERE, lease_s=1e9)
        self.owner.clear()  # every attempt has ended, also of what is final
        for number, state in self.states.items():
            if state == "running":
                self.states[number] = "planned"

    @rule(which=WHICH, numbers=st.lists(NUMBERS, max_size=4))
    def plan(self, which: int, numbers: list[int]) -> None:
        found = self.stores[which].trials.plan("houses", [spec(n) for n in numbers])
        for number in numbers:
            self.states.setdefault(number, "planned")
        assert [t.state.value for t in found] == [self.states[n] for n in numbers]

    @precondition(lambda self: self.states)
    @rule(which=WHICH, number=NUMBERS, lease_s=st.sampled_from([10.0, 1e9]))
    def start(self, which: int, number: int, lease_s: float) -> None:
        trials = self.stores[which].trials
        ids, state = [spec(number).id], self.states.get(number)
        owner = self.owner.get(number)
        stale = owner is not None and owner.lease.expires <= self.clock.now
        if state == "planned" or (state == "running" and stale):
            attempt = trials.start("houses", ids, ELSEWHERE, lease_s)
            self.states[number], self.owner[number] = "running", attempt
            self.attempts.append((number, attempt))
        else:
            with pytest.raises(Fenced if state == "running" else StoreError):
                trials.start("houses", ids, ELSEWHERE, lease_s)

    @rule(seconds=st.sampled_from([1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: self.attempts)
    @rule(which=WHICH, data=st.data(), state=ENDS, value=VALUES)
    def finish(self, which: int, data: st.DataObject, state: TrialState, value: float) -> None:
        number, attempt = data.draw(st.sampled_from(self.attempts))
        trials, trial = self.stores[which].trials, spec(number).id
        holds = self.owner.get(number) == attempt
        if holds and self.states[number] == "running":
            trials.finish(attempt, trial, state, {"value": value})
            self.states[number], self.results[number] = state.value, value
        elif holds and (self.states[number], self.results[number]) == (state.value, value):
            trials.finish(attempt, trial, state, {"value": value})
        else:
            with pytest.raises(StoreError if holds else Fenced):
                trials.finish(attempt, trial, state, {"value": value})

    @precondition(lambda self: self.states)
    @rule(which=WHICH, number=NUMBERS)
    def retry(self, which: int, number: int) -> None:
        trials, state = self.stores[which].trials, self.states.get(number)
        if state in ("planned", "failed", "cut"):
            trials.retry("houses", [spec(number).id])
            self.states[number] = "planned"
            self.owner.pop(number, None)
        else:
            with pytest.raises(StoreError):
                trials.retry("houses", [spec(number).id])

    @precondition(lambda self: self.attempts)
    @rule(which=WHICH, data=st.data(), steps=st.lists(st.integers(0, 30), max_size=8), v=VALUES)
    def log(self, which: int, data: st.DataObject, steps: list[int], v: float) -> None:
        number, attempt = data.draw(st.sampled_from(self.attempts))
        curves, trial = self.stores[which].curves, spec(number).id
        points = dict.fromkeys(steps, v)
        if self.owner.get(number) == attempt:
            curves.extend(attempt, trial, "x", list(points), list(points.values()))
            curves.flush()
            curve = self.curves.setdefault(attempt.id, {})
            for step in points:
                if step > max(curve, default=-1):
                    curve[step] = v
        elif points:
            with pytest.raises(Fenced):
                self.log_and_flush(curves, attempt, trial, steps)

    def log_and_flush(self, curves, attempt: Attempt, trial: str, steps: list[int]) -> None:
        curves.extend(attempt, trial, "x", steps, [0.0] * len(steps))
        curves.flush()

    @rule(which=WHICH, key=st.sampled_from("ab"), value=VALUES)
    def put(self, which: int, key: str, value: float) -> None:
        versions = self.facts.setdefault(key, [])
        if not versions or repr(versions[-1]) != repr(value):
            versions.append(value)
        assert self.stores[which].ledger.put("houses", key, value) == len(versions)

    @invariant()
    def both_connections_agree_with_the_model(self) -> None:
        for store in getattr(self, "stores", []):
            listed = store.trials.list("houses")
            assert {t.spec.seed: t.state.value for t in listed} == self.states
            for trial in listed:
                final = {"value": self.results[trial.spec.seed]} if trial.state.final else {}
                assert trial.result == final
            assert store.ledger.facts("houses") == {k: v[-1] for k, v in self.facts.items()}

    @precondition(lambda self: hasattr(self, "stores"))
    @rule(which=WHICH, number=NUMBERS)
    def read_curve(self, which: int, number: int) -> None:
        expected: dict[int, float] = {}
        for of, attempt in self.attempts:
            points = self.curves.get(attempt.id, {})
            if of == number and points:
                first = min(points)
                expected = {s: v for s, v in expected.items() if s < first} | points
        steps, values = self.stores[which].curves.read("houses", spec(number).id, "x")
        assert dict(zip(steps.tolist(), values.tolist(), strict=True)) == expected
        assert steps.tolist() == sorted(expected)


TestStoreMachine = StoreMachine.TestCase
# 40 examples of 20 calls cost ten seconds of one core; raise them to hunt for something.
TestStoreMachine.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
