"""Schedules equal PyTorch's schedulers, in float64, over 100 steps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from justright.recipe.recipe import ScheduleSpec
from justright.training.schedules import SCHEDULES, plateau_factor, rate_factors

STEPS = 100
RATE = 0.3


def torch_rates(make, steps=STEPS):
    """The rates a scheduler gives before each of some steps."""
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimiser = torch.optim.AdamW([parameter], lr=RATE)
    scheduler = make(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one step past the end of OneCycleLR is not taken
            if len(rates) < steps:
                scheduler.step()
    return np.array(rates)


PAIRS = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.01 ** (1 / STEPS)),
    "step": lambda o: lr_scheduler.StepLR(o, step_size=34, gamma=0.1),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS),
    "onecycle": lambda o: lr_scheduler.OneCycleLR(o, max_lr=RATE, total_steps=STEPS),
}


@pytest.mark.parametrize("name", PAIRS)
def test_equals_torch(name):
    ours = RATE * rate_factors(ScheduleSpec(name), STEPS)
    assert np.abs(ours - torch_rates(PAIRS[name])).max() < 1e-10


@pytest.mark.parametrize("name", ["exponential", "cosine"])
def test_warm_up_equals_chained_torch_schedulers(name):
    def make(optimiser):
        warm = lr_scheduler.LinearLR(optimiser, start_factor=0.1, total_iters=9)
        return lr_scheduler.ChainedScheduler([warm, PAIRS[name](optimiser)])

    ours = RATE * rate_factors(ScheduleSpec(name, warmup=0.1), STEPS)
    assert np.abs(ours - torch_rates(make)).max() < 1e-10


def test_coslog4_follows_its_formula_and_rests_at_the_ends_of_its_cycles():
    steps = 1500
    factors = rate_factors(ScheduleSpec("coslog4"), steps)
    t = np.arange(steps) / steps
    assert np.allclose(factors, 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))), atol=1e-12)
    assert np.allclose(factors[[0, 100, 300, 700]], 0.0, atol=1e-9)


def test_flat_cosine_is_flat_for_half_the_run():
    factors = rate_factors(ScheduleSpec("flat_cosine"), 100)
    assert (factors[:51] == 1.0).all()
    assert factors[75] == pytest.approx(0.5)


@given(
    name=st.sampled_from(sorted(SCHEDULES)),
    steps=st.integers(1, 400),
    warmup=st.floats(0, 1, allow_subnormal=False),  # the engine flushes them
    data=st.data(),
)
def test_any_part_of_a_run_can_be_asked_for_alone(name, steps, warmup, data):
    spec = ScheduleSpec(name, warmup)
    whole = rate_factors(spec, steps)
    assert whole.shape == (steps,)
    assert ((whole >= -1e-12) & (whole <= 1 + 1e-12)).all()
    start = data.draw(st.integers(0, steps - 1))
    count = data.draw(st.integers(1, steps - start))
    np.testing.assert_array_equal(rate_factors(spec, steps, start, count), whole[start:][:count])


@given(
    losses=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=60),
    patience=st.integers(0, 4),
    cooldown=st.integers(0, 3),
    factor=st.sampled_from([0.1, 0.5]),
)
def test_plateau_equals_torch(losses, patience, cooldown, factor):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=factor, patience=patience, cooldown=cooldown, eps=0.0
    )
    for end, loss in enumerate(losses, 1):
        scheduler.step(loss)
        ours = plateau_factor(losses[:end], factor=factor, patience=patience, cooldown=cooldown)
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-12)
