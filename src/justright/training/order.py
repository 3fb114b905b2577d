"""The order in which training sees its rows: shuffled epochs, one after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed


class Order:
    """An endless stream of rows that can be read from any step on.

    Each epoch is a shuffle by (seed, epoch); epochs follow each other without a gap, so that every
    step has a full batch and every row is seen equally often, also where an epoch is no multiple
    of a batch or shorter than one. Folds, subsets and bootstraps are nothing but other `rows`.

    The last epoch is kept, since a large one takes longer to shuffle than a span should.

    Args:
        seed: The candidate's seed.
        rows: int ``[n]``, the training rows.

    >>> order = Order(0, np.arange(10))
    >>> sorted(order.take(0, 2, 5).ravel().tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    def __init__(self, seed: int, rows: npt.NDArray[np.integer]) -> None:
        self._seed = seed
        self._rows = np.ascontiguousarray(rows, dtype=np.int32)
        self._epoch = -1
        self._shuffled = self._rows

    def take(self, start: int, count: int, batch: int) -> npt.NDArray[np.int32]:
        """The rows of some steps: int32 ``[count, batch]``.

        Args:
            start: First step.
            count: How many steps.
            batch: Rows a step.
        """
        size = len(self._rows)
        first, last = start * batch, (start + count) * batch
        wanted = np.empty(last - first, dtype=np.int32)
        for epoch in range(first // size, -(-last // size)):
            begin, end = max(first, epoch * size), min(last, (epoch + 1) * size)
            part = self._shuffle(epoch)[begin - epoch * size : end - epoch * size]
            wanted[begin - first : end - first] = part
        return wanted.reshape(count, batch)

    def _shuffle(self, epoch: int) -> npt.NDArray[np.int32]:
        if epoch != self._epoch:
            generator = np.random.default_rng(child_seed(self._seed, "order", epoch))
            self._shuffled = generator.permutation(self._rows)
            self._epoch = epoch
        return self._shuffled


MOST_REPEATS = 100
"""A row of a small class stands at most so often among the rows of an epoch (assumption)."""


def balanced(rows: npt.NDArray[np.int64], classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Training rows in which every class comes about as often: those of small ones repeated.

    Random oversampling (Buda et al. 2018), so it changes what a probability means: calls of small
    classes become likelier than they are.

    Args:
        rows: int ``[n]``, the training rows.
        classes: int ``[n]``, the class of each.

    >>> balanced(np.arange(5), np.array([0, 0, 0, 0, 1])).tolist()
    [0, 1, 2, 3, 4, 4, 4, 4]
    """
    counts = np.bincount(classes)
    repeats = np.minimum(np.round(counts.max() / np.maximum(counts, 1)), MOST_REPEATS)
    return np.repeat(rows, repeats.astype(np.int64)[classes])
