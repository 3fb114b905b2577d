"""The tables of the comparison, split as the product splits them, as folders for peers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from before_after import targets_of
from justright.core.column import Column, ColumnKind
from justright.data.arrays import labels_of, numbers_of, seconds_of
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import Splits, make_splits
from justright.statistics.intervals import Sample

_GROUP = {
    ColumnKind.NUMBER: "numbers",
    ColumnKind.CATEGORY: "categories",
    ColumnKind.BOOLEAN: "categories",
    ColumnKind.DATETIME: "dates",
    ColumnKind.TEXT: "texts",
}


@dataclass(frozen=True)
class Case:
    """A table of the manifest.

    Attributes:
        name: In the manifest.
        path: Its file.
        targets: Columns to predict.
        seed: Of the split.
    """

    name: str
    path: Path
    targets: tuple[str, ...]
    seed: int = 0

    @cached_property
    def problem(self) -> Problem:
        """Framed as a study frames it."""
        return make_problem(
            read_table(self.path), DataOptions(target=self.targets, seed=self.seed)
        )

    @cached_property
    def splits(self) -> Splits:
        """The locked test of a study of the same seed, and all other rows."""
        return make_splits(self.problem)

    def sample(self) -> Sample:
        """The test rows with their truth."""
        problem, rows = self.problem, self.splits.test
        extra = (problem.weights(), problem.groups(), problem.times())
        return Sample(
            problem.target()[rows], *(None if each is None else each[rows] for each in extra)
        )


def case_of(entry: dict[str, Any], folder: Path, seed: int) -> Case:
    """The case of an entry of the manifest."""
    return Case(entry["name"], folder / entry["file"], tuple(targets_of(entry)), seed)


def write_case(case: Case, folder: Path) -> None:
    """Write the rows to learn from, the test rows without targets, and what the columns hold.

    Numbers and dates that stand in the table as text are read as the product reads them, so that
    no peer is behind for that; columns that the product does not use are left out.
    """
    problem, splits = case.problem, case.splits
    task, inputs = problem.task, problem.schema.inputs
    frame = pl.DataFrame([_read(problem.table.frame[each.name], each) for each in inputs])
    y = problem.target().reshape(problem.table.rows, -1)
    targets = pl.DataFrame({name: y[:, place] for place, name in enumerate(task.targets)})
    folder.mkdir(parents=True, exist_ok=True)
    train = pl.concat([frame, targets], how="horizontal")
    train[splits.rest].write_parquet(folder / "train.parquet")
    frame[splits.test].write_parquet(folder / "test.parquet")
    kinds: dict[str, list[str]] = {group: [] for group in _GROUP.values()}
    for each in inputs:
        kinds[_GROUP[each.kind]].append(each.name)
    about = {
        "task": task.kind.value,
        "targets": list(task.targets),
        "classes": list(task.classes),
        "metric": problem.metric,
        **kinds,
    }
    np.save(folder / "rows.npy", splits.test)
    (folder / "about.json").write_text(json.dumps(about, indent=2))  # last: the folder is whole


def _read(values: pl.Series, column: Column) -> pl.Series:
    if column.kind is ColumnKind.NUMBER:
        found = numbers_of(values, column.format) if column.format else numbers_of(values)
        return pl.Series(column.name, found).fill_nan(None)
    if column.kind is ColumnKind.DATETIME:
        seconds = pl.Series(column.name, seconds_of(values, column.format)).fill_nan(None)
        return (seconds * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us"))
    if column.kind is ColumnKind.TEXT:
        return values.cast(pl.String, strict=False)
    return labels_of(values).alias(column.name)
