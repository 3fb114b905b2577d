"""What every store must do with ideas, the ledger, checkpoints and the outbox."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from justright.core.decision import Decision, Status
from justright.core.errors import StoreError
from justright.core.finding import Finding, Severity
from justright.core.idea import Verdict
from justright.store.base import AbstractStore
from justright.store.records import Checkpoint, CheckpointState
from justright.testing.stores.case import FLOATS, Clock, StoreCase, idea, opened, started

NOT_RUN = Verdict("rate × 3", "not run", math.nan, -math.inf, math.inf, 0)
BETTER = Verdict("rate × 3", "better", 0.5, 0.25, 0.75, 5, {"p": 0.01})


class IdeasContract(StoreCase):
    """Ideas: predictions and verdicts are added, never changed."""

    def test_an_idea_comes_back(self, store: AbstractStore, clock: Clock) -> None:
        opened(store)
        name = store.ideas.add("houses", idea())
        clock.now += 5
        assert store.ideas.add("houses", idea()) == name
        store.ideas.add("houses", idea("rate / 3"))
        first, second = store.ideas.list("houses")
        assert (first.id, first.idea, first.predictions) == (name, idea(), (idea().prediction,))
        assert (first.verdict, first.created) == (None, clock.now - 5)
        assert second.idea.title == "rate / 3"

    def test_another_prediction_is_another_version(self, store: AbstractStore) -> None:
        opened(store)
        name = store.ideas.add("houses", idea(helps=0.2))
        assert store.ideas.add("houses", idea(helps=0.4)) == name
        (record,) = store.ideas.list("houses")
        assert [prediction.helps for prediction in record.predictions] == [0.2, 0.4]
        assert record.idea.prediction.helps == 0.4

    def test_no_prediction_after_the_outcome(self, store: AbstractStore) -> None:
        opened(store)
        name = store.ideas.add("houses", idea())
        store.ideas.judge(name, NOT_RUN)
        store.ideas.add("houses", idea(helps=0.3))  # it did not run: still open
        store.ideas.judge(name, BETTER)
        store.ideas.judge(name, BETTER)  # the same once more
        with pytest.raises(StoreError, match="too late for another prediction"):
            store.ideas.add("houses", idea(helps=0.9))
        assert store.ideas.add("houses", idea(helps=0.3)) == name  # on resuming: nothing new
        (record,) = store.ideas.list("houses")
        assert [verdict.word for verdict in record.verdicts] == ["not run", "better"]
        assert record.verdict == BETTER
        assert [prediction.helps for prediction in record.predictions] == [0.2, 0.3]
        assert math.isnan(record.verdicts[0].difference)
        assert record.verdicts[0].high == math.inf

    def test_the_same_idea_in_two_studies_is_two(self, store: AbstractStore) -> None:
        opened(store)
        opened(store, "cars")
        names = {store.ideas.add(study, idea()) for study in ("houses", "cars")}
        assert len(names) == 2

    def test_an_unknown_idea_is_refused(self, store: AbstractStore) -> None:
        with pytest.raises(StoreError, match="no idea 'none'"):
            store.ideas.judge("none", BETTER)


class LedgerContract(StoreCase):
    """Decisions, findings, facts."""

    def test_decisions_are_kept_once_and_in_order(self, store: AbstractStore) -> None:
        opened(store)
        measured = {f"v{k}": value for k, value in enumerate(FLOATS) if not math.isnan(value)}
        made = [
            Decision("rate", f"choice {k}", "because", "paper 2020", Status.PUBLISHED, measured)
            for k in range(3)
        ]
        for decision in (*made, made[0]):
            store.ledger.decide("houses", decision)
        assert store.ledger.decisions("houses") == tuple(made)

    def test_findings_are_kept_once_and_in_order(self, store: AbstractStore) -> None:
        opened(store)
        made = [
            Finding(f"code{k}", Severity.WARNING, "seen", "done", ("a", "b"), {"share": 0.1 * k})
            for k in range(3)
        ]
        store.ledger.find("houses", made[:2])
        store.ledger.find("houses", [made[1], made[2], made[2]])
        store.ledger.find("houses", [])
        assert store.ledger.findings("houses") == tuple(made)

    def test_the_last_version_of_a_fact_wins(self, store: AbstractStore) -> None:
        opened(store)
        assert store.ledger.fact("houses", "table") is None
        assert store.ledger.put("houses", "table", {"rows": 1, "a": [None, True]}) == 1
        assert store.ledger.put("houses", "table", {"rows": 1, "a": [None, True]}) == 1
        assert store.ledger.put("houses", "table", {"rows": 2}) == 2
        assert store.ledger.put("houses", "next", []) == 1
        assert store.ledger.put("houses", "table", {"rows": 1, "a": [None, True]}) == 3
        assert store.ledger.fact("houses", "table") == {"rows": 1, "a": [None, True]}
        assert store.ledger.facts("houses") == {
            "next": [],
            "table": store.ledger.fact("houses", "table"),
        }
        assert store.ledger.history("houses", "table")[1] == {"rows": 2}
        assert store.ledger.history("houses", "none") == ()

    def test_facts_keep_the_order_of_keys_and_are_copies(self, store: AbstractStore) -> None:
        opened(store)
        document = {"rmse": 1.0, "mae": [2.0]}
        store.ledger.put("houses", "scores", document)
        document["mae"].append(3.0)  # type: ignore[union-attr]
        found = store.ledger.fact("houses", "scores")
        assert list(found.items()) == [("rmse", 1.0), ("mae", [2.0])]
        found["mae"].clear()
        assert store.ledger.fact("houses", "scores")["mae"] == [2.0]


class CheckpointsContract(StoreCase):
    """Checkpoints: the newest good one, then the one before."""

    def test_a_corrupt_one_falls_back_to_the_one_before(self, store: AbstractStore) -> None:
        opened(store)
        attempt, trial = started(store)
        assert store.checkpoints.latest("houses", trial) is None
        for step in (20, 10):
            store.checkpoints.add(attempt, trial, step, f"{step}.safetensors", "ab" * 32, 99)
        store.checkpoints.add(attempt, trial, 20, "again", "cd" * 32, 1)  # known: nothing new
        last = store.checkpoints.latest("houses", trial)
        assert last == Checkpoint(trial, attempt.id, 20, "20.safetensors", "ab" * 32, 99)
        assert last is not None
        store.checkpoints.mark("houses", last, CheckpointState.CORRUPT)
        before = store.checkpoints.latest("houses", trial)
        assert before is not None
        assert before.step == 10
        store.checkpoints.mark("houses", before, CheckpointState.DELETED)
        assert store.checkpoints.latest("houses", trial) is None
        states = [c.state for c in store.checkpoints.list("houses", trial)]
        assert states == [CheckpointState.DELETED, CheckpointState.CORRUPT]


class OutboxContract(StoreCase):
    """The outbox: at least once, in order, never twice the same message."""

    def test_messages_wait_until_they_are_sent(self, store: AbstractStore, clock: Clock) -> None:
        opened(store)
        for key in ("a", "b", "a"):
            store.outbox.post("houses", "mlflow", key, {"key": key})
        store.outbox.post("houses", "wandb", "a", {})
        a, b = store.outbox.due("mlflow")
        assert (a.key, a.document, b.key) == ("a", {"key": "a"}, "b")
        assert store.outbox.due("mlflow", limit=1) == (a,)
        store.outbox.failed(a, "no network \ud800", clock.now + 10)
        assert store.outbox.due("mlflow") == (b,)
        clock.now += 10
        assert store.outbox.due("mlflow") == (replace(a, tries=1, reason="no network \ud800"), b)
        store.outbox.sent(a)
        store.outbox.post("houses", "mlflow", "a", {"key": "late"})
        assert store.outbox.due("mlflow") == (b,)
