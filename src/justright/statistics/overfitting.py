"""Able to overfit: the sign that a network is large, and trained long, enough.

A gap between training and validation loss alone is no such sign: nearly all tuned networks for
tables have one. A network is able to overfit if it learns its training rows better than anything
predicts rows that it has not seen, and its own validation loss has stopped falling (a model that
can overfit comes first, less overfitting after it: Karpathy 2019; limits: assumption).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SURE_SE = 2.0
"""So many standard errors a training loss has to lie below the best validation loss
(assumption: the usual two)."""

LATE = 1 / 3
"""A validation loss is asked from this share of a run on whether it still falls (assumption)."""

NEAR = 0.03
"""Steps are rounded, so a point of a curve may lie this share beside the one that is meant."""


def learns_by_heart(best: np.ndarray, train: np.ndarray, overlap: float) -> np.ndarray:
    """Whether training losses lie surely below the best validation loss, bool ``[runs]``.

    Args:
        best: Best validation loss of anything on each block, ``[blocks]``, at least two.
        train: Training losses ``[runs, blocks]``; their noise is pooled.
        overlap: Validation rows over training rows (Nadeau & Bengio 2003).
    """
    ahead = best - train
    noise = float(ahead.var(axis=1, ddof=1).mean())
    se = np.sqrt(noise * (1 / ahead.shape[1] + overlap))
    return ahead.mean(axis=1) > SURE_SE * se


def stopped_falling(shares: Sequence[Sequence[float]], losses: Sequence[Sequence[float]]) -> bool:
    """Whether the validation loss is no lower in the second half of the last two thirds of a run.

    Halves are means over blocks and evaluations, as single ones are noisy at a constant rate. A
    run that was continued has an evaluation where it was interrupted, which the others lack.

    Args:
        shares: For each block, where its evaluations lie: steps over all steps.
        losses: The validation losses there.

    >>> stopped_falling([[0.1, 0.4, 1.0]], [[0.9, 0.5, 0.6]])
    True
    """
    shared = set.intersection(*map(set, shares))
    late = sorted(share for share in shared if share >= (1 - NEAR) * LATE)
    found = np.array(
        [
            [own[list(at).index(share)] for share in late]
            for at, own in zip(shares, losses, strict=True)
        ]
    )
    half = len(late) // 2
    return half > 0 and bool(found[:, half:].mean() >= found[:, :half].mean())
