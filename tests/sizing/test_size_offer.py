"""How long the runs of a size search are, and what it may spend."""

from __future__ import annotations

from dataclasses import replace
from math import isinf

from justright.sizing.search import SPARE, least, offer
from justright.sizing.shapes import Hidden, Limits
from justright.testing.sizing import GOAL


def seconds(hidden: Hidden) -> float:
    return 1.0 + sum(hidden) / 256


WHOLE = replace(GOAL, cost=seconds, budget=0.0)
THIRD = replace(WHOLE, part=3, cost=lambda hidden: seconds(hidden) / 3)
LEAST = least(WHOLE)


def offered(*budgets: float) -> tuple[int, float]:
    goal = offer((WHOLE, THIRD), budgets)
    return goal.part, goal.budget


def test_runs_have_their_full_length_where_there_is_time_to_spare() -> None:
    assert offered(SPARE * LEAST, 9 * LEAST) == (1, SPARE * LEAST)


def test_more_than_the_usual_share_is_taken_before_runs_are_shortened() -> None:
    assert offered(LEAST, SPARE * LEAST) == (1, SPARE * LEAST)


def test_where_the_full_length_would_only_just_be_reached_a_third_is_offered() -> None:
    assert offered(LEAST, 1.2 * LEAST) == (3, LEAST)
    assert offered(0.2 * LEAST, 0.5 * LEAST) == (3, 0.5 * LEAST)


def test_runs_that_cannot_be_shortened_need_no_time_to_spare() -> None:
    assert offer((WHOLE,), (LEAST,)) == replace(WHOLE, budget=LEAST)


def test_without_time_the_last_offer_says_what_was_missing() -> None:
    goal = offer((WHOLE, THIRD), (0.1, 0.2))
    assert (goal.part, goal.budget) == (3, 0.2)
    assert goal.budget < least(goal) < LEAST


def test_limits_that_allow_no_size_make_every_budget_too_small() -> None:
    none = replace(WHOLE, limits=Limits(weights=1))
    assert isinf(least(none))
    assert offer((none,), (1e9,)).budget == 1e9
