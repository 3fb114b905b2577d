"""What a baseline gets, what it gives back, and the inner split they all use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from justright.core.seeds import child_seed
from justright.core.task import Task
from justright.data.draws import sample_groups, time_of_groups, window_before


@dataclass(frozen=True)
class Sample:
    """Encoded rows with their targets.

    Attributes:
        x: float32 [n, F], scaled numbers and indicators.
        c: int32 [n, C], categories by code, 0 = unseen.
        y: float32 [n, T] standardised values, or int64 [n] class codes.
        w: float32 [n] row weights, or None for equal ones.
        groups: int64 [n] codes of the groups that the study keeps whole, or None.
        times: float64 [n], by which the study judges on later rows, or None.
    """

    x: np.ndarray
    c: np.ndarray
    y: np.ndarray
    w: np.ndarray | None = None
    groups: np.ndarray | None = None
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def tied(self) -> bool:
        """Whether rows may not be parted at random, for they belong together or to a time."""
        return self.groups is not None or self.times is not None

    def take(self, rows: np.ndarray) -> Sample:
        """Some of the rows."""
        w, groups, times = (
            None if values is None else values[rows]
            for values in (self.w, self.groups, self.times)
        )
        return Sample(self.x[rows], self.c[rows], self.y[rows], w, groups, times)

    def usable(self) -> Sample:
        """Rows whose target and weight are finite, and whose weight is positive."""
        good = np.isfinite(self.y) if self.y.ndim == 1 else np.isfinite(self.y).all(axis=1)
        if self.w is not None:
            good &= np.isfinite(self.w) & (self.w > 0)
        return self if good.all() else self.take(np.flatnonzero(good))


@dataclass(frozen=True)
class Exercise:
    """What a baseline has to do: learn from `train`, predict the rows of `x` and `c`.

    Attributes:
        task: What is to be predicted.
        categories: Number of codes of each column of `c`.
        train: Rows to learn from; never empty.
        x: float32 [m, F] inputs to predict.
        c: int32 [m, C] inputs to predict.
        seed: For everything random.
        deadline: When to be done, in seconds of `time.monotonic`.
        choice: What an earlier answer to the same exercise chose; the clock is not asked then.
    """

    task: Task
    categories: tuple[int, ...]
    train: Sample
    x: np.ndarray
    c: np.ndarray
    seed: int
    deadline: float
    choice: tuple[int, ...] = ()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, at least 0."""
        return max(self.deadline - time.monotonic(), 0.0)

    @property
    def classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.task.classes)

    def generator(self, purpose: str) -> np.random.Generator:
        """Random numbers for a purpose."""
        return np.random.default_rng(child_seed(self.seed, purpose))

    def on(self, train: Sample, test: Sample) -> Exercise:
        """The same exercise on other rows."""
        return replace(self, train=train, x=test.x, c=test.c)


@dataclass(frozen=True)
class Answer:
    """What a baseline predicts.

    Attributes:
        prediction: float64 [m, T] standardised values, or [m, classes] probabilities.
        notes: What people should know: settings that were chosen, rows that were left out.
        hurried: Whether the clock made it weaker than it could be; a cap on rows is in the notes.
        choice: All that depended on the clock, in whole numbers, to repeat the answer exactly;
            empty = nothing did.
    """

    prediction: np.ndarray
    notes: tuple[str, ...] = ()
    hurried: bool = False
    choice: tuple[int, ...] = ()


FitPredict = Callable[[Exercise], Answer]
"""A baseline: a pure function but for its look at the clock."""


