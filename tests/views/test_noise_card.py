"""The card of the noise says what moves a score, and what could not be told apart."""

from __future__ import annotations

import copy
from math import nan
from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.example_facts import SEARCH_FACTS
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.noise import noise
from justright.views.reader import Reader

NOISE = SEARCH_FACTS["noise"]


def made(greater: bool = False, **changes: Any) -> Card | NotApplicable:
    store = MemoryStore()
    name = write_example(store)
    store.ledger.put(name, "noise", {**copy.deepcopy(dict(NOISE)), **changes})
    table = {**store.ledger.fact(name, "table"), "greater_is_better": greater}
    store.ledger.put(name, "table", table)
    return noise(Reader(store, name))


def test_it_says_what_moves_a_score_and_what_counts_as_a_tie() -> None:
    card = made()
    assert isinstance(card, Card)
    assert "another seed scores 0.006 apart" in card.claim
    assert "with other rows 0.009 on top of it" in card.claim
    assert card.claim.endswith("less than 0.008 are a tie.")
    assert card.table is not None
    assert [row[1] for row in card.table.rows] == ["3", "1"]
    assert [row[3] for row in card.table.rows] == ["0.0060", "–"]


def test_every_training_is_a_point_of_its_split() -> None:
    card = made()
    assert isinstance(card, Card)
    assert card.figure is not None
    points = {t["y"][0]: t["x"] for t in card.figure["data"]}
    assert points == {"split 1, 3 seeds": [0.241, 0.247, 0.235], "1 split, a seed each": [0.256]}


def test_splits_with_a_single_seed_share_a_line() -> None:
    """A small table has dozens of them."""
    card = made(losses=[[place, 0.2 + 0.01 * place] for place in range(20)])
    assert isinstance(card, Card)
    assert card.table is not None
    (row,) = card.table.rows
    assert row[:2] == ("20 splits, a seed each", "20")


def test_it_says_whose_noise_it_is() -> None:
    card = made(subject="start recipe")
    assert isinstance(card, Card)
    assert card.claim.startswith("The same recipe (start recipe) with another seed")


def test_a_score_that_is_better_when_greater_is_shown_with_its_sign() -> None:
    card = made(greater=True, losses=[[0, -0.9], [0, -0.8]])
    assert isinstance(card, Card)
    assert card.figure is not None
    assert card.figure["data"][0]["x"] == [0.9, 0.8]


def test_without_two_seeds_on_a_split_the_card_says_that_they_cannot_be_told_apart() -> None:
    card = made(seed_sd=nan, df=0, losses=[[0, 0.2], [1, 0.3]])
    assert isinstance(card, Card)
    assert "with another seed and other rows" in card.claim
    assert any("cannot be told apart" in note for note in card.notes)


@pytest.mark.parametrize("losses", [[], [[0, None]], [[0, 0.2], [0, None]]])
def test_without_trainings_there_is_no_card(losses: list[Any]) -> None:
    assert isinstance(made(losses=losses), NotApplicable)


def test_a_recipe_that_scores_the_same_again_has_no_noise_to_speak_of() -> None:
    card = made(seed_sd=0.0, split_sd=nan, tie_below=0.0, losses=[[0, 0.2], [0, 0.2]])
    assert isinstance(card, Card)
    assert card.claim == "The same recipe scores the same again with another seed."


def test_runs_of_a_search_are_told_as_such() -> None:
    losses = [[0, 0.24], [0, 0.25], [1, 0.26], [1, 0.27], [2, 0.3]]
    card = made(sizes=["1×64", "2×128"], losses=losses, df=7)
    assert isinstance(card, Card)
    assert card.claim.startswith(
        "Over 2 sizes on the same blocks, neither size nor block explains"
    )
    assert "0.006 of a training's score" in card.claim
    assert "blocks differ by 0.009 on top of it" in card.claim
    assert card.claim.endswith("less than 0.008 are a tie.")
    assert card.table is not None
    names = [row[0] for row in card.table.rows]
    assert names == ["block 1, 2 sizes", "block 2, 2 sizes", "1 block, a size each"]
    assert "1×64, 2×128;" in card.notes[0]
    part = made(sizes=["1×64", "2×128"], losses=losses, df=7, part=9)
    assert isinstance(part, Card)
    assert "1×64, 2×128, trained for 1/9 of the length;" in part.notes[0]
    assert card.notes[-1] == "The spread rests on 7 degrees of freedom."
