"""Ridge regression (Hoerl & Kennard 1970), its penalty by generalised cross-validation.

Everything comes from the Gram matrix, which is summed over chunks of rows: memory is bounded, and
all penalties of all outputs cost one eigendecomposition.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from justright.baselines.base import Answer, Exercise, Sample, subsample
from justright.baselines.features import finite, one_hot

# A column of categories with more codes is left out: its indicators would be rarer than one row
# in a thousand, and the eigendecomposition grows with their cube. Assumption.
_LARGEST_CATEGORY = 800
_OPERATIONS = 6e10  # cap on rows × columns²: about 3 s on one core (measured, 2-core server)
_PENALTIES = np.logspace(-6, 2, 25)  # per row, for inputs of the order of one (assumption)
_MOST_FREEDOM = 0.95  # share of the rows that may be spent on coefficients (assumption)
_CHUNK = 8192


def fit_predict(exercise: Exercise) -> Answer:
    """Fit on standardised targets; each output has a penalty of its own."""
    width = _design(exercise.train.take(np.arange(1)), exercise.categories).shape[1]
    full = len(exercise.train)
    exercise = subsample(exercise, max(int(_OPERATIONS / width**2), 2 * width))
    gram, moment, square, total = _sums(exercise)
    coefficients, penalties = _solve(gram, moment, square, total)
    prediction = np.concatenate(
        [
            _design(chunk, exercise.categories) @ coefficients
            for chunk in _chunks(Sample(exercise.x, exercise.c, np.zeros(len(exercise.x))))
        ]
        or [np.zeros((0, moment.shape[1]))]
    )
    capped = len(exercise.train) < full
    notes = [f"penalty {', '.join(f'{p:.2g}' for p in penalties)} per row"]
    if capped:
        notes.append(f"fitted on {len(exercise.train):,} of {full:,} rows")
    left_out = sum(size > _LARGEST_CATEGORY for size in exercise.categories)
    if left_out:
        notes.append(f"without {left_out} columns of more than {_LARGEST_CATEGORY} categories")
    return Answer(prediction, tuple(notes), capped)


def _design(rows: Sample, categories: tuple[int, ...]) -> np.ndarray:
    """Float64 [n, 1 + F + indicators]; the first column is the intercept."""
    indicators = one_hot(rows.c, categories, _LARGEST_CATEGORY).toarray()
    return np.hstack([np.ones((len(rows), 1)), finite(rows.x), indicators])


def _chunks(rows: Sample) -> Iterator[Sample]:
    for start in range(0, len(rows), _CHUNK):
        yield rows.take(np.arange(start, min(start + _CHUNK, len(rows))))


def _sums(exercise: Exercise) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Weighted sums over rows: design², design × y, y², and of the weights (mean 1)."""
    w = exercise.train.w
    mean = 1.0 if w is None else float(w.mean(dtype=np.float64))
    gram = moment = square = 0.0
    for chunk in _chunks(exercise.train):
        design, y = _design(chunk, exercise.categories), chunk.y.astype(np.float64)
        if chunk.w is not None:
            root = np.sqrt(chunk.w.astype(np.float64) / mean)[:, None]
            design, y = design * root, y * root
        gram = gram + design.T @ design
        moment = moment + design.T @ y
        square = square + np.square(y).sum(axis=0)
    return np.asarray(gram), np.asarray(moment), np.asarray(square), float(len(exercise.train))


def _solve(
    gram: np.ndarray, moment: np.ndarray, square: np.ndarray, total: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients [columns, T] and penalties [T] with the least GCV score.

    GCV(λ) = RSS / n / (1 - freedom / n)² (Golub, Heath & Wahba 1979). The intercept is taken out
    first (centring), so it is not penalised.
    """
    mean = gram[0] / total
    centred = gram[1:, 1:] - total * np.outer(mean[1:], mean[1:])
    y_mean = moment[0] / total
    cross = moment[1:] - total * np.outer(mean[1:], y_mean)
    spread = square - total * np.square(y_mean)
    values, vectors = np.linalg.eigh(centred)
    values = np.maximum(values, 0.0)
    rotated = vectors.T @ cross
    shrunk = 1.0 / (values + total * _PENALTIES[:, None])  # [penalties, columns]
    explained = np.einsum("pc,ct->pt", 2 * shrunk - values * shrunk**2, rotated**2)
    freedom = 1.0 + (values * shrunk).sum(axis=1)
    residual = np.maximum(spread - explained, 1e-12 * total)
    score = residual / total / np.square(1.0 - np.minimum(freedom / total, 0.999))[:, None]
    score[freedom > max(_MOST_FREEDOM * total, freedom.min())] = np.inf
    best = score.argmin(axis=0)
    slopes = vectors @ (shrunk[best].T * rotated)
    return np.vstack([y_mean - mean[1:] @ slopes, slopes]), _PENALTIES[best]
