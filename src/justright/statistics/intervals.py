"""How sure a score on some rows is, and the difference of two methods on the same rows.

Functions of means (RMSE, log-loss, accuracy, ...) are bootstrapped over rows, groups or stretches
of time; where these are few, the jackknife and Student's t say more. AUC and average precision
take the variance of their influence values (DeLong, DeLong & Clarke-Pearson 1988; for groups
summed within each, Obuchowski 1997), on the logit scale (LeDell, Petersen & van der Laan 2015),
because no sum over rows gives them. Of a metric of the user's only values are known: it is asked
again on resampled rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from justright.statistics.metrics import Metric, positives
from justright.statistics.resampling import (
    DRAWS,
    FEW,
    RESAMPLES,
    Units,
    corrected_limits,
    left_out,
    make_units,
    plain_limits,
    redrawn_rows,
    resampled,
)
from justright.statistics.student import t_quantile
from justright.statistics.terms import Link


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits.

    Attributes:
        estimate: The score, or the difference (positive: the first method is better).
        low: Lower limit; nan when nothing can be said (fewer than two units).
        high: Upper limit.
        se: Standard error.
        level: Coverage aimed at.
        source: Where the spread comes from and by which method.
    """

    estimate: float
    low: float
    high: float
    se: float
    level: float
    source: str


@dataclass(frozen=True)
class Sample:
    """The rows that something is judged on.

    Attributes:
        y: float64 [n, T] or int64 class codes [n].
        weights: Row weights [n], or None.
        groups: Group codes [n], or None: rows of a group are not independent.
        times: Times [n], or None: neighbouring rows are not independent.
    """

    y: np.ndarray
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None

    def units(self) -> Units:
        """What may be resampled."""
        return make_units(len(self.y), self.groups, self.times)