def inner_split(
    exercise: Exercise, share: float, most: int, fold: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Part the training rows into rows to learn from and rows to choose settings on.

    As the study parts its rows: whole groups, or the latest rows, so that a setting is chosen for
    what the baseline is judged on. Rows without either, or of so few groups or moments that
    less than half would be left to learn from, are parted at random, in proportion to classes.
    Each class keeps at least one row to learn from.

    Args:
        exercise: Where the training rows and the seed come from.
        share: Share of the rows to choose on.
        most: At most so many of them.
        fold: Another number gives another split; in time, the window so many before the latest.

    Returns:
        Two int64 arrays of places in ``exercise.train``.
    """
    n = len(exercise.train)
    share = min(share, most / n)
    rng = exercise.generator(f"inner split {fold}")
    tied = _split_of_ties(exercise, round(share * n), fold, rng)
    if tied is None:
        return _split_of_rows(exercise, share, rng)
    learn, judge = tied
    return learn, judge if len(judge) <= most else rng.choice(judge, most, replace=False)


def _split_of_ties(
    exercise: Exercise, wanted: int, fold: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Part by groups or time, about ``wanted`` rows to choose on; None where that cannot be."""
    train, n = exercise.train, len(exercise.train)
    groups, times = (
        None if values is None or np.ptp(values) == 0 else values
        for values in (train.groups, train.times)
    )
    if groups is not None and times is not None:
        times = time_of_groups(groups, times)
    units = groups if times is None else times
    if units is None or not wanted:
        return None
    classes = train.y if exercise.classes else None
    learn, judge = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if times is None:
        judge[sample_groups(units, classes, wanted, rng)] = True
        learn = ~judge
    else:
        window, before = window_before(times, fold * wanted, wanted)
        judge[window] = learn[before] = True
    if classes is not None:  # what holds a class that would be lost is learned from
        lost = np.setdiff1d(classes, classes[learn])
        kept = np.isin(units, units[np.isin(classes, lost)])
        learn, judge = learn | kept, judge & ~kept
    if judge.any() and 2 * np.count_nonzero(learn) >= n:
        return np.flatnonzero(learn), np.flatnonzero(judge)
    return _split_of_ties(exercise, wanted, 0, rng) if fold else None


def _split_of_rows(
    exercise: Exercise, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Part at random, each class in proportion."""
    n = len(exercise.train)
    order = rng.permutation(n)
    if exercise.classes:
        y = exercise.train.y[order]
        grouped = np.argsort(y, kind="stable")  # random within each class
        counts = np.bincount(y, minlength=exercise.classes)
        starts = np.cumsum(counts) - counts
        rank = np.empty(n, dtype=np.int64)
        rank[grouped] = np.arange(n) - starts[y[grouped]]
        chosen = rank < np.minimum(np.round(share * counts), counts - 1)[y]
    else:
        chosen = np.arange(n) < round(share * n)
    return order[~chosen], order[chosen]


def subsample(exercise: Exercise, most: int) -> Exercise:
    """The exercise with at most so many training rows, drawn at random."""
    n = len(exercise.train)
    if n <= most:
        return exercise
    rows = exercise.generator("subsample").choice(n, most, replace=False)
    return replace(exercise, train=exercise.train.take(np.sort(rows)))


def loss(exercise: Exercise, rows: np.ndarray, prediction: np.ndarray) -> float:
    """Mean squared error or log-loss of predictions for some training rows, by weight."""
    y = exercise.train.y[rows]
    if exercise.classes:
        chance = prediction[np.arange(len(y)), y]
        losses = -np.log(np.clip(chance, 1e-15, 1.0))
    else:
        losses = np.square(prediction - y).mean(axis=1)
    w = None if exercise.train.w is None else exercise.train.w[rows]
    return float(np.average(losses, weights=w))


def complete(exercise: Exercise, probabilities: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Probabilities of all classes, when training rows show only some.

    A class that was never seen gets one row's worth of probability (Laplace's rule of
    succession), so that its log-loss is large but finite.

    Args:
        exercise: Names the number of classes and of rows.
        probabilities: float [m, len(present)].
        present: Codes of the classes that were seen, one per column.
    """
    full = np.zeros((len(probabilities), exercise.classes))
    full[:, present] = probabilities
    absent = exercise.classes - len(present)
    if absent:
        chance = 1.0 / (len(exercise.train) + exercise.classes)
        full *= 1.0 - absent * chance
        full[:, np.setdiff1d(np.arange(exercise.classes), present)] = chance
    return full / full.sum(axis=1, keepdims=True)
