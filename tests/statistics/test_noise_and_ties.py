"""Noise of seeds and of splits is told apart, pooled and turned into ties."""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.statistics.additive import repeats_of
from justright.statistics.noise import noise, pool, pool_alike, smallest_useful


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


def test_cells_on_the_same_blocks_show_the_noise_between_them() -> None:
    rng = np.random.default_rng(3)
    cells, blocks = rng.normal(0.0, 9.0, (30, 1)), rng.normal(0.0, 2.0, (1, 300))
    losses = cells + blocks + rng.normal(0.0, 0.5, (30, 300))
    losses[:, 100:][rng.random((30, 200)) < 0.5] = math.nan
    found = repeats_of(losses, blocks=3)
    assert found is not None
    assert found.noise.seed_sd == pytest.approx(0.5, rel=0.05)
    assert found.noise.split_sd == pytest.approx(2.0, rel=0.15)
    assert found.noise.tie_below == pytest.approx(1.96 * 0.5 * math.sqrt(2 / 3), rel=0.05)
    trained = np.isfinite(losses)
    assert found.noise.df == trained.sum() - 30 - 300 + 1
    assert len(found.loss) == len(found.block) == trained.sum()
    inside = [np.std(found.loss[found.block == place], ddof=1) for place in range(100)]
    assert np.mean(inside) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(
    "losses", [[[1.0, 2.0]], [[1.0], [2.0]], [[1.0, math.nan], [math.nan, 2]]]
)
def test_of_one_cell_or_block_no_noise_is_known(losses: list[list[float]]) -> None:
    assert repeats_of(np.array(losses)) is None


def test_noise_of_seeds_alone_adds_no_noise_of_blocks() -> None:
    """As where all blocks share their rows; a planted 0 may be taken for a little."""
    losses = np.random.default_rng(4).normal(0.0, 0.5, (8, 400)) + np.arange(8)[:, None]
    found = repeats_of(losses)
    assert found is not None
    assert found.noise.seed_sd == pytest.approx(0.5, rel=0.05)
    assert found.noise.split_sd < 0.05


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


def test_recipes_that_are_as_noisy_lend_their_degrees_of_freedom() -> None:
    rng = np.random.default_rng(2)
    new, old = rng.normal(0.0, 0.3, (2, 400))
    alike, wild, calm = (rng.normal(0.0, sd, 400) for sd in (0.3, 0.9, 0.1))
    own = float(np.var(new - old, ddof=1))
    assert pool_alike(new, old, [wild, calm]) is None
    found = pool_alike(new, old, [wild, alike, calm])
    assert found is not None
    assert found.df == 2 * 399
    assert own <= found.variance == pytest.approx(2 * 0.09, rel=0.15)
    unpaired = pool(np.array([new, old, alike]))
    assert unpaired is not None
    assert found.variance == max(unpaired.variance, own)


@pytest.mark.parametrize("other", [[], [0.1], [0.1, math.nan, 0.2], [0.1, math.inf, 0.2]])
def test_what_did_not_run_on_all_of_the_blocks_lends_none(other: list[float]) -> None:
    assert pool_alike([0.3, 0.1, 0.2], [0.2, 0.15, 0.4], [other]) is None


def test_of_one_block_nothing_is_known() -> None:
    assert pool_alike([0.3], [0.2], [[0.1], [0.4]]) is None


def test_the_smallest_useful_difference() -> None:
    assert smallest_useful(2.0, 1.0) == pytest.approx(0.01)
    assert smallest_useful(1.0, 1.5) == 0.0
    assert smallest_useful(math.nan, 1.5) == 0.0
