"""A table with its task and schema, checked: all that the later stages need to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

import numpy as np
import polars as pl

from justright.core.column import ColumnKind, Schema
from justright.core.errors import DataError, OptionError
from justright.core.finding import Finding, Severity
from justright.core.task import Task, TaskKind
from justright.data.arrays import coded, labels_of, numbers_of, seconds_of
from justright.data.kinds import judge
from justright.data.numerals import number_style, parse_numbers
from justright.data.options import DataOptions, check_options, did_you_mean
from justright.data.schema import infer_schema
from justright.data.table import Table
from justright.data.target import infer_task, numeric_target

LEAST_ROWS = 10
"""Fewer rows cannot be split into training, validation and test. Assumption."""

_REGRESSION = ("rmse", "mae", "r2", "rmsle")
_CLASSES = ("log_loss", "accuracy", "balanced_accuracy", "macro_f1", "brier", "auc")
METRICS: Mapping[TaskKind, tuple[str, ...]] = {
    TaskKind.REGRESSION: _REGRESSION,
    TaskKind.MULTI_REGRESSION: _REGRESSION,
    TaskKind.BINARY: (*_CLASSES, "average_precision"),
    TaskKind.MULTICLASS: _CLASSES,
}
"""Metrics that ``--metric`` accepts by task; the first is the default."""

_Array = TypeVar("_Array", np.ndarray, np.ndarray | None)


def _once(method: Callable[[Problem], _Array]) -> Callable[[Problem], _Array]:
    """Keep what a method returns, unchangeable: a study asks often, and dates are slow to read."""

    key = f"_{method.__name__}"

    @wraps(method)
    def kept(self: Problem) -> _Array:
        if key not in self.__dict__:
            self.__dict__[key] = found = method(self)
            if found is not None:
                found.flags.writeable = False
        return self.__dict__[key]

    return kept


@dataclass(frozen=True)
class Problem:
    """What is to be learned from which columns of which rows.

    Attributes:
        table: Only rows whose targets are known; row numbers everywhere else refer to it.
        task: What is to be predicted.
        schema: The other columns.
        options: What the user said.
        metric: Name of the metric that decides.
        findings: What was seen while framing the table.
    """

    table: Table
    task: Task
    schema: Schema
    options: DataOptions
    metric: str
    findings: tuple[Finding, ...] = ()

    @_once
    def target(self) -> np.ndarray:
        """The target: float64 [rows, targets], or int64 [rows] places in `Task.classes`."""
        return target_of(self.table.frame, self.task)

    @_once
    def weights(self) -> np.ndarray | None:
        """Weight of each row, float64 [rows], or None."""
        name = self.options.weight
        return None if name is None else numbers_of(self.table.frame[name])

    @_once
    def groups(self) -> np.ndarray | None:
        """Group of each row, int64 [rows] from 0, or None; missing ones are one group."""
        name = self.options.group
        if name is None:
            return None
        found = coded(self.table.frame[name])
        codes = found.codes.astype(np.int64)
        return np.where(codes < 0, len(found.values), codes)

    @_once
    def times(self) -> np.ndarray | None:
        """When each row happened, float64 [rows] (seconds, or the column's own unit), or None."""
        name = self.options.time_column
        return None if name is None else _times(self.table.frame[name])


def make_problem(table: Table, options: DataOptions) -> Problem:
    """Frame a table: drop rows without a target, infer task and kinds, refuse what cannot work.

    Raises:
        OptionError: If an option does not fit the table.
        DataError: If nothing can be learned from the table.
    """
    check_options(options, table.columns)
    table, findings = _with_targets(table, options)
    if table.rows < LEAST_ROWS:
        what = "one row" if table.rows == 1 else f"{table.rows} rows"
        raise DataError(
            f"{table.name} has only {what} with a target",
            hint=f"at least {LEAST_ROWS} are needed to train, validate and test",
        )
    task = infer_task(table, options)
    schema = infer_schema(table, options)
    if not schema.inputs:
        kinds = ", ".join(f"{column.name} ({column.kind})" for column in schema.columns[:6])
        raise DataError(
            f"no column is left to predict {', '.join(task.targets)} from"
            + (f": {kinds}" if kinds else ""),
            hint="add columns, or say what one holds with --kind COLUMN=KIND",
        )
    problem = Problem(table, task, schema, options, _metric(task, options), findings)
    _check_weights(problem)
    _check_times(problem)
    if problem.metric == "rmsle" and float(problem.target().min()) < 0:
        raise OptionError(
            "--metric rmsle: the target has negative values", hint="use --metric rmse or mae"
        )
    return problem


def target_of(frame: pl.DataFrame, task: Task) -> np.ndarray:
    """The target of any frame, such as a test file's, as `Problem.target` gives it.

    Raises:
        DataError: If it is missing somewhere, not a number, or of a class that is not known.
    """
    for name in task.targets:
        if name not in frame.columns:
            raise DataError(
                f"the table has no target column {name!r}", hint=did_you_mean(name, frame.columns)
            )
    if not task.is_classification:
        found = np.stack([_amounts(frame[name]) for name in task.targets], axis=1)
        if not np.isfinite(found).all():
            rows = int((~np.isfinite(found).all(axis=1)).sum())
            raise DataError(
                f"the target is missing or not a number in {rows:,} of {frame.height:,} rows",
                hint="leave those rows out",
            )
        return found
    return _class_codes(frame[task.targets[0]], task)


def _amounts(values: pl.Series) -> np.ndarray:
    if values.dtype != pl.String:
        return numbers_of(values)
    return numbers_of(values, number_style(values.drop_nulls().head(10_000))[0])


def _class_codes(values: pl.Series, task: Task) -> np.ndarray:
    # Labels that are numbers were made from numbers: "1.50" is the class "1.5".
    amounts = all(parse_numbers(pl.Series(task.classes)).is_not_null())
    numbers = numeric_target(values.drop_nulls()) if amounts else None
    if numbers is not None and values.null_count() == 0:
        values = numbers
    found = coded(values if values.dtype != pl.Boolean else labels_of(values))
    places = {label: place for place, label in enumerate(task.classes)}
    strange = [label for label in found.values if label not in places]
    if strange:
        raise DataError(
            f"the target {values.name!r} holds {strange[0]!r}, which is none of the "
            f"{len(task.classes)} classes",
            hint="leave those rows out, or train with all classes",
        )
    if bool((found.codes < 0).any()):
        raise DataError(
            f"the target {values.name!r} is missing in some rows", hint="leave them out"
        )
    lookup = np.array([places[label] for label in found.values], dtype=np.int64)
    return lookup[found.codes]


def _with_targets(table: Table, options: DataOptions) -> tuple[Table, tuple[Finding, ...]]:
    known = table.frame.select(
        pl.all_horizontal(pl.col(list(options.target)).is_not_null())
    ).to_series()
    missing = table.rows - int(known.sum())
    if missing in (0, table.rows):  # all missing is refused with the target's own words
        return table, ()
    finding = Finding(
        "missing-target",
        Severity.WARNING if missing > 0.05 * table.rows else Severity.NOTE,
        f"the target is missing in {missing:,} of {table.rows:,} rows",
        "those rows were left out",
        options.target,
        {"rows": float(missing), "share": missing / table.rows},
    )
    return table.taken(np.flatnonzero(known.to_numpy())), (finding,)


def _metric(task: Task, options: DataOptions) -> str:
    allowed = METRICS[task.kind]
    if options.metric is None:
        return allowed[0]
    if ":" in options.metric:  # one of the user's, which whoever framed the options has imported
        return options.metric
    if options.metric not in allowed:
        raise OptionError(
            f"--metric {options.metric}: not a metric for {task.kind}",
            hint=f"use one of {', '.join(allowed)}",
        )
    return options.metric


def _check_weights(problem: Problem) -> None:
    weights, name = problem.weights(), problem.options.weight
    if weights is None:
        return
    wrong = int((~np.isfinite(weights) | (weights < 0)).sum())
    if wrong:
        raise DataError(
            f"--weight {name}: {wrong:,} of {len(weights):,} weights are missing, negative or no "
            "numbers",
            hint="weights are numbers of at least 0",
        )
    if float(weights.sum()) == 0.0:
        raise DataError(
            f"--weight {name}: all weights are 0", hint="at least one must be positive"
        )


def _check_times(problem: Problem) -> None:
    times, name = problem.times(), problem.options.time_column
    if times is None:
        return
    wrong = int((~np.isfinite(times)).sum())
    if wrong == len(times) or judge(problem.table.frame[str(name)]).kind is ColumnKind.TEXT:
        raise OptionError(
            f"--time-column {name}: its values are neither dates nor numbers",
            hint="name a column of dates or numbers",
        )
    if wrong:
        raise DataError(
            f"--time-column {name}: {wrong:,} of {len(times):,} rows have no time",
            hint="fill it in or leave those rows out",
        )


def _times(values: pl.Series) -> np.ndarray:
    if values.dtype.is_numeric():
        return numbers_of(values)
    if values.dtype == pl.String:
        found = judge(values)
        if found.kind is ColumnKind.DATETIME:
            return seconds_of(values, found.format)
        return numbers_of(values)
    return seconds_of(values)
