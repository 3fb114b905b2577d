"""Length, rate and size around a champion: blind neighbours, or what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.task import Task, TaskKind
from justright.ideas.catalogue.size import SHAPES, neighbours
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads, Move, Situation
from justright.ideas.value import expected_gain
from justright.recipe.network import Inputs, Shape
from justright.recipe.recipe import Recipe

AT = Situation(
    recipe=Recipe(),
    task=Task(TaskKind.REGRESSION, ("y",)),
    metric="rmse",
    inputs=Inputs(3, 0, (), 1),
    rows=2_000,
    loss=1.0,
    best_at=0.5,
)


def moves(slot: str, **changes: object) -> list[Move]:
    found = propose_moves(replace(AT, **changes))  # type: ignore[arg-type]
    return [move for move in found if move.idea.slot == slot]


def test_a_run_that_still_improves_makes_longer_training_likelier() -> None:
    (late,), (middle,) = moves("length", best_at=0.95), moves("length", best_at=0.5)
    assert late.length == middle.length > 1
    assert late.idea.prediction.helps > middle.idea.prediction.helps


def test_a_run_that_was_best_early_asks_for_a_shorter_one() -> None:
    (move,) = moves("length", best_at=0.1)
    assert move.length < 1
    assert move.recipe.epochs < Recipe().epochs


@pytest.mark.parametrize("hidden", SHAPES)
def test_neighbours_are_the_next_sizes(hidden: tuple[int, ...]) -> None:
    found = neighbours(hidden)
    assert hidden not in found
    assert any(sum(shape) > sum(hidden) for shape in found) == (hidden != SHAPES[-1])
    assert any(sum(shape) < sum(hidden) for shape in found) == (hidden != SHAPES[0])


def test_rates_go_a_factor_of_three_both_ways() -> None:
    base = Recipe().optimiser.rate
    rates = sorted(move.recipe.optimiser.rate for move in moves("rate"))
    assert rates == pytest.approx([base / 3, base * 3])


def test_a_raced_rate_takes_the_place_of_the_blind_neighbours() -> None:
    base = Recipe().optimiser.rate
    (move,) = moves("rate", leads=Leads(rate=5 * base))
    assert move.recipe.optimiser.rate == 5 * base
    assert move.idea.title == "raced rate × 5"
    assert len(moves("rate", recipe=move.recipe, leads=Leads(rate=5 * base))) == 2


def test_what_a_size_was_ahead_by_is_what_it_is_expected_to_bring() -> None:
    (unknown,) = moves("shape", leads=Leads(size=(32,)))
    (seen,) = moves("shape", leads=Leads(size=(32,), size_gain=0.1))
    assert seen.idea.prediction.gain[1] == pytest.approx(0.1)  # in units of the metric
    assert seen.idea.prediction.helps > unknown.idea.prediction.helps
    assert "measured" in seen.idea.source


def test_little_is_expected_of_a_heavier_size_that_was_not_ahead() -> None:
    members = Recipe(shape=Shape(members=4))
    (light,) = moves("shape", recipe=members, leads=Leads(size=(16,)))
    heavy = moves("shape", recipe=members, leads=Leads(size=(512, 512)))
    for each in heavy:
        assert expected_gain(each.idea.prediction) < expected_gain(light.idea.prediction) / 3
    (seen,) = moves("shape", recipe=Recipe(), leads=Leads(size=(512,), size_gain=0.1))
    assert expected_gain(seen.idea.prediction) > expected_gain(light.idea.prediction)


def test_where_the_champion_is_far_too_small_shapes_on_the_way_are_tried_too() -> None:
    tiny = Recipe(shape=Shape(hidden=(8,)))
    far = moves("shape", recipe=tiny, leads=Leads(size=(256, 256), size_gain=0.1))
    assert [move.recipe.shape.hidden for move in far] == [(256, 256), (64, 64), (128, 128)]
    assert far[0].idea.prediction.gain[1] > far[1].idea.prediction.gain[1] > 0.0
    for gain in (0.0, 0.1):  # not where nothing was seen, nor where the start recipe's is near
        own = tiny if not gain else Recipe(shape=Shape(hidden=(128, 128)))
        assert len(moves("shape", recipe=own, leads=Leads(size=(512,), size_gain=gain))) == 1


def test_a_size_too_wide_for_members_that_was_ahead_is_tried_without_them_too() -> None:
    members = Recipe(shape=Shape(members=4))
    for size, gain, expected in (((64,), 0.1, [4]), ((256,), 0.1, [4, 1]), ((256,), 0.0, [4])):
        found = moves("shape", recipe=members, leads=Leads(size=size, size_gain=gain))
        tried = [move.recipe.shape for move in found if move.recipe.shape.hidden == size]
        assert [shape.members for shape in tried] == expected


def test_a_searched_size_is_tried_instead_of_blind_neighbours() -> None:
    (move,) = moves("shape", leads=Leads(size=(32,)))
    assert move.recipe.shape.hidden == (32,)
    assert not moves("shape", recipe=move.recipe, leads=Leads(size=(32,)))
