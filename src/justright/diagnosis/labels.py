"""Labels that the data contradict, seen with the eyes of trainings that did not see them.

Classes: confident learning (Northcutt, Jiang & Chuang 2021). A label is contradicted if another
class is as likely as it usually is where that class is right. Where classes overlap such rows are
many and most of their labels are right, so the rate of wrong labels is read off elsewhere: from
the rows that the trainings are surest of, where classes do not overlap (anchor points, Scott 2015,
Liu & Tao 2016), and only if it stays the same a little further on.

Numbers: a target is contradicted if its residual lies beyond the far fences (three quartile ranges
beyond the quartiles, Tukey 1977) of the rows with a like prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from justright.statistics.intervals import Interval, Sample, score_interval
from justright.statistics.metrics import metric_named
from justright.statistics.terms import columns

SUREST, NEXT = 0.2, 0.5
"""The rate of wrong labels is that of the surest fifth of the rows, if it is flat up to the surest
half (assumption)."""

FLAT = 1.5
"""It is flat if it does not grow by more than this factor (measured: tests/diagnosis/test_labels:
planted flips 1.0 to 1.2, overlapping classes 2 and more)."""

LEARNED = 0.5
"""... and if it is at most this part of what naming the most frequent class gets wrong: whoever
has learned little is sure of little (assumption)."""

LEAST = 100
"""Fewest rows (assumption: of the surest fifth 20 are left)."""

MATERIAL = 0.02
"""A rate of wrong labels above it is worth a look at them (assumption)."""

FENCE = 3.0
"""Quartile ranges beyond the quartiles: 2 in a million of normal residuals (Tukey 1977)."""

BAND = 50
"""Fewest rows with a like prediction whose quartiles are taken (assumption)."""

BANDS = 20


@dataclass(frozen=True)
class Suspicion:
    """Rows whose label is contradicted.

    Attributes:
        rows: Places among the rows, the most suspicious first.
        strength: How strongly each is contradicted: by how much another class is more likely, or
            how many quartile ranges beyond the quartiles.
        instead: Class code, or value (of the target that is contradicted most), that was expected.
        output: Which target, 0 for classes.
        rate: Estimated rate of wrong labels, with its interval; nan if it is not known.
        word: ``"material"``, ``"small"`` or ``"cannot tell"``.
        why: The reason in words.
        trainings: How many agree.
    """

    rows: np.ndarray
    strength: np.ndarray
    instead: np.ndarray
    output: np.ndarray
    rate: Interval
    word: str
    why: str
    trainings: int


def contradicted(
    sample: Sample, predictions: Sequence[np.ndarray], *, seed: int = 0
) -> Suspicion | None:
    """Rows whose label all trainings contradict.

    Args:
        sample: The rows with their labels: class codes [n], or values [n, T].
        predictions: Of trainings of different kinds that did not see these rows: probabilities
            [n, classes], or values [n, T].
        seed: Of the interval.

    Returns:
        None with fewer than `LEAST` rows, or no training.
    """
    if len(sample.y) < LEAST or not predictions:
        return None
    if sample.y.dtype.kind == "i":
        return _classes(sample, predictions, seed)
    return _numbers(sample, predictions, seed)


def _classes(sample: Sample, predictions: Sequence[np.ndarray], seed: int) -> Suspicion:
    y, mean = sample.y, np.mean(predictions, axis=0)
    size, rows = mean.shape[1], np.arange(len(y))
    given = np.bincount(y, minlength=size)
    usual = np.bincount(y, mean[rows, y], size) / np.maximum(given, 1)
    likely = np.where((mean >= usual) & (given > 0), mean, -1.0)
    instead = likely.argmax(axis=1)
    against = (likely.max(axis=1) >= 0.0) & (instead != y)
    for each in predictions:
        against &= each.argmax(axis=1) != y
    margin = mean[rows, instead] - mean[rows, y]
    places = np.flatnonzero(against)
    places = places[np.argsort(-margin[places], kind="stable")]

    wrong = mean.argmax(axis=1) != y
    order = np.argsort(-mean.max(axis=1), kind="stable")
    surest, beyond = order[: round(SUREST * len(y))], order[: round(NEXT * len(y))]
    beyond = beyond[len(surest) :]
    rate = _share(wrong[surest], _some(sample, surest), seed)
    further = float(wrong[beyond].mean())
    flat = further <= FLAT * rate.estimate
    learned = rate.estimate <= LEARNED * (1.0 - given.max() / len(y))
    if rate.high < MATERIAL:
        word = "small"
        why = "where the trainings are surest, hardly a label is contradicted"
    elif rate.low > MATERIAL and flat and learned:
        word = "material"
        why = "even where the trainings are surest, labels are contradicted as often as elsewhere"
    else:
        word = "cannot tell"
        why = "too few rows are sure" if flat else "the classes overlap"
        if not learned:
            why = "the columns say too little about the label"
    return Suspicion(
        rows=places,
        strength=margin[places],
        instead=instead[places],
        output=np.zeros(len(places), np.int64),
        rate=rate,
        word=word,
        why=why,
        trainings=len(predictions),
    )


def _numbers(sample: Sample, predictions: Sequence[np.ndarray], seed: int) -> Suspicion:
    y = columns(sample.y)
    beyond = np.stack([_beyond(y - columns(each), columns(each)) for each in predictions])
    # the least of the trainings counts, and none if they do not agree on the side
    agree = np.abs(np.sign(beyond).sum(axis=0)) == len(predictions)
    strength = np.where(agree, np.abs(beyond).min(axis=0), 0.0)
    output = strength.argmax(axis=1)
    most = strength.max(axis=1)
    places = np.flatnonzero(most > 0.0)
    places = places[np.argsort(-most[places], kind="stable")]
    mean = np.mean([columns(each) for each in predictions], axis=0)
    rate = _share(most > 0.0, sample, seed)
    if rate.low > MATERIAL:
        word, why = "material", "so many residuals are far beyond what their neighbours show"
    elif rate.high < MATERIAL:
        word, why = "small", "few residuals are far beyond what their neighbours show"
    else:
        word, why = "cannot tell", "too few rows"
    return Suspicion(
        rows=places,
        strength=FENCE + most[places],
        instead=mean[places, output[places]],
        output=output[places],
        rate=rate,
        word=word,
        why=why,
        trainings=len(predictions),
    )


def _beyond(residual: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Quartile ranges by which residuals [n, T] lie beyond the fences, with their sign; or 0."""
    found = np.zeros_like(residual)
    for t in range(residual.shape[1]):
        bands = int(np.clip(len(residual) // BAND, 1, BANDS))
        order = np.argsort(prediction[:, t], kind="stable")
        for rows in np.array_split(order, bands):
            low, high = np.quantile(residual[rows, t], [0.25, 0.75])
            spread = max(high - low, 1e-300)
            above = (residual[rows, t] - high) / spread - FENCE
            below = (low - residual[rows, t]) / spread - FENCE
            found[rows, t] = np.maximum(above, 0.0) - np.maximum(below, 0.0)
    return found


def _some(sample: Sample, rows: np.ndarray) -> Sample:
    def taken(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    weights, groups = taken(sample.weights), taken(sample.groups)
    return Sample(sample.y[rows], weights, groups, taken(sample.times))


def _share(marked: np.ndarray, sample: Sample, seed: int) -> Interval:
    """Share of marked rows with its interval, of rows, groups or stretches of time."""
    right = np.tile([1.0, 0.0], (len(marked), 1))
    rows = Sample(marked.astype(np.int64), None, sample.groups, sample.times)
    found = score_interval(metric_named("accuracy"), rows, right, seed=seed)
    return Interval(
        estimate=1.0 - found.estimate,
        low=1.0 - found.high,
        high=1.0 - found.low,
        se=found.se,
        level=found.level,
        source=found.source,
    )
