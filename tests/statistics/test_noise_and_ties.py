"""Noise of seeds and of splits is told apart, pooled and turned into ties."""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.statistics.noise import noise, pool, smallest_useful


def test_seed_and_split_noise_are_recovered() -> None:
    rng = np.random.default_rng(0)
    scores = []
    for split in range(400):
        level = rng.normal(0.0, 2.0)
        scores += [(split, seed, level + rng.normal(0.0, 0.5)) for seed in range(3)]
    found = noise(scores, blocks=3)
    assert found.seed_sd == pytest.approx(0.5, rel=0.1)
    assert found.split_sd == pytest.approx(2.0, rel=0.1)
    assert found.tie_below == pytest.approx(1.96 * 0.5 * math.sqrt(2 / 3), rel=0.1)
    assert found.df == 800


def test_one_split_or_one_seed_leaves_the_other_unknown() -> None:
    one = noise([("a", 0, 1.0), ("a", 1, 1.1), ("a", 2, math.nan)])
    assert math.isnan(one.split_sd)
    assert one.seed_sd == pytest.approx(0.0707, abs=1e-3)
    fresh = noise([("a", 0, 1.0), ("b", 1, 1.1)])
    assert math.isnan(fresh.seed_sd)
    assert fresh.tie_below > 0
    none = noise([("a", 0, 1.0)])
    assert math.isnan(none.tie_below)


def test_pooling_ignores_recipe_and_block_levels() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(40, 1)) * 9 + rng.normal(size=(1, 12)) * 9
    scores = scores + rng.normal(0.0, 0.3, (40, 12))
    found = pool(scores)
    assert found is not None
    assert found.df == 39 * 11
    assert found.variance == pytest.approx(2 * 0.09, rel=0.15)
    assert pool(scores[:1]) is None
    assert pool(np.array([[1.0, math.nan], [1.0, 2.0]])) is None


def test_the_smallest_useful_difference() -> None:
    assert smallest_useful(2.0, 1.0) == pytest.approx(0.01)
    assert smallest_useful(1.0, 1.5) == 0.0
    assert smallest_useful(math.nan, 1.5) == 0.0
