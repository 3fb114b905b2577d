"""What every store must do with studies and their leases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.errors import Fenced, StoreError, StudyBusyError, StudyMismatchError
from justright.core.trial import TrialState
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.testing.stores.case import (
    ELSEWHERE,
    Clock,
    StoreCase,
    dead_process,
    head,
    opened,
    spec,
    started,
)


class StudiesContract(StoreCase):
    """Studies, leases, take-overs."""

    def test_a_study_comes_back_as_it_was_made(self, store: AbstractStore) -> None:
        store.studies.open(head(), ELSEWHERE)
        assert store.studies.head("houses") == head()
        assert list(store.studies.heads()[0].settings) == ["target", "drop", "share"]
        assert store.studies.head("cars") is None

    def test_studies_are_listed_newest_first(self, store: AbstractStore) -> None:
        for name, at in (("old", 1.0), ("new", 3.0), ("middle", 2.0)):
            store.studies.open(head(name, at=at), ELSEWHERE)
        assert [h.name for h in store.studies.heads()] == ["new", "middle", "old"]

    def test_what_the_caller_changes_later_changes_nothing(self, store: AbstractStore) -> None:
        settings = {"drop": ["id"]}
        made = head()
        store.studies.open(type(made)("a", "d", "g", settings, 0.0), ELSEWHERE)
        settings["drop"].append("age")
        found = store.studies.head("a")
        assert found is not None
        assert found.settings == {"drop": ["id"]}

    @pytest.mark.parametrize("what", ["data", "goal"])
    def test_other_data_or_goal_is_refused_with_both_fingerprints(
        self, store: AbstractStore, what: str
    ) -> None:
        lease = opened(store)
        store.studies.release(lease)
        with pytest.raises(StudyMismatchError) as caught:
            store.studies.open(replace(head(), **{what: "x9"}), ELSEWHERE)
        old = {"data": "d1", "goal": "g1"}[what]
        assert old in caught.value.message
        assert "x9" in caught.value.message
        assert "--name" in caught.value.hint

    def test_the_second_is_told_who_works_on_it(self, store: AbstractStore) -> None:
        holder = this_process()
        store.studies.open(head(), holder)
        with pytest.raises(StudyBusyError) as caught:
            store.studies.open(head(), this_process())
        assert str(holder) in caught.value.message
        assert str(holder.pid) in str(holder)
        assert "since" in str(holder)
        held = store.studies.holder("houses")
        assert held is not None
        assert held.holder == str(holder)

    def test_a_released_study_is_free(self, store: AbstractStore) -> None:
        first = opened(store)
        store.studies.release(first)
        assert store.studies.holder("houses") is None
        second = opened(store)
        assert second.token > first.token
        store.studies.release(first)  # late, and without effect
        assert store.studies.holder("houses") == second

    def test_a_lease_lasts_as_long_as_its_heart_beats(
        self, store: AbstractStore, clock: Clock
    ) -> None:
        lease = store.studies.open(head(), ELSEWHERE, lease_s=10)
        clock.now += 9
        lease = store.studies.heartbeat(lease, lease_s=10)
        clock.now += 9
        with pytest.raises(StudyBusyError):
            opened(store)
        clock.now += 1
        taken = opened(store)
        with pytest.raises(Fenced):
            store.studies.heartbeat(lease)
        assert store.studies.holder("houses") == taken

    def test_a_dead_process_holds_nothing(self, store: AbstractStore) -> None:
        store.studies.open(head(), dead_process(), lease_s=1e6)
        assert store.studies.holder("houses") is None
        assert opened(store).token == 2

    def test_a_new_lease_ends_what_the_old_one_ran(self, store: AbstractStore) -> None:
        lease = opened(store)
        attempt, trial = started(store)
        store.studies.release(lease)
        opened(store)
        assert store.trials.get("houses", trial).state is TrialState.PLANNED
        with pytest.raises(Fenced):
            store.trials.finish(attempt, trial, TrialState.DONE, {})

    def test_removal_takes_everything_and_nothing_else(self, store: AbstractStore) -> None:
        lease = opened(store)
        opened(store, "cars")
        store.trials.plan("cars", [spec()])
        attempt, trial = started(store)
        store.curves.extend(attempt, trial, "loss", [0], [1.0])
        store.curves.flush()
        store.checkpoints.add(attempt, trial, 5, "a.safetensors", "0" * 64, 10)
        store.ledger.put("houses", "table", {"rows": 5})
        store.outbox.post("houses", "mirror", "m", {})
        with pytest.raises(StudyBusyError):
            store.studies.remove("houses")
        store.studies.release(lease)
        store.studies.remove("houses")
        assert [h.name for h in store.studies.heads()] == ["cars"]
        assert len(store.trials.list("cars")) == 1
        assert store.outbox.due("mirror") == ()
        assert store.check() == ()
        opened(store)
        assert store.trials.list("houses") == ()
        assert store.ledger.facts("houses") == {}

    def test_an_unknown_study_is_named(self, store: AbstractStore) -> None:
        for call in (
            store.trials.list,
            store.ledger.facts,
            store.ideas.list,
            store.studies.remove,
        ):
            with pytest.raises(StoreError, match="there is no study 'bikes'"):
                call("bikes")

    @pytest.mark.parametrize("name", ["", "a\nb", "x" * 256, "a\x00b"])
    def test_a_name_must_be_printable(self, store: AbstractStore, name: str) -> None:
        with pytest.raises(StoreError):
            store.studies.open(head(name), ELSEWHERE)
        assert store.studies.heads() == ()
