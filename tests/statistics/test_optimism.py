"""The bootstrap correction knows what choosing among equals is worth, in worlds of known truth."""

from __future__ import annotations

import time

import numpy as np
import pytest

from justright.statistics.folds import block_interval, within_range, worsened
from justright.statistics.intervals import Interval, Sample
from justright.statistics.metrics import metric_named
from justright.statistics.optimism import choice_optimism

ROWS, CONFIGURATIONS = 120, 10

BEST_OF_TEN = 1.5388
"""Expected maximum of ten standard normals."""


def noise_world(seed: int, better: float = 0.0) -> tuple[Sample, list[np.ndarray]]:
    """Absolute errors 5 + noise, equal for all configurations; the last may really be better."""
    rng = np.random.default_rng(seed)
    errors = 5.0 + rng.normal(size=(CONFIGURATIONS, ROWS))
    errors[-1] -= better
    return Sample(np.zeros((ROWS, 1))), [each[:, None] for each in errors]


def test_among_equals_the_best_is_too_good_by_the_known_amount_and_the_correction_is_not() -> None:
    metric, worlds = metric_named("mae"), 300
    found = [
        choice_optimism(metric, *noise_world(seed), seed=seed, resamples=100)
        for seed in range(worlds)
    ]
    flattery = BEST_OF_TEN / np.sqrt(ROWS)
    apparent = np.array([each.apparent for each in found])
    corrected = np.array([each.corrected for each in found])
    assert apparent.mean() == pytest.approx(5.0 - flattery, abs=0.1 * flattery)
    error = corrected.std(ddof=1) / np.sqrt(worlds)
    assert abs(corrected.mean() - 5.0) < 4 * error
    assert 4 * error < 0.25 * flattery  # the simulation is sharp enough to see the flattery


def test_a_clear_winner_is_hardly_corrected() -> None:
    metric = metric_named("mae")
    found = [choice_optimism(metric, *noise_world(seed, better=1.0)) for seed in range(20)]
    flattery = BEST_OF_TEN / np.sqrt(ROWS)
    assert abs(np.mean([each.value for each in found])) < 0.05 * flattery
    assert min(each.chosen[-1] for each in found) > 0.99


def test_one_configuration_has_nothing_to_correct() -> None:
    sample, predictions = noise_world(1)
    found = choice_optimism(metric_named("mae"), sample, predictions[:1])
    assert found.chosen == (1.0,)
    assert abs(found.value) < 0.02


@pytest.mark.parametrize("name", ["auc", "accuracy", "log_loss"])
def test_guesses_of_classes_are_seen_through_whatever_the_metric(name: str) -> None:
    """Ten configurations of coin flips: the best looks better than it is."""
    metric, values, rows = metric_named(name), [], 100
    for seed in range(40):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, rows)
        chance = rng.uniform(0.05, 0.95, (CONFIGURATIONS, rows))
        predictions = [np.stack([1 - p, p], axis=1) for p in chance]
        values.append(choice_optimism(metric, Sample(y), predictions, resamples=100))
    truth = 0.5 if metric.greater_is_better else -np.log(np.linspace(0.05, 0.95, 2001)).mean()
    corrected = metric.loss(float(np.mean([each.corrected for each in values])))
    assert np.mean([each.value for each in values]) > 0.03
    assert corrected == pytest.approx(truth, abs=0.05)


def test_rows_of_a_group_stay_together() -> None:
    """Ten copies of each row say no more than one: the correction must not shrink by √10."""
    metric = metric_named("mae")
    sample, predictions = noise_world(3)
    repeated = Sample(np.repeat(sample.y, 10, axis=0), groups=np.repeat(np.arange(ROWS), 10))
    ten = [np.repeat(each, 10, axis=0) for each in predictions]
    alone = choice_optimism(metric, sample, predictions)
    together = choice_optimism(metric, repeated, ten)
    blind = choice_optimism(metric, Sample(repeated.y), ten)
    assert together.value == pytest.approx(alone.value, rel=0.15)
    assert blind.value < 0.75 * together.value


def test_row_weights_decide_what_counts() -> None:
    """The configuration that is right on the heavy rows is the one that is chosen."""
    y = np.zeros((ROWS, 1))
    heavy = np.arange(ROWS) < 20
    first = np.where(heavy, 0.1, 2.0)[:, None]
    second = np.where(heavy, 2.0, 0.1)[:, None]
    weights = np.where(heavy, 100.0, 1.0)
    found = choice_optimism(metric_named("mae"), Sample(y, weights=weights), [second, first])
    assert found.chosen[1] > 0.99


def test_a_thousand_resamples_of_a_small_table_are_quick() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(300, 1))
    predictions = [y + rng.normal(size=y.shape) for _ in range(10)]
    choice_optimism(metric_named("rmse"), Sample(y), predictions, resamples=10)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        choice_optimism(metric_named("rmse"), Sample(y), predictions, resamples=1000)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.3


def test_no_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="no configuration"):
        choice_optimism(metric_named("mae"), Sample(np.zeros((3, 1))), [])


def test_correlated_folds_need_the_corrected_interval() -> None:
    """Of blocks that share a part the corrected interval covers the truth, the plain one not."""
    rng = np.random.default_rng(5)
    overlap, blocks, worlds = 0.25, 10, 2000
    shared = overlap / (1 + overlap)  # correlation for which the correction is exact
    values = np.sqrt(shared) * rng.normal(size=(worlds, 1))
    values = values + np.sqrt(1 - shared) * rng.normal(size=(worlds, blocks))

    def covered(ratio: float) -> float:
        found = [block_interval(row, ratio, "folds") for row in values.tolist()]
        return float(np.mean([each.low <= 0.0 <= each.high for each in found]))

    assert covered(overlap) == pytest.approx(0.95, abs=0.02)
    assert covered(0.0) < 0.80


def test_blocks_that_say_nothing_give_no_interval() -> None:
    assert np.isnan(block_interval([0.3], 0.25, "folds").low)
    assert np.isnan(block_interval([0.3, float("nan")], 0.25, "folds").high)


@pytest.mark.parametrize("optimism", [0.0, -0.3, float("nan")])
def test_a_correction_never_makes_a_score_better(optimism: float) -> None:
    before = Interval(0.5, 0.4, 0.6, 0.05, 0.95, "folds")
    assert worsened(before, optimism, greater_is_better=False) == before


def test_limits_stay_where_the_metric_can_be() -> None:
    wide = Interval(0.95, -0.2, 1.4, 0.4, 0.95, "folds")
    accuracy = within_range(wide, metric_named("accuracy"))
    loss = within_range(wide, metric_named("log_loss"))
    assert (accuracy.low, accuracy.high) == (0.0, 1.0)
    assert (loss.low, loss.high) == (0.0, 1.4)
    assert within_range(wide, metric_named("r2")).low == -0.2
