"""Ridge regression (Hoerl & Kennard 1970), its penalty by generalised cross-validation.

That takes rows for independent of each other, so with groups or times the penalty is chosen on an
inner split that heeds them. Everything comes from the Gram matrix, which is summed over chunks of
rows: memory is bounded, and all penalties of all outputs cost one eigendecomposition.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from justright.baselines.base import Answer, Exercise, Sample, inner_split, subsample
from justright.baselines.features import finite, one_hot

# A column of categories with more codes is left out: its indicators would be rarer than one row
# in a thousand, and the eigendecomposition grows with their cube. Assumption.
_LARGEST_CATEGORY = 800
_OPERATIONS = 6e10  # cap on rows × columns²: about 3 s on one core (measured, 2-core server)
_PENALTIES = np.logspace(-6, 2, 25)  # per row, for inputs of the order of one (assumption)
_MOST_FREEDOM = 0.95  # share of the rows that may be spent on coefficients (assumption)
_CHOICE_SHARE = 0.25  # of the rows that the penalty is chosen on, where rows are tied (assumption)
_CHUNK = 8192


@dataclass(frozen=True)
class _Sums:
    """Weighted sums over rows: design², design × y, y², and of the weights (mean 1)."""

    gram: np.ndarray
    moment: np.ndarray
    square: np.ndarray
    total: float

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.gram + other.gram,
            self.moment + other.moment,
            self.square + other.square,
            self.total + other.total,
        )

    def errors(self, coefficients: np.ndarray) -> np.ndarray:
        """Summed squared errors [T] of coefficients [columns, T] on these rows."""
        fitted = self.gram @ coefficients - 2 * self.moment
        return self.square + (coefficients * fitted).sum(axis=0)


@dataclass(frozen=True)
class _Path:
    """Ridge regression for any penalty, from one eigendecomposition.

    The intercept is taken out first (centring), so it is not penalised.
    """

    mean: np.ndarray
    y_mean: np.ndarray
    spread: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    rotated: np.ndarray
    total: float

    @staticmethod
    def of(sums: _Sums) -> _Path:
        mean, y_mean = sums.gram[0] / sums.total, sums.moment[0] / sums.total
        centred = sums.gram[1:, 1:] - sums.total * np.outer(mean[1:], mean[1:])
        values, vectors = np.linalg.eigh(centred)
        return _Path(
            mean=mean[1:],
            y_mean=y_mean,
            spread=sums.square - sums.total * np.square(y_mean),
            values=np.maximum(values, 0.0),
            vectors=vectors,
            rotated=vectors.T @ (sums.moment[1:] - sums.total * np.outer(mean[1:], y_mean)),
            total=sums.total,
        )

    def coefficients(self, penalties: np.ndarray) -> np.ndarray:
        """Coefficients [columns, T], a penalty for each output [T] or one for all."""
        slopes = self.vectors @ (self.rotated / (self.values[:, None] + self.total * penalties))
        return np.vstack([self.y_mean - self.mean @ slopes, slopes])

    def scores(self) -> np.ndarray:
        """GCV(λ) = RSS / n / (1 - freedom / n)², [penalties, T] (Golub, Heath & Wahba 1979)."""
        shrunk = 1.0 / (self.values + self.total * _PENALTIES[:, None])  # [penalties, columns]
        curve = 2 * shrunk - self.values * shrunk**2
        explained = np.einsum("pc,ct->pt", curve, self.rotated**2)
        freedom = (1.0 + (self.values * shrunk).sum(axis=1)) / self.total
        residual = np.maximum(self.spread - explained, 1e-12 * self.total)
        score = residual / self.total / np.square(1.0 - np.minimum(freedom, 0.999))[:, None]
        score[freedom > max(_MOST_FREEDOM, freedom.min())] = np.inf
        return score


def fit_predict(exercise: Exercise) -> Answer:
    """Fit on standardised targets; each output has a penalty of its own."""
    width = _design(exercise.train.take(np.arange(1)), exercise.categories).shape[1]
    full = len(exercise.train)
    exercise = subsample(exercise, max(int(_OPERATIONS / width**2), 2 * width))
    path, penalties = _fit(exercise)
    coefficients = path.coefficients(penalties)
    prediction = np.concatenate(
        [
            _design(chunk, exercise.categories) @ coefficients
            for chunk in _chunks(Sample(exercise.x, exercise.c, np.zeros(len(exercise.x))))
        ]
        or [np.zeros((0, coefficients.shape[1]))]
    )
    notes = [f"penalty {', '.join(f'{p:.2g}' for p in penalties)} per row"]
    if len(exercise.train) < full:
        notes.append(f"fitted on {len(exercise.train):,} of {full:,} rows")
    left_out = sum(size > _LARGEST_CATEGORY for size in exercise.categories)
    if left_out:
        notes.append(f"without {left_out} columns of more than {_LARGEST_CATEGORY} categories")
    return Answer(prediction, tuple(notes))


def _design(rows: Sample, categories: tuple[int, ...]) -> np.ndarray:
    """Float64 [n, 1 + F + indicators]; the first column is the intercept."""
    indicators = one_hot(rows.c, categories, _LARGEST_CATEGORY).toarray()
    return np.hstack([np.ones((len(rows), 1)), finite(rows.x), indicators])


def _chunks(rows: Sample) -> Iterator[Sample]:
    for start in range(0, len(rows), _CHUNK):
        yield rows.take(np.arange(start, min(start + _CHUNK, len(rows))))


def _fit(exercise: Exercise) -> tuple[_Path, np.ndarray]:
    """The path of all rows, and the best penalty of each output [T]."""
    train, n = exercise.train, len(exercise.train)
    mean = 1.0 if train.w is None else float(train.w.mean(dtype=np.float64))
    if train.tied:
        learn, judge = inner_split(exercise, _CHOICE_SHARE, n)
        if len(judge):
            held_back = _sums(train.take(judge), exercise.categories, mean)
            known = _sums(train.take(learn), exercise.categories, mean)
            inner = _Path.of(known)
            losses = [held_back.errors(inner.coefficients(one)) for one in _PENALTIES]
            return _Path.of(known + held_back), _PENALTIES[np.argmin(losses, axis=0)]
    path = _Path.of(_sums(train, exercise.categories, mean))
    return path, _PENALTIES[path.scores().argmin(axis=0)]


def _sums(rows: Sample, categories: tuple[int, ...], mean: float) -> _Sums:
    """Sums over rows, their weights divided by `mean`."""

    def of(chunk: Sample) -> _Sums:
        design, y = _design(chunk, categories), chunk.y.astype(np.float64)
        total = float(len(chunk))
        if chunk.w is not None:
            w = chunk.w.astype(np.float64) / mean
            root, total = np.sqrt(w)[:, None], float(w.sum())
            design, y = design * root, y * root
        return _Sums(design.T @ design, design.T @ y, np.square(y).sum(axis=0), total)

    return reduce(operator.add, map(of, _chunks(rows)))
