"""What the checks look at: the framed table, and a sample of it as arrays made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from justright.core.column import Column, ColumnKind
from justright.core.seeds import child_seed
from justright.data.arrays import column_array
from justright.data.problem import Problem, target_of
from justright.data.split import Splits
from justright.deploy.network import Coded

SAMPLE = 20_000
"""Rows looked at by checks that need arrays. Assumption: shares are then right to 0.7 points."""


@dataclass(frozen=True)
class View:
    """A problem and its splits, with a sample of the rest and one of the test rows.

    Targets are only ever read of rows outside the locked test.

    Attributes:
        problem: What is to be learned.
        splits: The locked test and the rest.
    """

    problem: Problem
    splits: Splits
    _kept: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that the network sees, texts included."""
        return self.problem.schema.inputs

    @cached_property
    def rng(self) -> np.random.Generator:
        """Chance for the checks, from the study's seed."""
        return np.random.default_rng(child_seed(self.problem.options.seed, "audit"))

    @cached_property
    def rest(self) -> pl.DataFrame:
        """At most `SAMPLE` rows outside the test, in the order of the table."""
        return self._taken(self.splits.rest)

    @cached_property
    def test(self) -> pl.DataFrame:
        """At most `SAMPLE` rows of the test; its targets are not to be read."""
        return self._taken(self.splits.test).drop(list(self.problem.task.targets))

    @cached_property
    def target(self) -> np.ndarray:
        """The target of `rest`: float64 [n, targets] or int64 class codes [n]."""
        return target_of(self.rest, self.problem.task)

    def values(self, column: Column) -> np.ndarray:
        """A column of `rest`: numbers and dates with NaN for missing, else codes with -1."""
        if column.name not in self._kept:
            self._kept[column.name] = plain(self.rest[column.name], column)
        return self._kept[column.name]

    def _taken(self, rows: np.ndarray) -> pl.DataFrame:
        if len(rows) > SAMPLE:
            # By its own generator: the rows must not depend on which check comes first.
            rng = np.random.default_rng(child_seed(self.problem.options.seed, "sample"))
            rows = np.sort(rng.choice(rows, SAMPLE, replace=False))
        return self.problem.table.frame[rows]


def plain(values: pl.Series, column: Column) -> np.ndarray:
    """Float64 with NaN for numbers and dates, int codes with -1 for all else."""
    found = column_array(values, column)
    return found.codes if isinstance(found, Coded) else found


def is_amount(column: Column) -> bool:
    """Whether the column's values have an order: numbers and dates."""
    return column.kind in (ColumnKind.NUMBER, ColumnKind.DATETIME)


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names for a sentence, the first few of many.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
