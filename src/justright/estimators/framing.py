"""The rows and targets of scikit-learn, framed as a problem of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from justright.core.column import Column, ColumnKind, Schema
from justright.core.errors import DataError
from justright.core.task import Task, TaskKind
from justright.data.cleaning import cleaned
from justright.data.fingerprint import frame_fingerprint
from justright.data.frames import to_polars
from justright.data.kinds import looks_like_id
from justright.data.options import DataOptions
from justright.data.problem import METRICS, Problem
from justright.data.schema import infer_schema
from justright.data.table import Table

_FRAMES = {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")}


def is_frame(rows: Any) -> bool:
    """Whether rows are a frame, whose columns may hold text, categories and dates.

    >>> is_frame(pl.DataFrame({"a": [1]})), is_frame(np.zeros((1, 1)))
    (True, False)
    """
    kind = type(rows)
    return (kind.__module__.partition(".")[0], kind.__name__) in _FRAMES


def read_rows(rows: Any, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Input rows as a cleaned frame.

    Args:
        rows: A frame, or a float64 array [n, columns].
        names: Names of the columns by their place; None = the frame's own, or x0, x1, ...

    Raises:
        DataError: If there are no rows, names are not unique, or a number is infinite.
    """
    frame = cleaned(to_polars(rows), "X")
    for values in frame.get_columns():
        if values.dtype.is_float() and bool(values.is_infinite().any()):
            raise DataError(
                f"Input X contains infinity in the column {values.name!r}",
                hint="make those values missing, or correct them",
            )
    if names is not None:
        frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return frame


def target_names(y: Any, columns: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of the targets: their own if they have any, and none of the columns'.

    >>> target_names([1, 2], ("x0", "y"), 1)
    ('y_',)
    """
    own = getattr(y, "columns", None)
    own = [getattr(y, "name", None)] if own is None else list(own)
    if len(own) != count or not all(isinstance(name, str) and name.strip() for name in own):
        own = ["y"] if count == 1 else [f"y{place}" for place in range(count)]
    taken, found = set(columns), []
    for name in own:
        free = str(name).strip()
        while free in taken:
            free += "_"
        taken.add(free)
        found.append(free)
    return tuple(found)


def frame_problem(
    frame: pl.DataFrame, targets: np.ndarray, names: tuple[str, ...], classes: int, seed: int
) -> Problem:
    """Frame rows and their targets.

    Args:
        frame: What `read_rows` returned.
        targets: float64 [n, targets], or int64 [n, 1] places of classes.
        names: Names of the targets.
        classes: Number of classes; 0 for regression.
        seed: Root of all randomness.

    Raises:
        DataError: If no column can be learned from.
    """
    found = {name: targets[:, place] for place, name in enumerate(names)}
    whole = frame.with_columns([pl.Series(name, values) for name, values in found.items()])
    table = Table(whole, "table", frame_fingerprint(whole))
    options = DataOptions(names, seed=seed)
    schema = _schema(table, options)
    if not schema.inputs:
        kinds = ", ".join(f"{column.name} ({column.kind})" for column in schema.columns[:6])
        raise DataError(
            f"no column is left to predict from: {kinds}",
            hint="hand in columns that vary and repeat",
        )
    task = _task(names, classes)
    return Problem(table, task, schema, options, METRICS[task.kind][0])


def kinds_said(problem: Problem) -> dict[str, str]:
    """The kinds that differ from those that a study infers."""
    inferred = infer_schema(problem.table, problem.options)
    pairs = zip(problem.schema.columns, inferred.columns, strict=True)
    return {own.name: own.kind.value for own, seen in pairs if own.kind is not seen.kind}


def _task(names: tuple[str, ...], classes: int) -> Task:
    if not classes:
        several = len(names) > 1
        return Task(TaskKind.MULTI_REGRESSION if several else TaskKind.REGRESSION, names)
    kind = TaskKind.BINARY if classes == 2 else TaskKind.MULTICLASS
    return Task(kind, names, tuple(map(str, range(classes))), "integer")


def _schema(table: Table, options: DataOptions) -> Schema:
    """The kinds of the columns as everywhere, but what was handed in is used where it can be.

    A column that counts the rows (a time, a dose) is an input here, because who hands in X has
    chosen its columns; a study is given whole files. Only a name that says id still counts.
    """
    inferred = infer_schema(table, options)
    columns = [_counted(column, table.frame[column.name]) for column in inferred.columns]
    if not any(column.used for column in columns):  # then the mean can still be predicted
        columns = [_constant(column, table.frame[column.name]) for column in columns]
    return Schema(tuple(columns))


def _counted(column: Column, values: pl.Series) -> Column:
    counts = column.kind is ColumnKind.IDENTIFIER and values.dtype.is_numeric()
    return _number(column) if counts and not looks_like_id(column.name) else column


def _constant(column: Column, values: pl.Series) -> Column:
    plain = values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)
    return _number(column) if column.kind is ColumnKind.CONSTANT and plain else column


def _number(column: Column) -> Column:
    return replace(column, kind=ColumnKind.NUMBER, used=True, unused_because="")
