"""How well one column alone predicts the target, on rows it was not fitted on."""

from __future__ import annotations

import numpy as np

_BINS, _ROWS_PER_BIN = 256, 20
"""Most quantile bins of a number, and fewest rows in one. Assumptions."""

_PRIOR_ROWS = 1.0
"""Rows with the overall mean added to each bin. Assumption: enough against bins of one row."""


def binned(values: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Bin of each value, int64 [n]; the last bin holds missing and unseen ones.

    Args:
        values: Float64 with NaN (quantile bins of the rows in `fit`), or codes with -1.
        fit: Bool [n], the rows that decide the bins.
    """
    if values.dtype.kind != "f":
        codes = values.astype(np.int64)
        return np.where(codes < 0, codes.max() + 1, codes)
    known = ~np.isnan(values)
    pool = values[fit & known]
    if not len(pool):
        return np.zeros(len(values), dtype=np.int64)
    count = int(np.clip(len(pool) // _ROWS_PER_BIN, 2, _BINS))
    distinct = np.unique(pool)
    if len(distinct) <= count:  # every value its own bin, with borders half-way
        edges = 0.5 * (distinct[1:] + distinct[:-1])
    else:
        edges = np.unique(np.quantile(pool, np.linspace(0, 1, count + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="right")
    return np.where(known, bins, len(edges) + 1)


def explained(bins: np.ndarray, y: np.ndarray, fit: np.ndarray) -> float:
    """R² on the rows outside `fit` of the mean target of each bin; nan for a constant target.

    Args:
        bins: Int64 [n].
        y: Float64 [n].
        fit: Bool [n].
    """
    means = _bin_means(bins[fit], y[fit, None], int(bins.max()) + 1)[:, 0]
    error = np.square(y[~fit] - means[bins[~fit]]).sum()
    spread = np.square(y[~fit] - y[~fit].mean()).sum() if (~fit).any() else 0.0
    return float(1.0 - error / spread) if spread > 0 else float("nan")


def separation(bins: np.ndarray, y: np.ndarray, fit: np.ndarray, classes: int) -> float:
    """Area under the ROC curve outside `fit` of the class shares of each bin.

    For more than two classes the mean of each against the rest (Provost & Domingos 2003), over
    classes that occur there; nan when only one does.

    Args:
        bins: Int64 [n].
        y: Class codes [n].
        fit: Bool [n].
        classes: Number of classes.
    """
    size = int(bins.max()) + 1
    one_hot = np.eye(classes)[y[fit]]
    shares = _bin_means(bins[fit], one_hot, size)
    counts = np.bincount(bins[~fit] * classes + y[~fit], minlength=size * classes)
    counts = counts.reshape(size, classes).astype(np.float64)
    total = counts.sum(axis=1)
    areas = [_area(shares[:, k], counts[:, k], total - counts[:, k]) for k in range(classes)]
    if classes == 2:
        return areas[1]
    known = [area for area in areas if area == area]
    return float(np.mean(known)) if known else float("nan")


def _bin_means(bins: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """Mean of `y` [n, k] in each bin, drawn a little to the overall one: [size, k]."""
    overall = y.mean(axis=0)
    count = np.bincount(bins, minlength=size)[:, None]
    sums = np.stack([np.bincount(bins, column, size) for column in y.T], axis=1)
    return (sums + _PRIOR_ROWS * overall) / (count + _PRIOR_ROWS)


def _area(score: np.ndarray, hits: np.ndarray, misses: np.ndarray) -> float:
    """Area under the ROC curve of bins with so many hits and misses each; ties count half."""
    if hits.sum() == 0 or misses.sum() == 0:
        return float("nan")
    _, rank = np.unique(score, return_inverse=True)
    up = np.bincount(rank, hits)
    down = np.bincount(rank, misses)
    below = np.cumsum(down) - 0.5 * down
    return float((up * below).sum() / (up.sum() * down.sum()))
