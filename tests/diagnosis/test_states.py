"""States from curves alone: their rules one by one, and what holds for any curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.diagnosis.curves import Curves, Effect, Yardstick
from justright.diagnosis.states import State, diagnose

STEPS = (67, 200, 467, 573, 680, 787, 893, 1000)
"""Where coslog4 is evaluated: three ends of cycles, and the last cycle."""

YARD = Yardstick(1.0, 0.2, delta=0.008, noise=0.004)
TIE = Effect(0.0, -0.003, 0.004)


def run(train: list[float], validation: list[float]) -> Curves:
    return Curves(STEPS, train, validation)


CYCLES = run(
    [0.6, 0.4, 0.25, 0.3, 0.28, 0.24, 0.2, 0.18],
    [0.62, 0.42, 0.30, 0.40, 0.37, 0.34, 0.30, 0.295],
)
SETTLED = run(
    [0.5, 0.3, 0.16, 0.16, 0.15, 0.14, 0.13, 0.12],
    [0.5, 0.31, 0.21, 0.212, 0.211, 0.213, 0.212, 0.213],
)


def state(curves: Curves, yard: Yardstick = YARD) -> State:
    return diagnose([curves], yard).state


def test_a_rise_within_a_cycle_is_none() -> None:
    assert state(CYCLES) not in (State.OVERFITTING, State.BROKEN)


def test_a_rise_at_the_end_counts_beyond_the_noise() -> None:
    risen = run(list(CYCLES.train), [0.62, 0.42, 0.30, 0.32, 0.33, 0.34, 0.35, 0.36])
    assert state(risen) is State.OVERFITTING
    assert state(risen, replace(YARD, noise=0.04)) is not State.OVERFITTING
    assert state(risen, replace(YARD, delta=0.07)) is not State.OVERFITTING


def test_a_gap_with_a_regulariser_that_helps_is_overfitting() -> None:
    assert state(SETTLED) is State.ABLE
    helps = Effect(0.02, 0.01, 0.03)
    assert state(SETTLED, replace(YARD, regulariser=helps)) is State.OVERFITTING
    unsure = Effect(0.02, -0.01, 0.05)
    assert state(SETTLED, replace(YARD, regulariser=unsure)) is State.ABLE


def test_just_right_takes_three_measured_effects_without_a_gain() -> None:
    measured = replace(YARD, larger=TIE, longer=TIE, regulariser=TIE)
    assert state(SETTLED, measured) is State.JUST_RIGHT
    for name in ("larger", "longer", "regulariser"):
        assert state(SETTLED, replace(measured, **{name: None})) is State.ABLE
        open_end = Effect(0.0, -0.02, 0.02)
        assert state(SETTLED, replace(measured, **{name: open_end})) is State.ABLE
    regularised = run([0.5, 0.3, 0.21, 0.21, 0.21, 0.21, 0.21, 0.21], list(SETTLED.validation))
    yard = replace(measured, baseline=0.208)
    assert state(regularised, yard) is State.UNKNOWN
    assert state(regularised, replace(yard, able=True)) is State.JUST_RIGHT


def test_a_schedule_that_ends_low_falls_to_its_end_and_is_still_able() -> None:
    annealed = run(
        [0.3, 0.1, 0.04, 0.06, 0.04, 0.02, 0.01, 0.002],
        [0.3, 0.15, 0.103, 0.14, 0.13, 0.11, 0.092, 0.09],
    )
    found = diagnose([annealed], YARD)
    assert found.state is State.ABLE
    assert "twice the length" in found.reason
    assert state(annealed, replace(YARD, delta=0.002)) is State.COMPUTE_BOUND
    unlearned = replace(annealed, train=[v + 0.1 for v in annealed.train])
    assert state(unlearned) is State.UNKNOWN


def test_falling_to_the_end_is_bound_by_compute_unless_longer_was_no_better() -> None:
    falling = run(
        [0.8, 0.7, 0.6, 0.57, 0.54, 0.51, 0.48, 0.45],
        [0.8, 0.7, 0.6, 0.57, 0.54, 0.51, 0.48, 0.45],
    )
    assert state(falling) is State.COMPUTE_BOUND
    assert state(falling, replace(YARD, longer=TIE)) is State.UNDERFITTING
    gains = Effect(0.05, 0.03, 0.07)
    assert state(SETTLED, replace(YARD, longer=gains)) is State.COMPUTE_BOUND


def test_a_larger_size_that_helps_says_underfitting_where_there_is_no_gap() -> None:
    flat = run([0.3] * 3 + [0.195] * 5, [0.3] * 3 + [0.198] * 5)
    helps = replace(YARD, larger=Effect(0.03, 0.02, 0.04))
    assert state(flat) is not State.UNDERFITTING
    assert state(flat, helps) is State.UNDERFITTING
    assert state(SETTLED, helps) is State.ABLE


def test_a_training_that_diverges_is_broken_and_says_so() -> None:
    diverged = run(
        [0.8, 0.5, 0.4, 0.4, 0.5, 0.9, 2.0, 6.0], [0.8, 0.5, 0.45, 0.45, 0.6, 1.0, 2.0, 6.0]
    )
    found = diagnose([diverged], YARD)
    assert found.state is State.BROKEN
    assert "diverged" in found.reason


def test_broken_needs_a_baseline_that_learns() -> None:
    flat = run([1.0] * 8, [1.0] * 8)
    assert state(flat) is State.BROKEN
    assert state(flat, replace(YARD, baseline=0.999)) is State.NOISE_LIMITED
    assert state(flat, replace(YARD, baseline=float("nan"))) is State.UNKNOWN


def test_a_known_floor_limits() -> None:
    assert state(SETTLED, replace(YARD, floor=0.208)) is State.NOISE_LIMITED
    assert state(SETTLED, replace(YARD, floor=0.15)) is State.ABLE


def test_one_run_without_a_known_noise_cannot_be_told() -> None:
    found = diagnose([SETTLED], replace(YARD, noise=None))
    assert found.state is State.UNKNOWN
    assert "noise" in found.reason


def test_noise_between_runs_hides_a_rise() -> None:
    def risen(shift: float, extra: float) -> Curves:
        losses = [0.62, 0.42, 0.30, 0.32, 0.33, 0.34, 0.35, 0.36 + extra]
        return run([v + shift for v in CYCLES.train], [v + shift for v in losses])

    yard = replace(YARD, noise=None)
    steady = [risen(0.01 * k, 0.001 * k) for k in range(4)]
    assert diagnose(steady, yard).state is State.OVERFITTING
    noisy = [risen(0.01 * k, extra) for k, extra in enumerate((-0.1, 0.1, -0.12, 0.12))]
    assert diagnose(noisy, yard).state is not State.OVERFITTING


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [Curves((), (), ())],
        [Curves((10,), (0.5,), (0.5,))],
        [Curves((10, 20), (0.5, 0.4), (0.5, 0.4))],
        [Curves((10, 20, 30), (0.5, 0.4), (0.5, 0.4, 0.3))],
        [Curves((30, 20, 10), (0.5, 0.4, 0.3), (0.5, 0.4, 0.3))],
        [Curves((1, 2, 3), (0.5, float("nan"), 0.3), (0.5, 0.4, 0.3))],
        [SETTLED, Curves((10, 23, 37), (0.5, 0.4, 0.3), (0.5, 0.4, 0.3))],
    ],
)
def test_what_cannot_be_read_is_said_and_never_raised(runs: list[Curves]) -> None:
    found = diagnose(runs, YARD)
    assert found.state is State.UNKNOWN
    assert found.reason
    assert found.action


grid = st.integers(0, 96).map(lambda n: n / 64)  # sums of such numbers are exact
losses = st.lists(grid, min_size=8, max_size=8)
runs_of = st.sampled_from((1, 2, 4)).flatmap(
    lambda n: st.lists(st.builds(run, losses, losses), min_size=n, max_size=n)
)
yards = st.builds(
    Yardstick,
    constant=grid,
    baseline=grid,
    delta=st.sampled_from((0.0, 0.007, 0.05)),
    noise=st.sampled_from((0.003, 0.1)),
    overlap=st.sampled_from((0.0, 0.25)),
    floor=st.none() | grid,
)


@given(runs_of, yards, st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(runs, yard, random) -> None:
    mixed = list(runs)
    random.shuffle(mixed)
    assert diagnose(mixed, yard) == diagnose(runs, yard)


@given(runs_of, yards, st.integers(1, 256).map(lambda n: n / 64))
def test_noise_that_nobody_can_predict_changes_no_state(runs, yard, extra: float) -> None:
    """A constant is added to every loss: levels move, differences and the state stay."""
    moved = [
        Curves(r.steps, [v + extra for v in r.train], [v + extra for v in r.validation])
        for r in runs
    ]
    floor = None if yard.floor is None else yard.floor + extra
    above = replace(
        yard, constant=yard.constant + extra, baseline=yard.baseline + extra, floor=floor
    )
    one, other = diagnose(runs, yard), diagnose(moved, above)
    assert one.state is other.state
    for name in ("gap", "rise", "fall"):
        assert other.numbers[name] == pytest.approx(one.numbers[name], abs=1e-12)
    for name in ("train", "validation", "constant"):
        assert other.numbers[name] == pytest.approx(one.numbers[name] + extra)


anything = st.floats(allow_nan=True, allow_infinity=True, width=64)
any_curve = st.lists(anything, max_size=6)


@given(
    st.lists(st.builds(Curves, any_curve, any_curve, any_curve), max_size=4),
    st.builds(Yardstick, anything, anything, anything, st.none() | anything, st.just(0.2)),
)
def test_whatever_the_curves_nothing_is_raised(runs, yard) -> None:
    with np.errstate(all="ignore"):
        found = diagnose(runs, yard)
    assert all(np.isfinite(value) for value in found.numbers.values())


@given(st.lists(st.sampled_from(("nan", "inf", "-inf")), min_size=1, max_size=1), yards)
def test_a_loss_that_is_not_finite_cannot_be_told(bad: list[str], yard: Yardstick) -> None:
    broken = run([0.5] * 8, [0.5] * 7 + [float(bad[0])])
    assert diagnose([SETTLED, broken], yard).state is State.UNKNOWN
