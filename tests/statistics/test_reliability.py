"""Probabilities that are right are told so, planted overconfidence is seen; thirds are thirds."""

from __future__ import annotations

import numpy as np
import pytest

from justright.statistics.intervals import Sample
from justright.statistics.reliability import perfect_error, reliability, third_of
from justright.statistics.temperature import calibration_error, scaled


def world(seed: int, rows: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from known probabilities: these are calibrated."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.normal(size=(rows, classes))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1), p


@pytest.mark.parametrize("classes", [2, 4])
def test_chance_alone_exceeds_the_limit_once_in_twenty(classes: int) -> None:
    beyond = 0
    for seed in range(100):
        y, p = world(seed, 300, classes)
        _, most = perfect_error(p, seed=seed, draws=200)
        beyond += calibration_error(y, p) > most
    assert 0 <= beyond <= 12  # binomial: 13 of 100 at 5% is beyond 1 in 1,000


@pytest.mark.parametrize("classes", [2, 4])
def test_planted_overconfidence_is_beyond_chance(classes: int) -> None:
    y, p = world(1, 1500, classes)
    found = reliability(Sample(y), scaled(p, 0.4))
    assert found.error > found.most > found.perfect > 0


def test_the_figures_are_those_of_their_definitions() -> None:
    y, p = world(2, 800)
    found = reliability(Sample(y), p, temperature=2.0)
    assert found.brier.estimate == pytest.approx(np.mean((p[:, 1] - y) ** 2), rel=1e-12)
    assert found.brier.low < found.brier.estimate < found.brier.high
    odds = (p[:, 1] / p[:, 0]) ** 2  # the temperature undone
    bare = np.where(y == 1, odds / (1 + odds), 1 / (1 + odds))
    assert found.before == pytest.approx(-np.log(bare).mean(), rel=1e-9)
    assert found.gain.estimate == pytest.approx(found.before - found.after, rel=1e-9)
    assert found.gain.low > 0  # it mended planted overconfidence


def test_without_a_temperature_nothing_is_gained() -> None:
    y, p = world(3, 200)
    found = reliability(Sample(y), p)
    assert found.before == found.after
    assert found.gain.estimate == 0.0


def test_thirds_hold_a_third_each_and_equal_values_stay_together() -> None:
    values = np.random.default_rng(0).normal(size=999)
    third = third_of(values)
    assert (
        np.bincount(third).tolist() == [333, 333, 333] or abs(np.bincount(third) - 333).max() < 3
    )
    assert values[third == 0].max() < values[third == 1].min()
    assert values[third == 1].max() < values[third == 2].min()
    assert set(third_of(np.ones(10))) == {0}
