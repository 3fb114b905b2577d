"""Moves around a champion are patches with frozen predictions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.designer.moves import SHAPES, neighbours, propose_moves
from justright.recipe.network import Shape
from justright.recipe.recipe import Recipe


def test_every_move_changes_exactly_what_its_patch_says() -> None:
    recipe = Recipe()
    for move in propose_moves(recipe, still_improving=True, loss=0.5):
        assert move.recipe != recipe
        prediction = move.idea.prediction
        assert 0 < prediction.helps < 1
        assert prediction.gain == tuple(sorted(prediction.gain))
        assert move.idea.source


def test_a_run_that_still_improves_makes_longer_training_likelier() -> None:
    def helps(still: bool) -> float:
        moves = propose_moves(Recipe(), still_improving=still, loss=1.0)
        return next(m.idea.prediction.helps for m in moves if m.idea.slot == "length")

    assert helps(True) > helps(False)


@pytest.mark.parametrize("hidden", SHAPES)
def test_neighbours_are_the_next_sizes(hidden: tuple[int, ...]) -> None:
    found = neighbours(hidden)
    assert hidden not in found
    assert any(sum(shape) > sum(hidden) for shape in found) == (hidden != SHAPES[-1])
    assert any(sum(shape) < sum(hidden) for shape in found) == (hidden != SHAPES[0])


def test_rates_go_a_factor_of_three_both_ways() -> None:
    recipe = replace(Recipe(), shape=Shape(hidden=(64, 64)))
    moves = propose_moves(recipe, still_improving=False, loss=1.0)
    rates = sorted(m.recipe.optimiser.rate for m in moves if m.idea.slot == "rate")
    base = recipe.optimiser.rate
    assert rates == pytest.approx([base / 3, base * 3])
