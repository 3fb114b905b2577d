"""k nearest neighbours on scaled columns, with a cap on rows that bounds the cost."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from justright.baselines.base import Answer, Exercise, complete, inner_split, loss, subsample
from justright.baselines.features import finite, one_hot

_CHOICES = (1, 2, 3, 5, 10, 20, 40)
_CHOICE_ROWS = 2_000  # rows that k is chosen on (assumption)
# Brute force compares all pairs, 1e8 a second at 26 columns (measured, one core of a 2-core
# server); a tree is slower from a dozen columns on. So rows × rows is capped.
_PAIRS = 3e8
_PAIRS_A_SECOND = 4e7  # what the time limit reckons with: less than half of what was measured
_ROWS = (2_000, 50_000)  # at least and at most so many rows to look among
_LARGEST_CATEGORY = 50  # indicators of larger columns would drown the numbers (assumption)
_CHUNK = 4096


def fit_predict(exercise: Exercise) -> Answer:
    """Average over the k nearest training rows, k and the weighting chosen on an inner split."""
    full = len(exercise.train)
    pairs = min(_PAIRS, 0.6 * exercise.left_s * _PAIRS_A_SECOND)
    most = int(np.clip(pairs / max(len(exercise.x), 1), *_ROWS))
    if exercise.choice:
        (most,) = exercise.choice
    exercise = subsample(exercise, most)
    k, by_distance = _choose(exercise)
    prediction = _predict(exercise, k, by_distance)
    notes = [f"k = {k}, {'weighted by 1/distance' if by_distance else 'equal weights'}"]
    if len(exercise.train) < full:
        notes.append(f"looks among {len(exercise.train):,} of {full:,} rows")
    left_out = sum(size > _LARGEST_CATEGORY for size in exercise.categories)
    if left_out:
        notes.append(f"without {left_out} columns of more than {_LARGEST_CATEGORY} categories")
    return Answer(prediction, tuple(notes), choice=(most,))


def _choose(exercise: Exercise) -> tuple[int, bool]:
    """k, and whether near neighbours count more, with the least loss on held-back rows."""
    learn, judge = inner_split(exercise, 0.25, _CHOICE_ROWS)
    if len(judge) == 0 or len(learn) < 2:
        return 1, False
    inner = exercise.on(exercise.train.take(learn), exercise.train.take(judge))
    possible = [k for k in _CHOICES if k <= len(learn)]
    distances, places = _search(inner, possible[-1])
    losses = {
        (k, near): loss(exercise, judge, _vote(inner, distances[:, :k], places[:, :k], near))
        for k in possible
        for near in (False, True)
    }
    return min(losses, key=lambda choice: losses[choice])


def _predict(exercise: Exercise, k: int, by_distance: bool) -> np.ndarray:
    distances, places = _search(exercise, min(k, len(exercise.train)))
    return _vote(exercise, distances, places, by_distance)


def _search(exercise: Exercise, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and places in the training rows [m, k] of the nearest, nearest first."""
    tree = NearestNeighbors(n_neighbors=k, algorithm="brute")
    tree.fit(_design(exercise.train.x, exercise.train.c, exercise.categories))
    found = [
        tree.kneighbors(
            _design(
                exercise.x[start : start + _CHUNK],
                exercise.c[start : start + _CHUNK],
                exercise.categories,
            )
        )
        for start in range(0, len(exercise.x), _CHUNK)
    ]
    if not found:
        return np.zeros((0, k)), np.zeros((0, k), dtype=np.int64)
    return np.concatenate([d for d, _ in found]), np.concatenate([p for _, p in found])


def _design(x: np.ndarray, c: np.ndarray, categories: tuple[int, ...]) -> np.ndarray:
    """Float32 [n, ·]: two different categories are one apart, as two scaled numbers may be."""
    indicators = np.sqrt(0.5) * one_hot(c, categories, _LARGEST_CATEGORY).toarray()
    return np.hstack([finite(x), indicators]).astype(np.float32)


def _vote(
    exercise: Exercise, distances: np.ndarray, places: np.ndarray, by_distance: bool
) -> np.ndarray:
    """Weighted mean of the neighbours' values, or their votes with one vote for the prior.

    The prior's vote keeps probabilities off 0 and 1, where log-loss is infinite.
    """
    train = exercise.train
    weights = 1.0 / np.maximum(distances, 1e-6) if by_distance else np.ones_like(distances)
    weights = weights / weights.max(axis=1, keepdims=True)
    if train.w is not None:
        weights = weights * (train.w / train.w.mean(dtype=np.float64))[places]
    if not exercise.classes:
        weights = weights / weights.sum(axis=1, keepdims=True)
        return np.einsum("mk,mkt->mt", weights, train.y[places].astype(np.float64))
    counts = np.bincount(train.y, weights=train.w, minlength=exercise.classes)
    present = np.flatnonzero(counts)
    prior = counts / counts.sum()
    votes = np.tile(prior, (len(places), 1))
    for column in range(places.shape[1]):
        votes[np.arange(len(places)), train.y[places[:, column]]] += weights[:, column]
    shares = votes / votes.sum(axis=1, keepdims=True)
    return complete(exercise, shares[:, present], present)
