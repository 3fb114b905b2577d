"""What both boosting methods share: choose leaves and trees on held-back rows, then use all rows.

The number of trees is found by early stopping on rows that were held back, for one or a few sizes
of tree; then a model with the chosen size and number learns from all training rows. The clock is
asked before anything starts: a few trees are timed, and rate and cap follow from that. What was
chosen is part of the answer, so that a repetition gets equal trees without a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from justright.baselines import constant
from justright.baselines.base import Answer, Exercise, complete, inner_split
from justright.baselines.features import by_frequency, finite


@dataclass(frozen=True)
class Setting:
    """A size of tree.

    Attributes:
        leaves: At most so many leaves.
        least: At least so many rows a leaf.
    """

    leaves: int
    least: int


# In the order in which they are tried, while time allows. The first is the default of LightGBM
# and of scikit-learn, the second suits few rows, the third many. Assumption.
SETTINGS = (Setting(31, 20), Setting(8, 10), Setting(127, 20))
_MANY_ROWS = 10_000  # from here on large trees are tried before small ones (assumption)

# Trees × learning rate of a boosting that has converged is about constant: 100 trees at 0.1 are
# few, 300 are usual (assumption). So with less time the rate rises, and trees are not missed.
_PATH_LENGTH = 20.0
# Below 0.05 little is gained, above 0.2 it hurts; with many classes 0.3 diverged (measured).
_RATES = (0.05, 0.2)
_MOST_TREES = 1500
_ENOUGH_TREES = 300
_FIRST_SHARE = 0.35  # of the time, for the first setting: the last model costs as much again
_FEWEST_ROWS = 5  # below it no tree can split
_PILOT_TREES = (1, 6)
_HELD_BACK_ROWS = 20_000
_CHOSEN = 4  # whole numbers of a choice: setting, cap of trees (and so the rate), trees, refitted


@dataclass(frozen=True)
class Grown:
    """A fitted model.

    Attributes:
        loss: Least loss on the held-back rows; nan without them.
        trees: Number of trees at which it was least; all of them without such rows.
        stopped: Whether it stopped by itself before the cap.
        predict: Design [m, ·] to values [m] or probabilities [m, classes in training rows].
    """

    loss: float
    trees: int
    stopped: bool
    predict: Callable[[np.ndarray], np.ndarray]


class Method(Protocol):
    """A library that grows trees."""

    most_categories: int

    def grow(
        self,
        learn: Table,
        judge: Table | None,
        setting: Setting,
        rate: float,
        trees: int,
        seed: int,
    ) -> Grown:
        """Grow at most so many trees, fewer if the loss on ``judge`` stops falling."""
        ...


@dataclass(frozen=True)
class Table:
    """Rows as trees want them.

    Attributes:
        design: float32 [n, F + C], finite.
        y: float [n] values, or int64 [n] class codes.
        w: float [n] weights, or None.
        categories: Places of the columns that hold codes.
        classes: Number of classes; 0 for regression.
    """

    design: np.ndarray
    y: np.ndarray
    w: np.ndarray | None
    categories: tuple[int, ...]
    classes: int

    def take(self, rows: np.ndarray) -> Table:
        """Some of the rows."""
        w = None if self.w is None else self.w[rows]
        return replace(self, design=self.design[rows], y=self.y[rows], w=w)


def fit_predict(exercise: Exercise, method: Method) -> Answer:
    """Boosting with early stopping; one model per target column."""
    if len(exercise.train) < _FEWEST_ROWS:
        return replace(constant.fit_predict(exercise), notes=("too few rows for a tree",))
    design, test = _designs(exercise, method.most_categories)
    places = tuple(range(exercise.train.x.shape[1], design.shape[1]))
    train, y = exercise.train, exercise.train.y
    if exercise.classes:
        present = np.unique(y)
        if len(present) == 1:
            ones = np.ones((len(test), 1))
            return Answer(complete(exercise, ones, present), ("only one class to learn from",))
        table = Table(design, y, train.w, places, exercise.classes)
        shares, notes, hurried, choice = _fit(exercise, table, test, method, exercise.deadline)
        return Answer(complete(exercise, shares, present), notes, hurried, choice)
    columns, all_notes, any_hurried, choices = [], [], False, ()
    for output in range(y.shape[1]):
        end = time.monotonic() + exercise.left_s / (y.shape[1] - output)
        table = Table(design, y[:, output].astype(np.float64), train.w, places, 0)
        own = replace(exercise, choice=exercise.choice[output * _CHOSEN : (output + 1) * _CHOSEN])
        values, notes, hurried, choice = _fit(own, table, test, method, end)
        choices += choice
        columns.append(values)
        all_notes += [note for note in notes if note not in all_notes]
        any_hurried |= hurried
    return Answer(np.stack(columns, axis=1), tuple(all_notes), any_hurried, choices)


def _designs(exercise: Exercise, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows [·, F + C]; codes renumbered where there are too many."""

    def build(x: np.ndarray, c: np.ndarray) -> np.ndarray:
        codes = [
            by_frequency(c[:, k], exercise.train.c[:, k], size, most)[:, None]
            for k, size in enumerate(exercise.categories)
        ]
        return np.hstack([finite(x), *codes]).astype(np.float32)

    return build(exercise.train.x, exercise.train.c), build(exercise.x, exercise.c)


