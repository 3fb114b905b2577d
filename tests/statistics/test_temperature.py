"""A temperature finds planted overconfidence, and leaves calibrated probabilities alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from justright.statistics.intervals import Sample
from justright.statistics.temperature import (
    HOTTEST,
    calibration_error,
    find_temperature,
    fit_temperature,
    scaled,
)


def world(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from known probabilities: these are calibrated."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.normal(size=(rows, classes))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1), p


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("planted", [0.4, 2.5])
def test_a_planted_temperature_is_found(classes: int, planted: float) -> None:
    """Planted: probabilities that are too sharp (2.5), or too flat (0.4)."""
    y, p = world(1, 2_000, classes)
    found = find_temperature(Sample(y), scaled(p, 1.0 / planted))
    assert found.temperature == pytest.approx(planted, rel=0.15)
    assert found.after < found.before
    assert found.gain.low > 0
    assert found.error_after < 0.5 * found.error_before
    assert found.after == pytest.approx(-np.log(p[np.arange(2_000), y]).mean(), abs=0.01)


def test_calibrated_probabilities_stay_as_they_are() -> None:
    kept = [
        find_temperature(Sample(y), p, seed).temperature != 1.0
        for seed in range(60)
        for y, p in [world(seed, 300, 3)]
    ]
    assert sum(kept) <= 3  # 2.5% of 60 are expected at most


@pytest.mark.parametrize("weighted", [False, True])
def test_the_fit_is_the_least_log_loss(weighted: bool) -> None:
    """Against a minimiser that knows no slopes, on the smoothed targets of Platt (1999)."""
    y, p = world(2, 400, 4)
    p = scaled(p, 0.6)
    weights = np.random.default_rng(0).uniform(0.1, 3.0, 400) if weighted else None
    wrong = 1.0 / 402
    target = np.full(p.shape, wrong / 3)
    target[np.arange(400), y] = 1.0 - wrong

    def loss(temperature: float) -> float:
        rows = -(target * np.log(scaled(p, temperature))).sum(axis=1)
        return float(np.average(rows, weights=weights))

    best = minimize_scalar(loss, bounds=(0.125, 8.0), method="bounded", options={"xatol": 1e-8})
    assert fit_temperature(y, p, weights) == pytest.approx(best.x, rel=1e-5)


def test_a_weight_of_two_is_a_row_twice() -> None:
    y, p = world(3, 3_000, 2)
    p = scaled(p, 0.5)
    twice = np.repeat(np.arange(3_000), 1 + (np.arange(3_000) % 2))
    weights = 1.0 + (np.arange(3_000) % 2)
    one, other = fit_temperature(y, p, weights), fit_temperature(y[twice], p[twice])
    assert one == pytest.approx(other, rel=1e-3)  # but for the one wrong row more


def test_rows_that_are_all_right_do_not_make_it_certain() -> None:
    y = np.arange(200) % 2
    p = np.where(np.arange(2) == y[:, None], 0.9, 0.1)
    temperature = fit_temperature(y, p)
    assert scaled(p, temperature).max() == pytest.approx(1 - 1 / 202, abs=1e-6)


def test_impossible_probabilities_are_survived() -> None:
    y = np.array([0, 1] * 50)
    p = np.zeros((100, 2))
    p[np.arange(100), y] = 1.0
    p[:10] = p[:10, ::-1]  # and wrong
    found = find_temperature(Sample(y), p)
    assert found.fitted == pytest.approx(HOTTEST)
    assert np.isfinite([found.before, found.after]).all()


def test_few_rows_fit_nothing() -> None:
    y, p = world(0, 49, 2)
    found = find_temperature(Sample(y), scaled(p, 0.2))
    assert (found.temperature, found.gain.estimate) == (1.0, 0.0)


def test_copies_of_a_row_do_not_make_noise_a_gain() -> None:
    """Planted: 40 groups of 25 equal rows; each alone is noise, and taken for 1,000 it is none."""
    kept = {"groups": 0, "rows": 0}
    for seed in range(30):
        y, p = world(seed, 40, 2)
        y, p = np.repeat(y, 25), np.repeat(p, 25, axis=0)
        groups = np.repeat(np.arange(40), 25)
        kept["groups"] += find_temperature(Sample(y, groups=groups), p, seed).temperature != 1.0
        kept["rows"] += find_temperature(Sample(y), p, seed).temperature != 1.0
    assert kept["groups"] <= 2 < 5 < kept["rows"]


def test_in_time_the_halves_are_earlier_and_later() -> None:
    """Planted: early rows are overconfident, late ones too careful: neither fits the other."""
    y, p = world(5, 1_000, 2)
    late = np.arange(1_000) >= 500
    p = np.where(late[:, None], scaled(p, 2.0), scaled(p, 0.5))
    order = np.random.default_rng(0).permutation(1_000)
    found = find_temperature(Sample(y[order], times=order.astype(float)), p[order])
    assert found.after > found.before
    assert found.temperature == 1.0


def test_the_error_of_bins_is_that_of_a_plain_loop() -> None:
    y, p = world(4, 500, 3)
    chance, hit = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for low in np.arange(10) / 10:
        inside = (chance >= low) & (chance < low + 0.1)
        if inside.any():
            total += inside.sum() * abs(chance[inside].mean() - hit[inside].mean())
    assert calibration_error(y, p) == pytest.approx(total / 500)
