"""Cards of errors and data: what they claim, and what they keep to themselves."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from justright.core.withheld import without_values
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, HOUSES, World, write_example
from justright.views.card import Card, NotApplicable
from justright.views.figures import BASELINE, WARNING
from justright.views.reader import Reader
from justright.views.registry import VIEWS
from justright.views.verdict import verdict_lines

MAKE = {view.name: view.make for view in VIEWS}


def made(
    name: str, key: str, world: World = HOUSES, examples: bool = True, **changes: Any
) -> Card | NotApplicable:
    """A card after changes to the fact behind it."""
    store = MemoryStore()
    study = write_example(store, world)
    store.ledger.put(study, key, {**copy.deepcopy(store.ledger.fact(study, key)), **changes})
    return MAKE[name](Reader(store, study, examples=examples))


def shown(card: Card | NotApplicable) -> Card:
    assert isinstance(card, Card)
    return card


def test_weak_slices_come_first() -> None:
    card = shown(made("slices", "slices"))
    assert card.claim.startswith(
        "Weakest where longitude from 31 to 40: squared error (mean = 1) 1.21"
    )
    assert card.table is not None
    assert [row[0] for row in card.table.rows[:2]] == [
        "longitude from 31 to 40",
        "latitude missing",
    ]
    assert card.figure is not None
    colours = [trace["marker"]["color"] for trace in card.figure["data"]]
    assert colours == [WARNING, WARNING, BASELINE]
    assert card.table.columns[5].title == "Boosting there"
    assert "84 slices" in card.notes[0]


def test_without_weak_slices_it_says_so() -> None:
    fact = copy.deepcopy(dict(_fact("slices")))
    for entry in fact["slices"]:
        entry["weak"] = False
    card = shown(made("slices", "slices", slices=fact["slices"]))
    assert card.claim.startswith("None of 84 slices has a higher squared error")


def _fact(key: str) -> Any:
    store = MemoryStore()
    return store.ledger.fact(write_example(store), key)


def test_importance_names_what_the_network_rests_on() -> None:
    card = shown(made("importance", "importance"))
    assert card.claim.startswith("The network rests most on longitude, latitude, median_age:")
    assert card.table is not None
    assert [row[3] for row in card.table.rows[:5]] == ["yes"] * 4 + ["not seen"]
    empty = made("importance", "importance", columns=[], reason="no time was left")
    assert empty == NotApplicable("no time was left")


@pytest.mark.parametrize("world", [HOUSES, BANK], ids=lambda world: world.name)
def test_suspicious_rows_are_listed_with_what_was_expected(world: World) -> None:
    card = shown(made("suspicious", "labels", world))
    assert card.claim.startswith("About 4.1% (95% interval 2.8% to 5.7%)")
    assert card.table is not None
    own, expected = ("no", "yes") if world is BANK else ("0.800", "1.90")
    assert card.table.rows[0][:4] == ("17", own, expected, "0.97")


def test_a_rate_that_cannot_be_told_is_not_told() -> None:
    card = shown(made("suspicious", "labels", word="cannot tell", why="the classes overlap"))
    assert "cannot be told: the classes overlap." in card.claim
    assert "4.1%" not in card.claim
    none = made("suspicious", "labels", word="small", list=[])
    assert isinstance(none, NotApplicable)


def test_examples_begin_with_the_confident_errors() -> None:
    card = shown(made("examples", "examples", BANK))
    assert card.claim.startswith("The most confident mistake: row 24 is no, the network says yes")
    assert card.table is not None
    kinds = [row[0] for row in card.table.rows]
    assert kinds == ["Confident error", "Worst", "Typical", "Best"]


def test_more_data_says_what_a_doubling_brings() -> None:
    card = shown(made("more-data", "forecast"))
    assert "More data would help" in card.claim
    assert "by −0.012, 90% interval −0.017 to −0.008" in card.claim
    assert "from 4,000 to 8,000 training rows" in card.claim
    card = shown(made("more-data", "forecast", word="unknown", why="the loss rises"))
    assert card.claim == "Whether more data would help is unknown: the loss rises."
    assert card.figure is not None
    assert len(card.figure["data"]) == 2  # no forecast is drawn


def test_the_verdict_says_both_in_its_next_line() -> None:
    store = MemoryStore()
    lines = verdict_lines(store, write_example(store))
    (line,) = [line for line in lines if line.startswith("Next")]
    assert "more data would help (doubling: −0.012, 90% interval −0.017 to −0.008)" in line
    assert "weakest slice: longitude from 31 to 40" in line


@pytest.mark.parametrize("name", ["slices", "suspicious", "examples"])
def test_values_can_be_kept_out(name: str) -> None:
    key = "labels" if name == "suspicious" else name
    card = made(name, key, BANK, examples=False)
    if isinstance(card, NotApplicable):
        assert card.reason == "rows of the data are kept out"
        return
    said = " ".join([card.claim, *card.notes, str(card.figure), str(card.table)])
    assert "from 31 to 40" not in said
    assert "of row 17" not in said
    assert card.table is not None
    assert card.table.rows


def test_the_finding_of_a_slice_keeps_its_values_out() -> None:
    message = (
        'where "town = St. John\'s and age from 3 to 7" the network errs more than elsewhere: '
        "log-loss 0.5 against 0.3 in 80 of 900 rows that it was not trained on"
    )
    assert without_values(message).startswith("in a part of the rows the network errs more")
    assert "John" not in without_values(message)


def test_a_study_without_them_has_no_cards() -> None:
    store = MemoryStore()
    study = write_example(store)
    for key in ("slices", "importance", "labels", "examples", "forecast"):
        store.ledger.put(study, key, {})
    for name in ("slices", "importance", "suspicious", "examples", "more-data"):
        assert isinstance(MAKE[name](Reader(store, study)), NotApplicable)
    assert "weakest slice" not in " ".join(verdict_lines(store, study))
