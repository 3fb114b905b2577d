"""Split-conformal prediction: intervals and sets that hold a wanted share of new targets.

The errors on rows that a network did not learn from say how far it is off on new ones: of n such
errors and a new one each is equally likely to be the k-th largest, so the new one is at most the
⌈(n + 1) · level⌉-th smallest with at least that probability, whatever the network and the
distribution are, as long as the rows are exchangeable (Vovk, Gammerman & Shafer 2005; Lei,
G'Sell, Rinaldo, Tibshirani & Wasserman 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from justright.statistics.intervals import Interval, Sample, score_interval
from justright.statistics.metrics import metric_named
from justright.statistics.terms import columns

MOST, TAIL = 2_000, 200
"""Errors that are kept, and how many of the largest are kept one by one (assumption: between the
others a level is missed by less than 1 / (MOST - TAIL), always to the safe side)."""


@dataclass(frozen=True)
class Errors:
    """Errors on rows held out, sorted.

    Attributes:
        values: float64 [m, T], rising in each column; the last is infinite: of the new row.
        ranks: int64 [m], places of `values` among all, from 1; the last is n + 1.
    """

    values: np.ndarray
    ranks: np.ndarray


def errors_of(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """How far predictions are off, float64 [n, T].

    Of values the absolute residual (Lei et al. 2018). Of probabilities 1 minus the true class's:
    the sets are then the smallest on average (Sadinle, Lei & Wasserman 2019), but rows that are
    hard are covered less often than easy ones.

    Args:
        y: float64 [n, T], or class codes int64 [n].
        prediction: Values [n, T] or probabilities [n, classes].
    """
    if np.issubdtype(y.dtype, np.integer):
        return 1 - prediction[np.arange(len(y)), y][:, None]
    return np.abs(columns(prediction) - columns(y))


def sorted_errors(errors: np.ndarray) -> Errors:
    """Sort the errors of each target, and thin them out to `MOST`.

    Args:
        errors: float64 [n, T].

    >>> found = sorted_errors(np.array([[0.3], [0.1], [0.2]]))
    >>> found.values[:, 0].tolist(), found.ranks.tolist()
    ([0.1, 0.2, 0.3, inf], [1, 2, 3, 4])
    """
    rows = len(errors)
    ranks = np.arange(1, rows + 1)
    if rows > MOST:
        spread = np.linspace(1, rows - TAIL, MOST - TAIL).round().astype(np.int64)
        ranks = np.concatenate([spread, ranks[-TAIL:]])
    ordered = np.sort(errors, axis=0)[ranks - 1]
    last = np.full((1, errors.shape[1]), np.inf)
    return Errors(np.concatenate([ordered, last]), np.append(ranks, rows + 1))


def covered(y: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Which targets an interval or a set holds: bool [n, T].

    Args:
        y: float64 [n, T], or class codes int64 [n].
        found: Ends [2, n, T], or which classes [n, classes].
    """
    if found.dtype == bool:
        return found[np.arange(len(y)), y][:, None]
    target = columns(y)
    return (found[0] <= target) & (target <= found[1])


def coverage(inside: np.ndarray, sample: Sample, seed: int = 0) -> Interval:
    """The share of rows that are covered, with its 95% interval; row weights do not count.

    Args:
        inside: Which are, bool [n].
        sample: The rows, with their groups and times.
        seed: Of the bootstrap.
    """
    ones = Sample(np.ones(len(inside), np.int64), None, sample.groups, sample.times)
    hit = inside.astype(np.float64)
    return score_interval(
        metric_named("accuracy"), ones, np.stack([1.0 - hit, hit], axis=1), seed=seed
    )
