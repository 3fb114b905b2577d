"""Columns of a frame as plain arrays, the form in which the deployed file takes them.

Tolerant on purpose: at prediction a column may come with another storage type than at training
(numbers as text, whole numbers as floats, dates as text), and means the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from justright.core.column import Column, ColumnKind
from justright.core.errors import DataError
from justright.data.dates import FORMATS, date_style, parse_dates
from justright.data.kinds import FALSE_WORDS, TRUE_WORDS
from justright.data.numerals import POINT, parse_numbers
from justright.data.options import did_you_mean
from justright.deploy.network import Coded

LATEST = 1e11
"""Seconds: the year 5138."""

ColumnArray = np.ndarray | Coded
"""float64 [rows] with NaN for missing, or codes with the texts they stand for."""


def columns_of(
    frame: pl.DataFrame, columns: Sequence[Column], rows: np.ndarray | None = None
) -> dict[str, ColumnArray]:
    """Turn the used columns of a frame into arrays.

    Numbers become float64 with NaN for missing and infinite values; dates float64 seconds since
    1970 with NaN; booleans, categories and texts `Coded` (codes int32, -1 missing; values sorted,
    booleans always "false" and "true").

    Args:
        frame: A table; further columns and another order do not matter.
        columns: The schema's columns; unused ones are skipped.
        rows: Row numbers to take, [n] int; all without it.

    Raises:
        DataError: If a used column is not in the frame.
    """
    wanted = [column for column in columns if column.used]
    known = set(frame.columns)
    for column in wanted:
        if column.name not in known:
            raise DataError(
                f"the table has no column {column.name!r}",
                hint=did_you_mean(column.name, frame.columns),
            )
    index = None if rows is None else pl.Series(np.asarray(rows, dtype=np.int64))
    taken = (frame[column.name] for column in wanted)
    return {
        column.name: column_array(values if index is None else values.gather(index), column)
        for column, values in zip(wanted, taken, strict=True)
    }


def column_array(values: pl.Series, column: Column) -> ColumnArray:
    """One column as an array by its kind; see `columns_of`."""
    if column.kind is ColumnKind.NUMBER:
        return numbers_of(values, column.format or POINT)
    if column.kind is ColumnKind.DATETIME:
        return seconds_of(values, column.format)
    if column.kind is ColumnKind.BOOLEAN:
        return _booleans(values)
    return coded(values)


def numbers_of(values: pl.Series, style: str = POINT) -> np.ndarray:
    """Values as float64 [rows]; missing, infinite and unreadable ones are NaN."""
    if values.dtype.is_temporal():
        return seconds_of(values)
    if values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null):
        numbers = values.cast(pl.Float64)
    else:
        numbers = parse_numbers(values.cast(pl.String, strict=False), style)
    found = numbers.to_numpy().astype(np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def seconds_of(values: pl.Series, style: str = "") -> np.ndarray:
    """Dates as float64 seconds since 1970 [rows], NaN where missing.

    Numbers are seconds, or milli-, micro- or nanoseconds where seconds would lie after the year
    5000 (assumption).
    """
    dtype = values.dtype
    if dtype == pl.Time or dtype == pl.Duration:  # seconds of the day, or of the span
        micro = values.cast(pl.Duration("us"))
        return micro.to_physical().cast(pl.Float64).to_numpy() * 1e-6
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        found = numbers_of(values)
        for _ in range(3):
            found = np.where(np.abs(found) > LATEST, found / 1000, found)
        return found
    if not dtype.is_temporal():
        text = values.cast(pl.String, strict=False)
        values = parse_dates(text, style or date_style(text.drop_nulls())[0] or FORMATS[0])
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    moments = values.cast(pl.Datetime("us")).to_physical().cast(pl.Float64)
    return moments.to_numpy() * 1e-6


def labels_of(values: pl.Series) -> pl.Series:
    """Values as text labels that do not depend on how they are stored: 3 and 3.0 are "3"."""
    dtype = values.dtype
    if dtype == pl.Boolean:
        return values.cast(pl.String)
    if dtype.is_float():
        finite = values.cast(pl.Float64).fill_nan(None)
        whole = (finite % 1 == 0) & (finite.abs() < 2**53)
        as_whole = finite.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.select(
            pl.when(whole).then(as_whole).otherwise(finite.cast(pl.String))
        ).to_series()
    return values.cast(pl.String, strict=False)


def coded(values: pl.Series) -> Coded:
    """Texts as codes into their sorted distinct values; missing is -1."""
    labels = labels_of(values)
    known = labels.drop_nulls().unique().sort()
    codes = labels.cast(pl.Enum(known)).to_physical().cast(pl.Int32).fill_null(-1)
    return Coded(codes.to_numpy(), known.to_list())


def _booleans(values: pl.Series) -> Coded:
    if values.dtype == pl.Boolean:
        return Coded(values.cast(pl.Int32).fill_null(-1).to_numpy(), ["false", "true"])
    found = coded(values)
    names = ["false", "true"]
    codes = np.empty(len(found.values) + 1, np.int32)
    codes[-1] = -1  # the code of a missing value indexes the last place
    for place, label in enumerate(found.values):
        word = label.strip().lower()
        if word in FALSE_WORDS or word in TRUE_WORDS:
            codes[place] = int(word in TRUE_WORDS)
        else:
            codes[place] = len(names)
            names.append(label)
    return Coded(codes[found.codes], names)
