"""Encoded rows as the matrices that linear models, neighbours and trees want."""

from __future__ import annotations

import numpy as np
from scipy import sparse

LARGEST = 1e6
"""Encoded inputs are of the order of one; what is larger is an accident (assumption)."""


def finite(x: np.ndarray) -> np.ndarray:
    """A float32 copy without NaN (0, the middle of scaled columns) and without infinities."""
    return np.clip(np.nan_to_num(x, nan=0.0, posinf=LARGEST, neginf=-LARGEST), -LARGEST, LARGEST)


def one_hot(c: np.ndarray, categories: tuple[int, ...], largest: int) -> sparse.csr_matrix:
    """Indicators [n, ·] of the codes above 0 of all columns with at most ``largest`` codes.

    >>> one_hot(np.array([[1], [2], [0]]), (3,), 9).toarray().tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    blocks = [
        _indicators(c[:, column], size)
        for column, size in enumerate(categories)
        if size <= largest
    ]
    if not blocks:
        return sparse.csr_matrix((len(c), 0))
    return sparse.csr_matrix(sparse.hstack(blocks))


def _indicators(codes: np.ndarray, size: int) -> sparse.csr_matrix:
    rows = np.flatnonzero((codes > 0) & (codes < size))
    ones = np.ones(len(rows))
    return sparse.csr_matrix((ones, (rows, codes[rows] - 1)), shape=(len(codes), size - 1))


def by_frequency(codes: np.ndarray, train_codes: np.ndarray, size: int, most: int) -> np.ndarray:
    """Codes renumbered by frequency in the training rows, the rarest sharing the last number.

    Args:
        codes: int [m], to be renumbered.
        train_codes: int [n], where frequencies come from.
        size: Number of codes.
        most: How many numbers there may be.
    """
    if size <= most:
        return codes
    frequency = np.bincount(train_codes, minlength=size)
    rank = np.empty(size, dtype=np.int64)
    rank[np.argsort(-frequency, kind="stable")] = np.arange(size)
    return np.minimum(rank, most - 1)[codes]
