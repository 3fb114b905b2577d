"""Lengths of trainings and places of evaluations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from justright.recipe.recipe import Recipe
from justright.training.budget import batch_size, evaluation_steps, steps_of
from justright.training.schedules import SCHEDULES


@given(rows=st.integers(1, 10_000_000))
def test_batches_are_powers_of_two_within_bounds(rows):
    batch = batch_size(rows)
    assert 32 <= batch <= 1024
    assert batch & (batch - 1) == 0
    if 32 < batch < 1024:
        assert 16 <= rows / batch < 32


def test_steps_follow_epochs_within_bounds():
    assert steps_of(Recipe(epochs=10, batch=100), 50_000) == 5_000
    assert steps_of(Recipe(epochs=10, batch=100), 500) == 1_000
    assert steps_of(Recipe(epochs=10, batch=100), 50_000, cap=300) == 300


@given(
    steps=st.integers(1, 100_000),
    evaluations=st.integers(1, 10),
    schedule=st.sampled_from(sorted(SCHEDULES)),
)
def test_evaluations_end_with_the_run(steps, evaluations, schedule):
    places = evaluation_steps(steps, evaluations, schedule)
    assert places[-1] == steps
    assert 1 <= len(places) <= evaluations
    assert list(places) == sorted(set(places))
    assert places[0] >= 1
