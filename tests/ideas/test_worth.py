"""What an idea is worth, and the order that follows from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.idea import Idea, Prediction
from justright.ideas.rule import Move
from justright.ideas.value import (
    EXPLORED,
    WEIGHTS,
    by_worth,
    expected_gain,
    explored,
    reservation,
    worth,
)
from justright.recipe.recipe import Recipe


def prediction(helps: float = 0.5, middle: float = 1.0, complexity: int = 0) -> Prediction:
    return Prediction(helps, (0.5 * middle, middle, 2.0 * middle), 1.0, complexity)


def test_the_mean_of_a_normal_gain_is_met_within_a_few_percent() -> None:
    draws = np.maximum(np.random.default_rng(0).normal(1.0, 0.8, 200_000), 0.0)
    low, middle, high = (1.0 + 0.8 * z for z in (-1.2816, 0.0, 1.2816))
    found = expected_gain(Prediction(1.0, (low, middle, high), 1.0))
    assert found == pytest.approx(draws.mean(), rel=0.06)


def test_likelier_larger_cheaper_and_simpler_is_worth_more() -> None:
    base = worth(prediction(), 10.0)
    assert worth(prediction(helps=0.6), 10.0) > base
    assert worth(prediction(middle=1.1), 10.0) > base
    assert worth(prediction(), 9.0) > base
    assert worth(prediction(complexity=1), 10.0) == pytest.approx(base / 2)


def test_slots_come_by_their_best_idea() -> None:
    def move(slot: str, helps: float) -> Move:
        return Move(Idea(slot, slot, {}, prediction(helps), "s", "a"), Recipe())

    moves = [move("a", 0.1), move("b", 0.3), move("a", 0.4), move("c", 0.2)]
    assert by_worth(moves, lambda _: 1.0) == ("a", "b", "c")


def test_what_a_slot_brought_already_counts_off_what_its_ideas_are_worth() -> None:
    def move(slot: str, middle: float) -> Move:
        return Move(Idea(slot, slot, {}, prediction(0.5, middle), "s", "a"), Recipe())

    moves = [move("a", 1.0), move("b", 0.5)]
    assert by_worth(moves, lambda _: 1.0) == ("a", "b")
    assert by_worth(moves, lambda _: 1.0, lambda each: 0.9 * (each is moves[0])) == ("b", "a")
    assert expected_gain(prediction(), in_hand=2.0) == 0.0
    assert expected_gain(prediction(), in_hand=-1.0) == expected_gain(prediction())


GAINS = st.tuples(*[st.floats(-2.0, 2.0) for _ in range(3)]).map(sorted).map(tuple)


@given(st.floats(0.01, 1.0), GAINS, st.floats(1e-4, 2.0))
def test_at_the_reservation_value_an_idea_is_worth_its_price(
    helps: float, gain: tuple[float, float, float], price: float
) -> None:
    """Weitzman 1979, equation of the reservation price, put in as it stands there."""
    found = reservation(Prediction(helps, gain, 1.0), price)
    excess = sum(w * max(g - found, 0.0) for w, g in zip(WEIGHTS, gain, strict=True))
    assert helps * excess == pytest.approx(price, rel=1e-6, abs=1e-9)


def test_what_is_dearer_or_never_helps_has_a_lower_reservation_value() -> None:
    values = [reservation(prediction(), price) for price in (0.01, 0.1, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] < 2.0
    assert reservation(prediction(helps=0.0), 0.1) == float("-inf")


def test_chance_fills_an_eighth_of_the_places_and_says_which() -> None:
    slots = [str(place) for place in range(40)]
    moved = 0
    for seed in range(200):
        order, drawn = explored(slots, np.random.default_rng(seed))
        assert sorted(order) == sorted(slots)
        rest = [slot for slot in order if slot not in drawn]
        assert rest == [slot for slot in slots if slot not in drawn]
        for slot in drawn:  # out of turn: what was due comes later
            later = order[order.index(slot) + 1 :]
            assert any(int(other) < int(slot) for other in later)
        moved += len(drawn)
    assert moved / (200 * 39) == pytest.approx(EXPLORED, abs=0.02)
