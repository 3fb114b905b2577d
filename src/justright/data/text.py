"""Text columns: hashed character n-grams, reduced to a few components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from justright.deploy.network import ngram_counts, term_weights

BUCKETS = 4_096
"""Hash buckets. Assumption: texts of a table column share a few thousand frequent n-grams."""

TEXTS = 10_000
"""Texts that the components are learned from: 160 MB at most. Assumption."""

OVERSAMPLING, ITERATIONS = 10, 2
"""Published: Halko, Martinsson & Tropp (2011), sections 4.2 and 4.5."""

Floats = npt.NDArray[np.float32]


def learn_components(texts: Sequence[str], components: int) -> tuple[Floats, Floats]:
    """Learn what `deploy.network.text_components` applies: latent semantic analysis.

    Deerwester et al. (1990) on hashed character n-grams (Weinberger et al. 2009), by a randomised
    singular value decomposition.

    Args:
        texts: Training texts; at most `TEXTS`, evenly taken, are looked at.
        components: Components wanted; those that the texts cannot fill are zero.

    Returns:
        Inverse document frequencies [BUCKETS], and the projection [BUCKETS, components].
    """
    if not texts:
        return np.ones(BUCKETS, np.float32), np.zeros((BUCKETS, components), np.float32)
    chosen = [texts[place] for place in _evenly(len(texts))]
    present = np.zeros(BUCKETS)
    for start in range(0, len(chosen), 256):
        present += (ngram_counts(chosen[start : start + 256], BUCKETS) > 0).sum(axis=0)
    # smoothed as if one more text held every n-gram (scikit-learn's TfidfTransformer)
    idf = (np.log((1 + len(chosen)) / (1 + present)) + 1).astype(np.float32)
    weights = np.empty((len(chosen), BUCKETS), np.float32)  # filled in place: it is held once
    for start in range(0, len(chosen), 256):
        weights[start : start + 256] = term_weights(chosen[start : start + 256], idf)
    return idf, _main_directions(weights, components)


def _evenly(count: int) -> list[int]:
    if count <= TEXTS:
        return list(range(count))
    return np.linspace(0, count - 1, TEXTS).round().astype(int).tolist()


def _main_directions(matrix: Floats, count: int) -> Floats:
    """The right singular vectors of the largest singular values, [columns, count]."""
    width = min(count + OVERSAMPLING, *matrix.shape)
    start = np.random.default_rng(0).standard_normal((matrix.shape[1], width))
    basis = np.linalg.qr(matrix @ start.astype(np.float32))[0]
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(matrix.T @ basis)[0]
        basis = np.linalg.qr(matrix @ basis)[0]
    _, size, directions = np.linalg.svd(basis.T @ matrix, full_matrices=False)
    found = directions[: min(count, int((size > 1e-4 * size[0]).sum()))].T
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=0)[None], axis=0)
    result = np.zeros((matrix.shape[1], count), np.float32)
    result[:, : found.shape[1]] = found * np.sign(largest)  # signs are otherwise arbitrary
    return result
