"""Controls follow the recipe and the step, never the way a run is cut up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.engine.contract import CONTROLS
from justright.recipe.recipe import (
    LossSpec,
    OptimiserSpec,
    Recipe,
    RegularisationSpec,
    ScheduleSpec,
)
from justright.training.controls import Course, mixup_shares

FULL = Recipe(
    loss=LossSpec(smoothing=0.1),
    optimiser=OptimiserSpec(rate=0.04, decay_epochs=4.0, clip=1.0),
    schedule=ScheduleSpec("coslog4", warmup=0.05),
    regularisation=RegularisationSpec(dropout=0.2, stochastic_depth=0.1, mixup=0.2),
    ema_epochs=2.0,
)


@given(steps=st.integers(2, 3000), data=st.data())
def test_a_run_cut_in_two_has_the_same_controls(steps, data):
    course = Course(FULL, steps, steps_per_epoch=12.5, seed=3)
    cut = data.draw(st.integers(1, steps - 1))
    whole = course.controls(0, steps)
    first, second = course.controls(0, cut), course.controls(cut, steps - cut)
    assert set(whole) <= set(CONTROLS)
    for name, values in whole.items():
        np.testing.assert_array_equal(np.concatenate([first[name], second[name]]), values)


def test_what_the_recipe_leaves_out_is_left_out():
    assert set(Course(Recipe(), 10, 1.0).controls(0, 10)) == {
        "rate",
        "beta1",
        "beta2",
        "dropout",
        "stochastic_depth",
        "smoothing",
    }


def test_decay_shrinks_to_one_over_e_in_its_time_scale_whatever_the_rate():
    recipe = replace(FULL, schedule=ScheduleSpec("constant"))
    for rate in (1e-4, 1.0):
        changed = replace(recipe, optimiser=replace(recipe.optimiser, rate=rate))
        share = Course(changed, 10_000, steps_per_epoch=50.0).controls(0, 200)["shrink"]
        assert np.prod(1 - share) == pytest.approx(np.exp(-1), rel=1e-9)


def test_decay_never_turns_weights_round():
    recipe = replace(FULL, optimiser=OptimiserSpec(decay_epochs=1e-3))
    assert (Course(recipe, 10, 1.0).controls(0, 10)["shrink"] <= 1.0).all()


def test_dropout_is_flat_then_falls_to_nothing():
    dropout = Course(FULL, 1000, 10.0).controls(0, 1000)["dropout"]
    assert (dropout[:500] == 0.2).all()
    assert dropout[-1] < 1e-5


def test_a_constant_rate_can_be_continued_whatever_length_was_planned():
    recipe = replace(FULL, schedule=ScheduleSpec("constant"))
    short, long = (Course(recipe, steps, 10.0).controls(0, 300) for steps in (300, 3000))
    assert all((short[name] == long[name]).all() for name in short)


def test_average_settles_at_its_time_scale():
    ema = Course(FULL, 1000, steps_per_epoch=10.0).controls(0, 1000)["ema"]
    assert ema[0] == 0.1
    assert ema[-1] == pytest.approx(1 - 1 / 20)


def test_noise_of_inputs_falls_as_dropout_does_and_its_layers_stay():
    regular = RegularisationSpec(
        dropout=0.2, dropout_layers=1, input_dropout=0.1, input_noise=0.05
    )
    controls = Course(replace(FULL, regularisation=regular), 1000, 10.0).controls(0, 1000)
    assert (controls["dropout_layers"] == 1).all()
    for name, share in (("input_dropout", 0.5), ("input_noise", 0.25)):
        np.testing.assert_allclose(controls[name], share * controls["dropout"])


def test_mixup_shares_are_beta_and_differ_between_seeds():
    shares = mixup_shares(0.4, 0, 0, 20_000)
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.01)
    assert not np.array_equal(shares[:100], mixup_shares(0.4, 1, 0, 100))
