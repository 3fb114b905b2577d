"""Single rows worth looking at: the best, the worst, typical ones, and confident mistakes."""

from __future__ import annotations

import numpy as np

WORST, OTHERS = 5, 3
"""Rows of each kind (assumption: what fits on a page)."""


def choose_examples(
    losses: np.ndarray, y: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Places of rows by kind; a row appears once.

    Args:
        losses: Loss of each row [n].
        y: Class codes [n], or values [n, T].
        prediction: Probabilities [n, classes], or values [n, T].

    >>> found = choose_examples(np.arange(20.0), np.zeros((20, 1)), np.zeros((20, 1)))
    >>> found["worst"].tolist(), found["best"].tolist(), found["typical"].tolist()
    ([19, 18, 17, 16, 15], [0, 1, 2], [9, 10, 8])
    """
    found: dict[str, np.ndarray] = {}
    used = np.zeros(len(losses), bool)

    def take(kind: str, order: np.ndarray, count: int) -> None:
        rows = order[~used[order]][:count]
        used[rows] = True
        found[kind] = rows

    if y.dtype.kind == "i":
        wrong = np.flatnonzero(prediction.argmax(axis=1) != y)
        sure = prediction[wrong].max(axis=1)
        take("confident error", wrong[np.argsort(-sure, kind="stable")], WORST)
    take("worst", np.argsort(-losses, kind="stable"), WORST)
    take("best", np.argsort(losses, kind="stable"), OTHERS)
    middle = np.abs(losses - np.median(losses))
    take("typical", np.argsort(middle, kind="stable"), OTHERS)
    return {kind: rows for kind, rows in found.items() if len(rows)}
