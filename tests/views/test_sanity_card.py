"""The card of sanity and state says what was checked, what failed, and what was not reached."""

from __future__ import annotations

import copy
from typing import Any

from justright.store.memory import MemoryStore
from justright.testing.example_facts import SANITY, STATE
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.sanity import sanity
from justright.views.reader import Reader


def made(checks: Any = SANITY, state: Any = STATE) -> Card | NotApplicable:
    store = MemoryStore()
    name = write_example(store)
    store.ledger.put(name, "sanity", copy.deepcopy(dict(checks)))
    store.ledger.put(name, "state", copy.deepcopy(dict(state)))
    return sanity(Reader(store, name))


def test_failed_checks_are_named_and_marked() -> None:
    card = made()
    assert isinstance(card, Card)
    assert card.claim == (
        "4 of 6 sanity checks passed, but not: gradients; the champion's state: able to overfit."
    )
    assert card.table is not None
    assert card.table.strong == {2}
    assert [row[3] for row in card.table.rows] == [check["word"] for check in SANITY["checks"]]
    assert "Gradients: look for units that are never active." in card.notes
    assert card.table.rows[0][4] == "Karpathy 2019 (limits: assumption)"


def test_the_state_has_its_reason_action_and_figures() -> None:
    card = made()
    assert isinstance(card, Card)
    notes = " ".join(card.notes)
    assert STATE["reason"] in notes
    assert STATE["action"] in notes
    assert "3 runs: constant 1.00, baseline 0.210, train 0.140, validation 0.200" in notes


def test_passed_checks_leave_nothing_to_mark() -> None:
    checks = [check | {"word": "passed", "action": ""} for check in SANITY["checks"]]
    card = made({**SANITY, "checks": checks}, {**STATE, "state": "cannot tell"})
    assert isinstance(card, Card)
    assert card.claim == (
        "6 of 6 sanity checks passed; the curves do not tell the champion's state."
    )
    assert card.table is not None
    assert card.table.strong == frozenset()


def test_without_checks_the_reason_stands_in_their_place() -> None:
    reason = "there was no time for sanity checks"
    card = made({"reason": reason})
    assert isinstance(card, Card)
    assert card.claim.startswith(f"No sanity checks: {reason}; the champion's state")
    assert card.table is None
    assert made({"reason": reason}, {}) == NotApplicable(reason)
    assert isinstance(made({}, {}), NotApplicable)


def test_damaged_facts_make_a_card_all_the_same() -> None:
    card = made({"checks": [{"title": "x"}, 7, None]}, {"state": "broken"})
    assert isinstance(card, Card)
    assert card.table is not None
    assert len(card.table.rows) == 1
