"""The card of the learning rate says what was raced, what won, and what was not known."""

from __future__ import annotations

import copy
from typing import Any

from justright.store.memory import MemoryStore
from justright.testing.example_facts import RATE
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.rate import rate, rate_lines
from justright.views.reader import Reader


def made(**changes: Any) -> Card | NotApplicable:
    store = MemoryStore()
    name = write_example(store)
    store.ledger.put(name, "rate", {**copy.deepcopy(dict(RATE)), **changes})
    return rate(Reader(store, name))


def test_a_new_rate_is_an_idea_not_a_fact() -> None:
    card = made()
    assert isinstance(card, Card)
    assert card.claim == (
        "Peak rate 0.16 came out and is tried as an idea instead of 0.040: 4 rates raced for 222 "
        "steps."
    )
    assert "The range test diverged at 1.6." in card.notes
    assert "The rule minimum/10 had no answer: the loss never falls." in card.notes
    assert any("lower by 0.60% (noise 0.20%), so it holds" in note for note in card.notes)


def test_the_table_lists_entrants_by_rate_and_marks_the_winner() -> None:
    card = made()
    assert isinstance(card, Card)
    assert card.table is not None
    assert [row[0] for row in card.table.rows] == ["0.0042", "0.020", "0.080", "0.80"]
    assert [row[2] for row in card.table.rows][-1] == "diverged"
    assert card.table.strong == {2}
    assert card.table.rows[2][3] == "winner"


def test_the_figure_has_the_curve_and_a_mark_for_each_entrant() -> None:
    card = made()
    assert isinstance(card, Card)
    assert card.figure is not None
    lines, *marks = card.figure["data"]
    assert len(lines["x"]) == len(RATE["curve"]["rates"])
    assert len(marks) == 4
    for mark in marks:
        assert min(lines["y"]) <= mark["y"][0] <= max(lines["y"])


def test_a_prior_that_won_stays() -> None:
    card = made(peak=0.04, check=None)
    assert isinstance(card, Card)
    assert card.claim == "The peak rate 0.040 stays: 4 rates raced for 222 steps."


def test_a_winner_that_failed_on_fresh_blocks_is_told() -> None:
    check = {"gain": -0.03, "noise": 0.002, "holds": False, "blocks": 2}
    card = made(peak=0.04, check=check)
    assert isinstance(card, Card)
    assert any(
        "higher by 3.0% (noise 0.20%)" in note and "so the rate before stays" in note
        for note in card.notes
    )
    diverged = made(peak=0.04, check={**check, "gain": None})
    assert isinstance(diverged, Card)
    assert "On 2 fresh blocks the rate that came out diverged." in diverged.notes


def test_a_lowest_point_beside_the_winner_is_told() -> None:
    card = made(race={**RATE["race"], "tried": 0.05})
    assert isinstance(card, Card)
    assert any("is lowest at 0.050" in note for note in card.notes)
    same = made(race={**RATE["race"], "tried": RATE["race"]["winner"]})
    assert isinstance(same, Card)
    assert not any("is lowest at" in note for note in same.notes)


def test_without_a_race_there_is_a_reason() -> None:
    card = made(race=None, reason="there was no time for a range test")
    assert card == NotApplicable("there was no time for a range test")
    assert rate_lines({}) == ()


def test_the_lines_are_sentences() -> None:
    lines = rate_lines(RATE)
    assert len(lines) == 4
    assert all(line.endswith(".") for line in lines)
