"""Verdicts in planted worlds, in a small form of benchmarks/statistics.py; seeds are fixed.

Limits are the goals plus two standard errors of a share of that many studies.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.designer.improvement.screening import HOPE
from justright.statistics.compare import CANNOT_TELL, blocks_to_add, compare
from justright.statistics.plateau import find_plateau
from justright.testing.idea_rates import IdeaWorld, idea_rates
from justright.testing.verdict_rates import (
    compare_rates,
    interval_coverage,
    paired_coverage,
    plateau_rates,
    round_rates,
)
from justright.testing.worlds import PROFILES, SCORE_WORLDS, ScoreWorld, gains


def _above(goal: float, studies: int) -> float:
    return goal + 2.0 * math.sqrt(goal * (1.0 - goal) / studies)


def _below(goal: float, studies: int) -> float:
    return goal - 2.0 * math.sqrt(goal * (1.0 - goal) / studies)


@pytest.mark.parametrize("shape", ["normal", "heavy tails", "uneven blocks"])
@pytest.mark.parametrize("rho", [0.0, 0.2])
def test_false_verdicts_of_all_looks_together(shape: str, rho: float) -> None:
    drawn = gains(np.random.default_rng(1), 800, 12, rho=rho, shape=shape)
    rate = compare_rates(drawn, overlap=rho / (1.0 - rho), delta=0.2)
    assert rate["better"] + rate["significantly worse"] <= _above(0.05, 800)
    assert rate["blocks"] < 11.0  # futility stops some before the last look


@pytest.mark.parametrize(("effect", "goal"), [(1.0, 0.85), (2.0, 0.98)])
def test_power_with_independent_blocks(effect: float, goal: float) -> None:
    drawn = gains(np.random.default_rng(2), 600, 12, effect=effect)
    assert compare_rates(drawn, overlap=0.0, delta=0.2)["better"] >= _below(goal, 600)


@pytest.mark.parametrize("noise", [(1, 1, 1, 1), (1, 1, 1, 1.5), (1, 1, 3, 1), (1, 0.5, 0.5, 1)])
def test_pooling_the_noise_of_a_round_costs_no_power_and_few_errors(
    noise: tuple[float, ...],
) -> None:
    unit = math.hypot(noise[0], noise[-1])
    rates = []
    for effect, studies in ((0.0, 1_000), (1.0, 300)):
        rng = np.random.default_rng(5)
        losses = rng.normal(0.0, np.array(noise)[:, None], (studies, len(noise), 12))
        losses[:, -1] -= effect * unit
        rates.append(round_rates(losses, overlap=0.0, delta=0.2 * unit))
    assert rates[0]["better"] <= _above(0.05, 1_000)
    assert rates[1]["better"] >= _below(0.85, 300)


@pytest.mark.parametrize("rho", [0.0, 0.2])
def test_useless_ideas_are_seldom_accepted_and_useful_ones_often(rho: float) -> None:
    rates = idea_rates(IdeaWorld(rho=rho), HOPE, 1_500, seed=2)
    assert rates["false"] <= _above(0.01, 1_200)
    assert rates["false share"] <= 0.1
    assert rates["taken"] >= _below(0.45, 300)
    assert rates["blocks"] < idea_rates(IdeaWorld(rho=rho), 0.0, 1_500, seed=2)["blocks"]


@pytest.mark.parametrize("blocks", [3, 12])
def test_intervals_of_a_comparison_cover(blocks: int) -> None:
    drawn = gains(np.random.default_rng(3), 1_000, 12, effect=0.5, rho=0.2)
    share = interval_coverage(drawn, 0.5, overlap=0.25, blocks=blocks)
    assert _below(0.93, 1_000) <= share <= _above(0.97, 1_000)


@pytest.mark.parametrize("world", SCORE_WORLDS, ids=lambda world: world.name)
def test_no_truly_best_size_is_called_too_small_or_too_large(world: ScoreWorld) -> None:
    rate = plateau_rates(world, blocks=5, delta=0.5, studies=150, seed=4)
    assert rate["too small"] <= _above(0.05, 150)
    assert rate["too large"] <= _above(0.05, 150)
    assert rate["just right"] <= _above(0.05, 150)
    assert rate["possible"] >= _below(0.95, 150)
    assert rate["good plateau"] >= _below(0.95, 150)
    assert rate["intervals"] >= _below(0.93, 150)


def test_sizes_that_are_too_small_are_found() -> None:
    world = ScoreWorld("steep", PROFILES["sloped, then flat"])
    rate = plateau_rates(world, blocks=8, delta=0.5, studies=60, seed=5)
    assert rate["near"] >= 0.9
    steep = np.mean([_first(world, seed) >= 2 for seed in range(60)])
    assert steep >= 0.9


def _first(world: ScoreWorld, seed: int) -> int:
    from_plateau = world.draw(np.random.default_rng(seed), 8)
    found = find_plateau(from_plateau, world.weights, overlap=world.overlap, delta=0.5)
    return 0 if found.possible is None else found.possible[0]


@pytest.mark.parametrize("kind", ["rows", "clusters"])
@pytest.mark.parametrize("metric", ["rmse", "log_loss"])
def test_paired_differences_cover(metric: str, kind: str) -> None:
    share = paired_coverage(metric, kind, studies=100, seed=6, rows=400, resamples=200)
    assert _below(0.93, 100) <= share <= _above(0.97, 100)


def test_the_sequence_of_looks() -> None:
    unclear = [(0.4 + 0.3 * (-1) ** k, 0.4) for k in range(12)]
    verdicts = [
        compare("x", unclear[:n], overlap=0.25, delta=0.01) for n in (0, 2, 3, 4, 5, 8, 12)
    ]
    assert {verdict.word for verdict in verdicts} == {CANNOT_TELL}
    assert [blocks_to_add(verdict) for verdict in verdicts] == [3, 1, 2, 1, 3, 4, 0]
    clear = compare("x", [(0.1 + 0.001 * k, 0.4) for k in range(3)], overlap=0.25, delta=0.01)
    assert blocks_to_add(clear) == 0
