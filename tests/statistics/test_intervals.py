"""Intervals cover what they promise, for rows, groups and time, and are fast."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from justright.statistics.intervals import (
    Interval,
    Sample,
    paired_difference,
    row_variance,
    score_interval,
    standing,
)
from justright.statistics.metrics import METRICS, metric_named
from justright.statistics.resampling import BUCKETS, make_units, resampled
from justright.statistics.terms import mean_link


def _binary(rng: np.random.Generator, n: int, shift: float = 1.0):
    y = (rng.random(n) < 0.3).astype(np.int64)
    p = 1.0 / (1.0 + np.exp(-(shift * (2 * y - 1) + rng.normal(size=n))))
    return y, np.stack([1.0 - p, p], axis=1)


def _covered(truth: float, intervals: list[Interval]) -> float:
    return float(np.mean([found.low <= truth <= found.high for found in intervals]))


@pytest.mark.parametrize("name", ["auc", "average_precision", "accuracy", "log_loss", "macro_f1"])
def test_coverage_of_a_score_over_rows(name: str) -> None:
    rng = np.random.default_rng(0)
    metric = metric_named(name)
    truth = metric(*_binary(rng, 400_000))
    found = []
    for seed in range(300):
        y, p = _binary(rng, 200)
        found.append(score_interval(metric, Sample(y), p, seed=seed, resamples=400))
    assert 0.905 <= _covered(truth, found) <= 0.98  # 95% aimed at; standard error 1.3%


def test_coverage_of_rmse_with_heavy_tails() -> None:
    rng = np.random.default_rng(1)
    metric, truth = metric_named("rmse"), math.sqrt(5 / 3)
    found = []
    for seed in range(300):
        y = rng.standard_t(5, (150, 1))
        found.append(score_interval(metric, Sample(y), np.zeros_like(y), seed=seed, resamples=400))
    assert 0.85 <= _covered(truth, found) <= 0.98


def _clustered(rng: np.random.Generator, groups: int, size: int):
    g = np.repeat(np.arange(groups), size)
    error = rng.normal(size=groups)[g] + 0.5 * rng.normal(size=groups * size)
    return g, np.abs(error)[:, None]


def test_groups_cover_and_pretending_independence_does_not() -> None:
    rng = np.random.default_rng(2)
    metric = metric_named("mae")
    truth = math.sqrt(1.25) * math.sqrt(2 / math.pi)
    honest, naive = [], []
    for seed in range(200):
        g, error = _clustered(rng, 60, 10)
        zero = np.zeros_like(error)
        grouped = Sample(error, groups=g)
        honest.append(score_interval(metric, grouped, zero, seed=seed, resamples=400))
        naive.append(score_interval(metric, Sample(error), zero, seed=seed, resamples=200))
    assert _covered(truth, honest) >= 0.89
    assert _covered(truth, naive) <= 0.75


def test_groups_widen_auc_too() -> None:
    rng = np.random.default_rng(3)
    y, p = _binary(rng, 100)
    y, p, g = np.repeat(y, 5), np.repeat(p, 5, axis=0), np.repeat(np.arange(100), 5)
    metric = metric_named("auc")
    alone, together = (score_interval(metric, Sample(y, groups=k), p) for k in (None, g))
    assert together.se == pytest.approx(math.sqrt(5) * alone.se, rel=0.05)


def test_stretches_of_time_widen_the_interval_of_dependent_rows() -> None:
    rng = np.random.default_rng(4)
    error = np.zeros(4000)
    for k in range(1, 4000):
        error[k] = 0.8 * error[k - 1] + rng.normal()
    y = (error + 10.0)[:, None]
    order = rng.permutation(4000)  # rows need not come in order
    sample = Sample(y[order], times=np.arange(4000.0)[order])
    metric, zero = metric_named("mae"), np.zeros_like(y)
    timed = score_interval(metric, sample, zero)
    alone = score_interval(metric, Sample(y), zero)
    assert 1.8 <= timed.se / alone.se <= 3.2  # the truth is 3; blocks see most of it
    assert math.sqrt(row_variance(metric, sample, zero, zero + 1e-3)) < timed.se


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_differences_are_positive_when_the_first_is_better(metric) -> None:
    rng = np.random.default_rng(5)
    if metric.needs == "values":
        y = rng.gamma(3.0, 1.0, (600, 2))
        good, bad = (np.abs(y + s * rng.normal(size=y.shape)) for s in (0.1, 1.0))
    else:
        y = rng.integers(0, 3, 600)
        p = 0.5 * rng.dirichlet(np.ones(3), 600) + 0.5 * np.eye(3)[y]
        good, bad = p, 0.4 * p + 0.6 * rng.dirichlet(np.ones(3), 600)
    w = rng.gamma(2.0, 1.0, 600)
    found = paired_difference(metric, Sample(y, weights=w), good, bad)
    assert found.low > 0.0
    assert standing(found, 0.0)[0] == "beats"
    assert standing(paired_difference(metric, Sample(y), bad, good), 0.0)[0] == "loses to"
    variance = row_variance(metric, Sample(y, weights=w), good, bad)
    assert math.sqrt(variance) == pytest.approx(found.se, rel=0.15)
    same = paired_difference(metric, Sample(y), good, good)
    assert (same.estimate, same.low, same.high) == (0.0, 0.0, 0.0)


def test_coverage_of_the_difference_of_two_areas() -> None:
    rng = np.random.default_rng(6)
    metric = metric_named("auc")

    def draw(n: int):
        y = (rng.random(n) < 0.3).astype(np.int64)
        common = rng.normal(size=n)
        both = [(2 * y - 1) * s + common + 0.5 * rng.normal(size=n) for s in (0.8, 0.6)]
        ps = [1.0 / (1.0 + np.exp(-score)) for score in both]
        return y, *(np.stack([1.0 - p, p], axis=1) for p in ps)

    y, a, b = draw(400_000)
    truth = metric(y, a) - metric(y, b)
    found = [
        paired_difference(metric, Sample(y), a, b) for y, a, b in (draw(200) for _ in range(400))
    ]
    assert 0.92 <= _covered(truth, found) <= 0.98


def test_buckets_give_the_spread_of_single_rows() -> None:
    rng = np.random.default_rng(7)
    n = 3 * BUCKETS
    values = rng.gamma(1.0, 1.0, (n, 1))
    units = make_units(n, None, None)
    assert units.count == BUCKETS
    assert np.bincount(units.member).max() == 3
    draws = resampled(units, values, np.ones(n), mean_link, seed=0)
    assert draws.std() == pytest.approx(values.std() / math.sqrt(n), rel=0.06)


def test_fast_on_fifty_thousand_rows() -> None:
    rng = np.random.default_rng(8)
    y = rng.normal(size=(50_000, 1))
    start = time.process_time()
    paired_difference(metric_named("rmse"), Sample(y), y + 0.1, y - 0.1)
    assert time.process_time() - start < 1.5  # 0.13 s where written


def test_edges_say_nothing_rather_than_fail() -> None:
    auc = metric_named("auc")
    y = np.zeros(10, dtype=np.int64)
    p = np.tile([0.4, 0.6], (10, 1))
    assert math.isnan(score_interval(auc, Sample(y), p).low)
    assert math.isnan(paired_difference(auc, Sample(y), p, p).high)
    one = score_interval(metric_named("rmse"), Sample(np.ones((1, 1))), np.zeros((1, 1)))
    assert one.estimate == 1.0
    assert math.isnan(one.low)
    grouped = Sample(np.ones((9, 1)), groups=np.zeros(9, dtype=np.int64))
    assert math.isnan(score_interval(metric_named("rmse"), grouped, np.zeros((9, 1))).low)


def test_a_faultless_accuracy_keeps_a_doubt() -> None:
    y = np.arange(20) % 2
    found = score_interval(metric_named("accuracy"), Sample(y), np.eye(2)[y])
    assert found.high == 1.0
    assert found.low == pytest.approx(0.025 ** (1 / 20))


def test_same_seed_same_interval() -> None:
    y = np.random.default_rng(9).normal(size=(5000, 1))
    first, second = (score_interval(metric_named("mae"), Sample(y), 0 * y, seed=4) for _ in "ab")
    assert first == second


def test_what_a_tie_rests_on() -> None:
    found = Interval(1.0, 0.4, 1.6, 0.3, 0.95, "rows")
    assert standing(found, 2.0)[0] == "ties with"
    assert "contains 0" in standing(Interval(0.1, -0.1, 0.3, 0.1, 0.95, ""), 0.0)[1]


def _means(rng: np.random.Generator, units: int):
    """15 rows of each unit, and two equally good methods with faults of their own in each."""
    member = np.repeat(np.arange(units), 15)
    y = rng.normal(size=(15 * units, 1))
    return member, y, *(0.5 * rng.normal(size=units)[member][:, None] for _ in range(2))


@pytest.mark.parametrize("name", ["rmse", "r2", "accuracy", "auc"])
@pytest.mark.parametrize("groups", [1, 2, 3, 5, 10])
def test_few_groups_have_wide_intervals_and_one_has_none(groups: int, name: str) -> None:
    rng = np.random.default_rng(10)
    metric = metric_named(name)
    member, y, first, second = _means(rng, groups)
    if metric.needs == "probabilities":
        y = (y[:, 0] + first[:, 0] > 0).astype(np.int64)
        chances = (1 / (1 + np.exp(rng.normal(size=y.shape) - p[:, 0])) for p in (first, second))
        first, second = (np.stack([1 - p, p], axis=1) for p in chances)
    sample = Sample(y, groups=member)
    score = score_interval(metric, sample, first)
    difference = paired_difference(metric, sample, first, second)
    variance = row_variance(metric, sample, first, second)
    if groups == 1:
        assert math.isnan(score.low)
        assert math.isnan(difference.high)
        assert variance == math.inf
        word, why = standing(difference, 0.0)
        assert word == "ties with"
        assert "too few" in why
        return
    assert metric.possible(score.low, score.high) == (score.low, score.high)
    assert score.low <= score.estimate <= score.high
    assert difference.low < difference.estimate < difference.high
    # whoever takes the variance for known reaches as far as the interval does
    assert 1.96 * math.sqrt(variance) == pytest.approx(
        difference.high - difference.estimate, rel=0.001
    )


@pytest.mark.parametrize("units", [2, 3, 6, 20])
@pytest.mark.parametrize("kind", ["groups", "times"])
def test_coverage_with_few_groups_or_moments(units: int, kind: str) -> None:
    rng = np.random.default_rng(units)
    metric, found = metric_named("rmse"), []
    for _ in range(300):
        member, y, first, second = _means(rng, units)
        found.append(paired_difference(metric, Sample(y, **{kind: member}), first, second))
    assert _covered(0.0, found) >= 0.91  # the bootstrap: 0.74 with three groups


def test_stretches_of_one_moment_stay_together() -> None:
    units = make_units(60, None, np.repeat(np.arange(6.0), 10))
    assert (units.count, units.length) == (6, 1)
    assert np.array_equal(units.member, np.repeat(np.arange(6), 10))
