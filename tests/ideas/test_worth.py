"""What an idea is worth, and the order that follows from it."""

from __future__ import annotations

import numpy as np
import pytest

from justright.core.idea import Idea, Prediction
from justright.ideas.rule import Move
from justright.ideas.value import by_worth, expected_gain, worth
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
