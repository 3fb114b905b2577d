"""Some rows of a block, also with the inputs of other rows, and what is measured on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed
from justright.data.encoded import EncodedMeta, EncodedRows
from justright.engine.contract import Array, Stack
from justright.training.judge import Judged, predictions

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_CHANCE = 1e-15
"""Probabilities are taken to be at least this, as in the log-loss."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows whose inputs and targets are taken from places of a folder (`engine.contract.Rows`).

    Attributes:
        data: The folder.
        inputs: int64 ``[copies * size]``, places that the inputs are taken from.
        targets: int64 ``[copies * size]``, places that targets and weights are taken from.
        train: How many of the first `size` rows are to be trained on.
        size: Rows of a copy; the first copy has its own inputs.
    """

    data: EncodedRows
    inputs: Integers
    targets: Integers
    train: int
    size: int

    @staticmethod
    def of(data: EncodedRows, rows: Integers) -> Sample:
        """Some rows as they are, all of them to be trained on."""
        return Sample(data, rows, rows, len(rows), len(rows))

    def with_shuffled(self, seed: int, copies: int) -> Sample:
        """The rows, and after them copies whose inputs are shuffled among each other.

        Training rows are shuffled among training rows, the others among the others.
        """
        mixed = []
        for copy in range(copies):
            generator = np.random.default_rng(child_seed(seed, copy))
            rows = self.inputs[: self.size]
            parts = rows[: self.train], rows[self.train :]
            mixed += [generator.permutation(part) for part in parts]
        return replace(
            self,
            inputs=np.concatenate([self.inputs[: self.size], *mixed]),
            targets=np.tile(self.targets[: self.size], copies + 1),
        )

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, rows: Array) -> Mapping[str, Array]:
        """Named tensors of some rows."""
        places = np.asarray(rows, np.int64)
        found = dict(self.data.batch(self.targets[places]))
        others = self.data.batch(self.inputs[places])
        return found | {"x": others["x"], "c": others["c"]}


def distinct_rows(sample: Sample, rows: Integers, most: int) -> Integers:
    """At most so many of the rows, in their order, no two with the same inputs."""
    found, seen = [], set()
    for row in rows[: 64 * most]:
        batch = sample.batch(np.array([row]))
        inputs = (np.asarray(batch["x"]).tobytes(), np.asarray(batch["c"]).tobytes())
        if inputs not in seen and len(found) < most:
            seen.add(inputs)
            found.append(row)
    return np.array(found, np.int64)


def even_rows(sample: Sample, most: int) -> Integers:
    """Training rows with different inputs, as many of each class as there are."""
    rows = np.arange(sample.train)
    if sample.data.meta.task.is_classification:
        y = np.asarray(sample.batch(rows)["y"])
        rank = np.empty(len(y), np.int64)  # the how-manieth of its class each row is
        order = np.argsort(y, kind="stable")
        counts = np.bincount(y)
        rank[order] = np.arange(len(y)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.argsort(rank, kind="stable")
    return distinct_rows(sample, rows, most)


def row_leak(stack: Stack, rows: Integers, others: Integers) -> float | None:
    """By how much outputs of rows move when what lies beside them is exchanged.

    Args:
        stack: One candidate; its present and its averaged weights are looked at.
        rows: int64 ``[m]``, the batch.
        others: int64 ``[m]``, rows that take the place of others in the batch.

    Returns:
        The largest change of a row that stayed, over the deviation of all outputs; None if the
        network says the same of every row, so that nothing can be seen.
    """
    first, last = rows.copy(), others.copy()
    first[0], last[-1] = others[0], rows[-1]  # all but the first stay, then the last alone
    found = []
    for averaged in (False, True):
        usual, one, many = (
            np.asarray(stack.outputs(each, averaged=averaged)[0], np.float64)
            for each in (rows, first, last)
        )
        spread = float(usual.std(axis=0).max())
        moved = max(np.abs(one - usual)[1:].max(), np.abs(many - usual)[-1].max())
        if spread > 0.0 or moved > 0.0:
            found.append(float(moved) / spread if spread > 0.0 else 1.0)
    return max(found, default=None)


def prior_of(judged: Judged) -> Floats:
    """The best prediction that is the same for each of some rows: class shares, or the mean.

    Of a target that is trained on in a curve it is the mean there, where such a network starts.
    """
    if judged.meta.task.is_classification:
        counts = np.bincount(judged.y, judged.weights, len(judged.meta.task.classes))
        constant = counts / counts.sum()
    elif (curve := judged.meta.curve) is not None:
        mean = np.average(curve.bend(judged.y), axis=0, weights=judged.weights)
        constant = curve.straighten(mean)
    else:
        constant = np.average(judged.y, axis=0, weights=judged.weights)
    return np.tile(constant, (len(judged.y), 1))


def row_losses(sample: Sample, rows: Integers, outputs: Floats) -> Floats:
    """Loss of each row: its log-loss, or its squared error of the targets as they are trained."""
    meta: EncodedMeta = sample.data.meta
    y = sample.batch(rows)["y"]
    if meta.task.is_classification:
        codes = np.asarray(y, np.int64)
        chance = predictions(meta, outputs)[np.arange(len(codes)), codes]
        return -np.log(np.maximum(chance, LEAST_CHANCE))
    return np.square(outputs - np.asarray(y, np.float64)).mean(axis=1)


def accuracy(sample: Sample, rows: Integers, outputs: Array) -> float | None:
    """Share of rows whose class is the likeliest one; None where there are no classes."""
    meta = sample.data.meta
    if not meta.task.is_classification:
        return None
    y = np.asarray(sample.batch(rows)["y"])
    likely = predictions(meta, np.asarray(outputs, np.float64)).argmax(axis=1)
    return float((likely == y).mean())


def number(value: float | np.floating) -> float | None:
    """A figure as JSON knows it: null where it is not finite."""
    return float(value) if isfinite(value) else None
