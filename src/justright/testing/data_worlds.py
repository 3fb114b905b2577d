"""Planted worlds of tables: what is in them, and what an honest study has to say about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

Made = tuple[dict[str, np.ndarray], np.ndarray, float]
"""Input columns, target, and the loss of whoever knows the truth: nobody can do better."""


@dataclass(frozen=True)
class Planted:
    """A made table.

    Attributes:
        frame: Inputs and target.
        target: Name of the target column.
        best_loss: Mean squared error, or log-loss, of whoever knows the truth.
        constant_loss: That of predicting the mean or the shares.
        time_column: Column of time; None if rows are exchangeable.
    """

    frame: pl.DataFrame
    target: str
    best_loss: float
    constant_loss: float
    time_column: str | None = None


@dataclass(frozen=True)
class DataWorld:
    """A kind of table with a known truth.

    Attributes:
        name: For people.
        make: (rng, rows) -> columns, target, best possible loss.
        classes: Whether the target is a class.
        winner: What should win: "constant", "linear", "nonlinear"; None where it does not matter.
        finding: Code of the finding that an audit has to make; None for none.
        time_column: Column of time.
    """

    name: str
    make: Callable[[np.random.Generator, int], Made]
    classes: bool = False
    winner: str | None = None
    finding: str | None = None
    time_column: str | None = None

    def draw(self, seed: int, rows: int) -> Planted:
        """A table of that many rows; the same seed gives the same table."""
        rng = np.random.default_rng(seed)
        columns, y, best = self.make(rng, rows)
        if self.classes:
            share = float(y.mean())
            constant = -share * np.log(share) - (1.0 - share) * np.log(1.0 - share)
            y = np.array(["no", "yes"])[y]
        else:
            constant = float(np.var(y))
        frame = pl.DataFrame(columns | {"y": y})
        return Planted(frame, "y", best, float(constant), self.time_column)


def _inputs(rng: np.random.Generator, rows: int, count: int) -> dict[str, np.ndarray]:
    return {f"x{k}": rng.standard_normal(rows) for k in range(count)}


def _linear(rng: np.random.Generator, rows: int) -> Made:
    columns = _inputs(rng, rows, 8)
    slopes = (1.0, -0.8, 0.6, 0.4, -0.3, 0.2, 0.0, 0.0)
    y = sum(slope * x for slope, x in zip(slopes, columns.values(), strict=True))
    return columns, y + rng.standard_normal(rows), 1.0


def _xor(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Whether an odd number of the first three inputs is positive; two of them tell nothing."""
    return np.sum([columns[f"x{k}"] > 0 for k in range(3)], axis=0).astype(np.int64) % 2


def _entropy(p: float) -> float:
    return float(-p * np.log(p) - (1.0 - p) * np.log(1.0 - p))


def _flipped(rng: np.random.Generator, y: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.random(len(y)) < share, 1 - y, y)


def _xor_of_three(rng: np.random.Generator, rows: int) -> Made:
    columns = _inputs(rng, rows, 6)
    return columns, _flipped(rng, _xor(columns), 0.05), _entropy(0.05)


def _pure_noise(rng: np.random.Generator, rows: int) -> Made:
    return _inputs(rng, rows, 10), rng.standard_normal(rows), 1.0


def _label_noise(rng: np.random.Generator, rows: int) -> Made:
    columns = _inputs(rng, rows, 6)
    y = (columns["x0"] * columns["x1"] + 0.5 * columns["x2"] > 0).astype(np.int64)
    return columns, _flipped(rng, y, 0.3), _entropy(0.3)


def _drift(rng: np.random.Generator, rows: int) -> Made:
    columns = _inputs(rng, rows, 5)
    when = np.linspace(0.0, 1.0, rows)
    columns["x0"] = columns["x0"] + 3.0 * when
    y = columns["x0"] + (1.0 - 2.0 * when) * columns["x1"] + 0.5 * rng.standard_normal(rows)
    return columns | {"day": np.arange(rows)}, y, 0.25


def _duplicates(rng: np.random.Generator, rows: int) -> Made:
    """30% of the rows are copies of others: whoever learns them by heart looks good."""
    columns, y, best = _pure_noise(rng, rows)
    source = rng.permutation(rows)
    copies = int(0.3 * rows)
    source[:copies] = source[-copies:]
    source = rng.permutation(source)
    return {name: x[source] for name, x in columns.items()}, y[source], best


def _leak(rng: np.random.Generator, rows: int) -> Made:
    columns, y, _ = _linear(rng, rows)
    return columns | {"booked": 3.0 * y + 1.0 + 0.01 * rng.standard_normal(rows)}, y, 0.0


DATA_WORLDS: tuple[DataWorld, ...] = (
    DataWorld("linear truth", _linear, winner="linear"),
    DataWorld("interaction of three", _xor_of_three, classes=True, winner="nonlinear"),
    DataWorld("pure noise", _pure_noise, winner="constant"),
    DataWorld("30% label noise", _label_noise, classes=True, winner="nonlinear"),
    DataWorld("drift over time", _drift, finding="drift", time_column="day"),
    DataWorld("duplicate leakage", _duplicates, finding="duplicates"),
    DataWorld("target leakage", _leak, finding="leakage"),
)
