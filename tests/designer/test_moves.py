"""Moves around a champion are patches with frozen predictions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.designer.moves import SHAPES, Leads, Move, neighbours, propose_moves
from justright.recipe.network import Shape
from justright.recipe.recipe import Recipe


@pytest.mark.parametrize("loss", [0.5, -0.8])
def test_every_move_changes_exactly_what_its_patch_says(loss: float) -> None:
    recipe = Recipe()
    for move in propose_moves(recipe, best_at=0.9, loss=loss):
        assert move.recipe != recipe
        prediction = move.idea.prediction
        assert 0 < prediction.helps < 1
        assert prediction.gain == tuple(sorted(prediction.gain))
        assert prediction.gain[1] > 0
        assert move.idea.source


def length_move(best_at: float) -> Move:
    moves = propose_moves(Recipe(), best_at=best_at, loss=1.0)
    return next(move for move in moves if move.idea.slot == "length")


def test_a_run_that_still_improves_makes_longer_training_likelier() -> None:
    late, middle = length_move(0.95), length_move(0.5)
    assert late.length == middle.length > 1
    assert late.idea.prediction.helps > middle.idea.prediction.helps


def test_a_run_that_was_best_early_asks_for_a_shorter_one() -> None:
    move = length_move(0.1)
    assert move.length < 1
    assert move.recipe.epochs < Recipe().epochs


@pytest.mark.parametrize("hidden", SHAPES)
def test_neighbours_are_the_next_sizes(hidden: tuple[int, ...]) -> None:
    found = neighbours(hidden)
    assert hidden not in found
    assert any(sum(shape) > sum(hidden) for shape in found) == (hidden != SHAPES[-1])
    assert any(sum(shape) < sum(hidden) for shape in found) == (hidden != SHAPES[0])


def test_rates_go_a_factor_of_three_both_ways() -> None:
    recipe = replace(Recipe(), shape=Shape(hidden=(64, 64)))
    moves = propose_moves(recipe, best_at=0.5, loss=1.0)
    rates = sorted(m.recipe.optimiser.rate for m in moves if m.idea.slot == "rate")
    base = recipe.optimiser.rate
    assert rates == pytest.approx([base / 3, base * 3])


def test_a_raced_rate_takes_the_place_of_the_blind_neighbours() -> None:
    recipe = Recipe()
    base = recipe.optimiser.rate
    moves = propose_moves(recipe, best_at=0.5, loss=1.0, leads=Leads(rate=5 * base))
    (move,) = (move for move in moves if move.idea.slot == "rate")
    assert move.recipe.optimiser.rate == 5 * base
    assert move.idea.title == "raced rate × 5"
    again = propose_moves(move.recipe, best_at=0.5, loss=1.0, leads=Leads(rate=5 * base))
    assert len([move for move in again if move.idea.slot == "rate"]) == 2


def test_a_searched_size_is_tried_instead_of_blind_neighbours():
    recipe = Recipe()
    moves = propose_moves(recipe, best_at=0.5, loss=1.0, leads=Leads(size=(32,)))
    shapes = [move for move in moves if move.idea.slot == "shape"]
    assert [move.recipe.shape.hidden for move in shapes] == [(32,)]
    again = propose_moves(shapes[0].recipe, best_at=0.5, loss=1.0, leads=Leads(size=(32,)))
    assert not [move for move in again if move.idea.slot == "shape"]
