"""Made-up tables with a column of every kind, for tests of what handles columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem

INPUTS = ("size", "price", "when", "new", "town", "tail", "note")
WORDS = ("deep", "sea", "fish", "green", "tree", "small", "boat", "old", "town", "wind")


def mixed_frame(rows: int, seed: int = 0) -> pl.DataFrame:
    """Numbers, dates, booleans, few and many categories, texts, each with missing values."""
    g = np.random.default_rng(seed)
    many = [f"tail{k}" for k in range(40)]
    size = g.normal(size=rows)
    frame = pl.DataFrame(
        {
            "size": size,
            "price": np.round(np.exp(g.normal(size=rows)), 4),
            "when": np.datetime64("2020-03-01T00:00", "us")
            + (g.integers(0, 90_000, rows) * 1_800_000_000).astype("timedelta64[us]"),
            "new": g.random(rows) < 0.3,
            "town": np.array(["Ulm", "Rome", "Oslo"])[g.integers(0, 3, rows)],
            "tail": np.array(many)[np.minimum(g.geometric(0.1, rows) - 1, 39)],
            "note": [" ".join(g.choice(WORDS, 6)) + f" {k % 211}" for k in range(rows)],
            "y": size + 0.1 * g.normal(size=rows),
            "kind": np.array(["a", "b", "c"])[g.integers(0, 3, rows)],
        }
    )
    gone = [pl.when(pl.Series(g.random(rows) > 0.1)).then(pl.col(n)).alias(n) for n in INPUTS]
    return frame.with_columns(gone)


def mixed_problem(rows: int, target: str = "y", seed: int = 0) -> Problem:
    """A problem on `mixed_frame`; the other target column is dropped."""
    other = "kind" if target == "y" else "y"
    table = read_table(mixed_frame(rows, seed))
    return make_problem(table, DataOptions(target=(target,), drop=(other,)))
