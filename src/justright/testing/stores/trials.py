"""What every store must do with trials and attempts."""

from __future__ import annotations

import math

import pytest

from justright.core.errors import Fenced, StoreError
from justright.core.trial import Attempt, Trial, TrialState
from justright.store.base import AbstractStore
from justright.testing.stores.case import (
    ELSEWHERE,
    FLOATS,
    Clock,
    StoreCase,
    dead_process,
    log_now,
    opened,
    spec,
    started,
)

DONE, FAILED, CUT = TrialState.DONE, TrialState.FAILED, TrialState.CUT


class TrialsContract(StoreCase):
    """Planning once, running once, fencing."""

    def test_planning_again_changes_nothing(self, store: AbstractStore) -> None:
        opened(store)
        first = store.trials.plan("houses", [spec(0), spec(1), spec(0)])
        assert first == (Trial(spec(0)), Trial(spec(1)), Trial(spec(0)))
        assert list(first[0].spec.recipe) == ["width", "rate", "layers"]
        attempt = store.trials.start("houses", [spec(0).id], ELSEWHERE)
        store.trials.finish(attempt, spec(0).id, DONE, {"loss": 1.0})
        again = store.trials.plan("houses", [spec(1), spec(0), spec(2)])
        assert [trial.state.value for trial in again] == ["planned", "done", "planned"]
        assert again[1].result == {"loss": 1.0}
        assert [t.spec.seed for t in store.trials.list("houses")] == [0, 1, 2]

    def test_trials_are_listed_by_stage(self, store: AbstractStore) -> None:
        opened(store)
        store.trials.plan("houses", [spec(0, "rate"), spec(1, "shape"), spec(2, "rate")])
        assert [t.spec.seed for t in store.trials.list("houses", "rate")] == [0, 2]
        assert store.trials.list("houses", "none") == ()

    def test_many_trials_are_planned_at_once(self, store: AbstractStore) -> None:
        opened(store)
        specs = [spec(k) for k in range(1201)]
        assert len(store.trials.plan("houses", specs)) == 1201
        found = store.trials.plan("houses", specs[::-1])
        assert [t.spec.seed for t in found] == list(range(1200, -1, -1))

    def test_a_trial_runs_and_ends(self, store: AbstractStore, clock: Clock) -> None:
        opened(store)
        store.trials.plan("houses", [spec(0), spec(1)])
        attempt = store.trials.start("houses", [spec(1).id, spec(0).id], ELSEWHERE, lease_s=7)
        assert attempt.trials == (spec(1).id, spec(0).id)
        assert attempt.lease.expires == clock.now + 7
        assert attempt.lease.holder == str(ELSEWHERE)
        assert store.trials.get("houses", spec(0).id).state is TrialState.RUNNING
        store.trials.finish(attempt, spec(0).id, FAILED, {"step": 7}, "diverged at step 7")
        trial = store.trials.get("houses", spec(0).id)
        assert (trial.state, trial.result) == (FAILED, {"step": 7})
        assert trial.reason == "diverged at step 7"
        assert store.trials.attempts("houses") == (attempt,)
        assert store.trials.attempts("houses", spec(0).id) == (attempt,)
        assert store.trials.attempts("houses", "none") == ()

    def test_results_keep_every_bit(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        values = {f"v{k}": value for k, value in enumerate(FLOATS)}
        text = "naïve \x00 \ud800 \U0001f600"
        store.trials.finish(attempt, trial, DONE, {"values": values, "text": text}, text)
        found = store.trials.get("houses", trial)
        for name, value in values.items():
            got = found.result["values"][name]
            assert got == value or (math.isnan(got) and math.isnan(value))
            assert math.copysign(1, got) == math.copysign(1, value) or math.isnan(value)
        assert found.result["text"] == text
        assert found.reason == text

    def test_an_attempt_starts_all_or_nothing(self, store: AbstractStore) -> None:
        opened(store)
        _, trial = started(store)
        store.trials.plan("houses", [spec(1)])
        with pytest.raises(Fenced, match="is being run by process 4711"):
            store.trials.start("houses", [spec(1).id, trial], ELSEWHERE)
        assert store.trials.get("houses", spec(1).id).state is TrialState.PLANNED
        for ids in ([], ["none"], [spec(1).id, spec(1).id]):
            with pytest.raises(StoreError):
                store.trials.start("houses", ids, ELSEWHERE)

    def test_done_is_for_ever(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        store.trials.finish(attempt, trial, DONE, {"loss": 1.0})
        store.trials.finish(attempt, trial, DONE, {"loss": 1.0})  # the same once more
        for state, result in ((DONE, {"loss": 2.0}), (FAILED, {})):
            with pytest.raises(StoreError, match="is done already"):
                store.trials.finish(attempt, trial, state, result)
        with pytest.raises(StoreError, match="is done already"):
            store.trials.start("houses", [trial], ELSEWHERE)
        with pytest.raises(StoreError, match="is done already"):
            store.trials.retry("houses", [trial])
        assert store.trials.get("houses", trial) == Trial(spec(), DONE, {"loss": 1.0})

    def test_only_an_end_finishes(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        with pytest.raises(StoreError, match="cannot finish as 'running'"):
            store.trials.finish(attempt, trial, TrialState.RUNNING, {})

    @pytest.mark.parametrize("end", [FAILED, CUT])
    def test_what_failed_or_was_cut_can_be_tried_again(
        self, store: AbstractStore, end: TrialState
    ) -> None:
        opened(store)
        first, trial = started(store)
        with pytest.raises(StoreError):
            store.trials.retry("houses", [trial])  # it is running
        store.trials.finish(first, trial, end, {"a": 1}, "no time")
        with pytest.raises(StoreError, match="retry it first"):
            store.trials.start("houses", [trial], ELSEWHERE)
        store.trials.retry("houses", [trial])
        assert store.trials.get("houses", trial) == Trial(spec())
        with pytest.raises(Fenced):
            store.trials.finish(first, trial, DONE, {})
        second = store.trials.start("houses", [trial], ELSEWHERE)
        assert second.lease.token > first.lease.token
        store.trials.finish(second, trial, DONE, {})
        assert store.trials.attempts("houses", trial) == (first, second)

    def test_a_stale_attempt_is_taken_over_and_fenced(
        self, store: AbstractStore, clock: Clock
    ) -> None:
        opened(store)
        store.trials.plan("houses", [spec(0), spec(1)])
        ids = [spec(0).id, spec(1).id]
        old = store.trials.start("houses", ids, ELSEWHERE, lease_s=10)
        clock.now += 9
        old = store.trials.heartbeat(old, lease_s=10)
        clock.now += 9
        with pytest.raises(Fenced):
            store.trials.start("houses", ids[:1], ELSEWHERE)
        clock.now += 1
        new = store.trials.start("houses", ids[:1], ELSEWHERE)
        assert new.lease.token > old.lease.token
        assert store.trials.get("houses", ids[1]).state is TrialState.PLANNED
        self.refuses_every_write(store, old, ids[0])
        store.trials.finish(new, ids[0], DONE, {})

    def refuses_every_write(self, store: AbstractStore, old: Attempt, trial: str) -> None:
        """Every write of an ended attempt raises `Fenced`."""
        with pytest.raises(Fenced):
            store.trials.heartbeat(old)
        with pytest.raises(Fenced):
            store.trials.finish(old, trial, DONE, {"loss": 0.0})
        with pytest.raises(Fenced):
            store.trials.abandon(old)
        with pytest.raises(Fenced):
            store.checkpoints.add(old, trial, 1, "x", "0" * 64, 1)
        with pytest.raises(Fenced):
            log_now(store, old, trial, 0)
        with pytest.raises(Fenced):
            log_now(store, old, trial, 1)
        assert store.curves.names("houses", trial) == ()

    def test_an_expired_attempt_that_nobody_took_may_finish(
        self, store: AbstractStore, clock: Clock
    ) -> None:
        opened(store)
        attempt, trial = started(store)
        clock.now += 1e6
        store.trials.finish(attempt, trial, DONE, {})
        assert store.trials.get("houses", trial).state is DONE

    def test_a_dead_process_runs_nothing(self, store: AbstractStore) -> None:
        opened(store)
        store.trials.plan("houses", [spec()])
        store.trials.start("houses", [spec().id], dead_process(), lease_s=1e6)
        store.trials.start("houses", [spec().id], ELSEWHERE)

    def test_an_abandoned_attempt_gives_its_trials_back(self, store: AbstractStore) -> None:
        opened(store)
        store.trials.plan("houses", [spec(0), spec(1)])
        attempt = store.trials.start("houses", [spec(0).id, spec(1).id], ELSEWHERE)
        store.trials.finish(attempt, spec(0).id, DONE, {})
        store.trials.abandon(attempt)
        assert [t.state.value for t in store.trials.list("houses")] == ["done", "planned"]
        with pytest.raises(Fenced):
            store.trials.finish(attempt, spec(1).id, DONE, {})

    def test_an_attempt_writes_its_own_trials_only(self, store: AbstractStore) -> None:
        opened(store)
        attempt, _ = started(store, 0)
        _, other = started(store, 1)
        with pytest.raises(Fenced):
            store.trials.finish(attempt, other, DONE, {})

    def test_unknown_trials_and_odd_specs_are_refused(self, store: AbstractStore) -> None:
        opened(store)
        with pytest.raises(StoreError, match="no trial 'none'"):
            store.trials.get("houses", "none")
        with pytest.raises(StoreError):
            store.trials.plan("houses", [spec(2**64)])
        with pytest.raises(StoreError):
            store.trials.plan("houses", [spec(1), spec(0, stage="a\x00b")])
        assert store.trials.list("houses") == ()