def score_interval(
    metric: Metric,
    sample: Sample,
    prediction: np.ndarray,
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """A score with its interval.

    Args:
        metric: What is measured.
        sample: The rows with their truth.
        prediction: Values [n, T] or probabilities [n, classes].
        seed: Of the resampling.
        level: Coverage.
        resamples: How many.
    """
    estimate = metric(sample.y, prediction, sample.weights)
    units = sample.units()
    if not math.isfinite(estimate) or units.total < 2:
        return Interval(estimate, math.nan, math.nan, math.nan, level, f"{units.kind}: too few")
    if metric.function is not None:
        return _by_draws(estimate, redrawn(metric, sample, units, seed, prediction), units, level)
    if metric.means is None:
        influence = influence_of(metric, sample, prediction)
        return _from_influence(estimate, influence, units, level, bounded=True)
    terms = metric.means.rows(sample.y, prediction)
    found = _of_means(estimate, terms, metric.means.link, sample, units, seed, level, resamples)
    low, high = metric.possible(found.low, found.high)
    return _opened(replace(found, low=low, high=high), metric, units)


def paired_difference(
    metric: Metric,
    sample: Sample,
    prediction: np.ndarray,
    other: np.ndarray,
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """By how much `prediction` is better than `other` on the same rows; positive is better.

    It speaks of these two trained methods, not of what training them once more would give.

    Args:
        metric: What is measured.
        sample: The rows with their truth.
        prediction: Of the first method.
        other: Of the second.
        seed: Of the resampling.
        level: Coverage.
        resamples: How many.
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    y, w = sample.y, sample.weights
    estimate = sign * (metric(y, prediction, w) - metric(y, other, w))
    units = sample.units()
    if not math.isfinite(estimate) or units.total < 2:
        return Interval(estimate, math.nan, math.nan, math.nan, level, f"{units.kind}: too few")
    if metric.function is not None:
        both = redrawn(metric, sample, units, seed, prediction, other)
        return _by_draws(estimate, sign * (both[:, 0] - both[:, 1])[:, None], units, level)
    if metric.means is None:
        first = influence_of(metric, sample, prediction)
        influence = sign * (first - influence_of(metric, sample, other))
        return _from_influence(estimate, influence, units, level, bounded=False)
    a, b = metric.means.rows(y, prediction), metric.means.rows(y, other)
    one, size = metric.means.link, a.shape[1]

    def link(means: np.ndarray) -> np.ndarray:
        return sign * (one(means[..., :size]) - one(means[..., size:]))

    terms = np.concatenate([a, b], axis=1)
    return _of_means(estimate, terms, link, sample, units, seed, level, resamples)


def row_variance(
    metric: Metric, sample: Sample, prediction: np.ndarray, other: np.ndarray
) -> float:
    """Variance of a paired difference that comes from the choice of rows alone.

    It is what new seeds on one fixed hold-out cannot show; by the jackknife (functions of means)
    or influence values, without resampling. Whoever uses it takes it for known, so it is larger
    where units are few: a normal 95% limit reaches as far as Student's t does.

    Returns:
        inf where the rows cannot show it (a single group).
    """
    units = sample.units()
    if units.total < 2:
        return math.inf
    if metric.function is not None:
        both = redrawn(metric, sample, units, 0, prediction, other)
        variance = _spread(both[:, 0] - both[:, 1])
    elif metric.means is None:
        influence = influence_of(metric, sample, prediction) - influence_of(metric, sample, other)
        variance = _influence_variance(influence, units)
    else:
        w = _weights(sample)
        a = left_out(units, metric.means.rows(sample.y, prediction), w, metric.means.link)
        b = left_out(units, metric.means.rows(sample.y, other), w, metric.means.link)
        variance = _jackknife(a - b, units)
    doubt = t_quantile(0.975, units.total - 1) / NormalDist().inv_cdf(0.975)
    return variance * doubt**2 if math.isfinite(variance) else math.inf


def standing(difference: Interval, delta: float) -> tuple[str, str]:
    """The word for a paired difference, and why.

    Args:
        difference: Positive means that the first method is better.
        delta: Smallest difference that matters.

    Returns:
        ``"beats"``, ``"ties with"`` or ``"loses to"``; and the reason.

    >>> standing(Interval(0.3, 0.1, 0.5, 0.1, 0.95, "rows"), delta=0.05)
    ('beats', 'the interval excludes 0')
    """
    if not math.isfinite(difference.low):
        return "ties with", "there are too few independent rows or groups for an interval"
    if not (difference.low > 0.0 or difference.high < 0.0):
        return "ties with", "the interval contains 0"
    if abs(difference.estimate) < delta:
        return "ties with", f"the difference is smaller than {delta:.3g}, which does not matter"
    return ("beats" if difference.estimate > 0 else "loses to"), "the interval excludes 0"


def _of_means(
    estimate: float,
    terms: np.ndarray,
    link: Link,
    sample: Sample,
    units: Units,
    seed: int,
    level: float,
    resamples: int,
) -> Interval:
    weights = _weights(sample)
    if units.total < FEW:
        variance = _jackknife(left_out(units, terms, weights, link), units)
        return _by_student(estimate, variance, units, level, "jackknife")
    draws = resampled(units, terms, weights, link, seed, resamples)
    if units.length > 1:  # the acceleration of overlapping stretches is not defined
        low, high = plain_limits(draws, _expanded(level, units.draws))
        how = f"percentile bootstrap, {units.draws} stretches of {units.length} rows"
    else:
        without = left_out(units, terms, weights, link)
        low, high = corrected_limits(estimate, draws, without, _expanded(level, units.total))
        how = f"BCa bootstrap, {units.total:,} {units.kind}"
    finite = draws[np.isfinite(draws)]
    se = float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan
    return Interval(estimate, low, high, se, level, how)


def redrawn(
    metric: Metric, sample: Sample, units: Units, seed: int, *predictions: np.ndarray
) -> np.ndarray:
    """A metric of which only values are known, on resampled rows, float64 [DRAWS, methods].

    All methods are judged on the same rows each time; nan where the metric is not defined.
    """
    y, w = sample.y, sample.weights
    values = np.full((DRAWS, len(predictions)), np.nan)
    for place, rows in enumerate(redrawn_rows(units, seed, DRAWS)):
        own = None if w is None else w[rows]
        values[place] = [metric(y[rows], each[rows], own) for each in predictions]
    return values


def _by_draws(estimate: float, draws: np.ndarray, units: Units, level: float) -> Interval:
    how = f"bootstrap of {len(draws)} draws"
    return _by_student(estimate, _spread(draws[:, 0]), units, level, how)


def _spread(draws: np.ndarray) -> float:
    """Variance over draws; nan where the metric is not defined on half of them."""
    known = draws[np.isfinite(draws)]
    return float(np.var(known, ddof=1)) if 2 * len(known) > len(draws) else math.nan


def _jackknife(without: np.ndarray, units: Units) -> float:
    """Variance from the values without each unit; nan where too few of these are known."""
    known = without[np.isfinite(without)]
    if len(known) < (len(without) if units.total < FEW else 2):
        return math.nan
    square = float(np.square(known - known.mean()).sum())
    count = units.count
    if units.length > 1:  # overlapping stretches: each row is in `length` of them
        rest = len(units.member) - units.length
        return square * rest**2 / (count * count * units.length)
    return (count - 1) / count * square


def _by_student(
    estimate: float, variance: float, units: Units, level: float, how: str
) -> Interval:
    se = math.sqrt(variance)
    reach = t_quantile(0.5 + 0.5 * level, units.draws - 1) * se
    source = f"{how}, {units.total:,} {units.kind}"
    return Interval(estimate, estimate - reach, estimate + reach, se, level, source)


def _expanded(level: float, units: int) -> float:
    """The level of percentiles that reach as far as Student's t does (Hesterberg 2015).

    Resamples spread like n, not n - 1, and know nothing of the doubt in their own spread.
    """
    reach = t_quantile(0.5 + 0.5 * level, units - 1) * math.sqrt(units / (units - 1))
    return 2.0 * NormalDist().cdf(reach) - 1.0


def _opened(interval: Interval, metric: Metric, units: Units) -> Interval:
    """Give a faultless share its exact bound (Clopper & Pearson 1934): doubt remains."""
    if metric.name != "accuracy" or interval.estimate not in (0.0, 1.0):
        return interval
    bound = (0.5 - 0.5 * interval.level) ** (1.0 / units.total)
    low, high = (bound, 1.0) if interval.estimate == 1.0 else (0.0, 1.0 - bound)
    return replace(
        interval, low=low, high=high, source=f"Clopper-Pearson, {units.total:,} {units.kind}"
    )


def influence_of(metric: Metric, sample: Sample, prediction: np.ndarray) -> np.ndarray:
    """How much a little more weight on each row moves a metric of an order: float64 [n].

    Raises:
        ValueError: If the metric has no influence values.
    """
    if metric.influence is None:
        raise ValueError(f"metric {metric.name!r} has neither means nor influence values")
    values = [
        metric.influence(sample.y == k, prediction[:, k], sample.weights)
        for k in positives(prediction)
    ]
    return np.mean(values, axis=0)


def _influence_variance(influence: np.ndarray, units: Units) -> float:
    sums = units.sums(influence[:, None])[:, 0]
    n, count = len(influence), units.count
    if units.length > 1:
        return float(units.draws * np.var(sums) / n**2)
    return float(count * np.var(sums, ddof=1) / n**2)


def _from_influence(
    estimate: float, influence: np.ndarray, units: Units, level: float, *, bounded: bool
) -> Interval:
    variance = _influence_variance(influence, units)
    found = _by_student(estimate, variance, units, level, "influence values")
    if not bounded or not 0.0 < estimate < 1.0:
        return found
    centre = math.log(estimate / (1.0 - estimate))
    reach = (found.high - estimate) / (estimate * (1.0 - estimate))
    low, high = (_logistic(centre + side * reach) for side in (-1, 1))
    return replace(found, low=low, high=high)


def _logistic(x: float) -> float:
    # few groups reach far: exp must not overflow
    return 0.5 * (1.0 + math.tanh(0.5 * x))


def _weights(sample: Sample) -> np.ndarray:
    if sample.weights is None:
        return np.ones(len(sample.y))
    return np.asarray(sample.weights, dtype=np.float64)