def _fit(
    exercise: Exercise, table: Table, test: np.ndarray, method: Method, end: float
) -> tuple[np.ndarray, tuple[str, ...], bool, tuple[int, ...]]:
    """Choose, refit, predict: predictions, notes, whether the time was too short, the choice."""
    n = len(table.y)
    folds = 5 if n < 1_500 else 3 if n < 5_000 else 1
    if exercise.train.times is not None:
        folds = min(folds, 3)  # three windows leave half of the rows before the earliest
    splits = [inner_split(exercise, 0.15, _HELD_BACK_ROWS, fold) for fold in range(folds)]
    splits = [split for split in splits if len(split[1])]
    if not splits:
        grown = method.grow(table, None, SETTINGS[1], 0.1, 20, exercise.seed)
        return _predicted(grown, test), ("too few rows to choose the number of trees",), False, ()
    if exercise.choice:
        return _repeated(exercise, table, test, method, splits[0])
    best = _choose(exercise, table, splits, method, end)
    notes = [f"{best.trees} trees of {best.setting.leaves} leaves at rate {best.pace.rate:.2g}"]
    if not best.stopped:
        notes.append("the time limit ended the growing")
    in_time = time.monotonic() + 1.3 * best.seconds < end
    if in_time:
        model = method.grow(table, None, best.setting, best.pace.rate, best.trees, exercise.seed)
    else:
        model = best.model
        notes.append("no time to learn from the rows that were held back")
    choice = (SETTINGS.index(best.setting), best.pace.trees, best.trees, int(in_time))
    return _predicted(model, test), tuple(notes), not (best.stopped and in_time), choice


def _repeated(
    exercise: Exercise,
    table: Table,
    test: np.ndarray,
    method: Method,
    split: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, tuple[str, ...], bool, tuple[int, ...]]:
    """What `_fit` ended with when it made that choice."""
    place, cap, trees, refitted = exercise.choice
    setting, rate = SETTINGS[place], _Pace.of(cap).rate
    if refitted:
        model = method.grow(table, None, setting, rate, trees, exercise.seed)
    else:
        learn, judge = table.take(split[0]), table.take(split[1])
        model = method.grow(learn, judge, setting, rate, cap, exercise.seed)
    note = f"{trees} trees of {setting.leaves} leaves at rate {rate:.2g}, as chosen before"
    return _predicted(model, test), (note,), not refitted, exercise.choice


def _predicted(model: Grown, test: np.ndarray) -> np.ndarray:
    """Predictions of `test`, also when it has no rows."""
    if len(test):
        return model.predict(test)
    return model.predict(np.zeros((1, test.shape[1]), dtype=test.dtype))[:0]


def _affordable(
    exercise: Exercise,
    table: Table,
    split: tuple[np.ndarray, np.ndarray],
    method: Method,
    end: float,
) -> float:
    """Number of trees that the first setting's share of the time allows, from timing a few."""
    learn, judge = table.take(split[0]), table.take(split[1])
    seconds: list[float] = []
    for trees in _PILOT_TREES:
        start = time.monotonic()
        method.grow(learn, judge, SETTINGS[0], 0.1, trees, exercise.seed)
        seconds.append(time.monotonic() - start)
    few, more = _PILOT_TREES
    per_tree = max((seconds[1] - seconds[0]) / (more - few), 0.2 * seconds[1] / more)
    fixed = max(seconds[1] - more * per_tree, 0.0)
    return (_FIRST_SHARE * max(end - time.monotonic(), 0.0) - fixed) / per_tree


@dataclass(frozen=True)
class _Pace:
    """Learning rate and the largest number of trees."""

    rate: float
    trees: int

    @staticmethod
    def of(affordable: float) -> _Pace:
        trees = int(np.clip(affordable, 8, _MOST_TREES))
        return _Pace(float(np.clip(_PATH_LENGTH / trees, *_RATES)), trees)


@dataclass(frozen=True)
class _Tried:
    """A setting on all inner splits: mean loss and trees, seconds a model, the first model."""

    setting: Setting
    pace: _Pace
    loss: float
    trees: int
    stopped: bool
    seconds: float
    model: Grown


def _choose(
    exercise: Exercise,
    table: Table,
    splits: list[tuple[np.ndarray, np.ndarray]],
    method: Method,
    end: float,
) -> _Tried:
    """The best setting of those that the time allows to try, besides the final model."""
    order = SETTINGS if len(table.y) < _MANY_ROWS else (SETTINGS[0], SETTINGS[2], SETTINGS[1])
    affordable = _affordable(exercise, table, splits[0], method, end)
    # More splits make a better choice, but only after there are enough trees on the first.
    splits = splits[: max(int(affordable / _ENOUGH_TREES), 1)]
    pace = _Pace.of(affordable / len(splits))
    tried: list[_Tried] = []
    for setting in order:
        spent = max((each.seconds * len(splits) for each in tried), default=0.0)
        if tried and time.monotonic() + 2.5 * spent > end:
            break
        this = _try(exercise, table, splits, method, setting, pace)
        left = _FIRST_SHARE * (end - time.monotonic()) / len(splits)
        if not this.stopped and left > 2 * this.seconds:  # the pilot was too careful: once more
            pace = _Pace.of(left / this.seconds * pace.trees)
            this = _try(exercise, table, splits, method, setting, pace)
        tried.append(this)
    return min(tried, key=lambda each: each.loss)


def _try(
    exercise: Exercise,
    table: Table,
    splits: list[tuple[np.ndarray, np.ndarray]],
    method: Method,
    setting: Setting,
    pace: _Pace,
) -> _Tried:
    start = time.monotonic()
    models = [
        method.grow(
            table.take(learn), table.take(judge), setting, pace.rate, pace.trees, exercise.seed
        )
        for learn, judge in splits
    ]
    return _Tried(
        setting=setting,
        pace=pace,
        loss=float(np.mean([model.loss for model in models])),
        trees=max(round(float(np.mean([model.trees for model in models]))), 1),
        stopped=all(model.stopped for model in models),
        seconds=(time.monotonic() - start) / len(models),
        model=models[0],
    )
