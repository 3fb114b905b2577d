"""Frames of other libraries to polars, without importing those libraries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from justright.core.errors import DataError
from justright.data.cleaning import check_names

_PLAIN = {str, date, datetime, time, timedelta, Decimal, list, dict, bytes}


def to_polars(source: Any) -> pl.DataFrame:
    """Turn a frame, array or mapping of columns into a polars frame.

    Args:
        source: polars, pandas or pyarrow frame; NumPy array (2-D, or structured); mapping of names
            to columns. A plain array's columns are called x0, x1, ...

    Raises:
        DataError: If it is none of these, or its columns differ in length.
    """
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, pl.DataFrame):
        return source
    library = type(source).__module__.split(".")[0]
    if library == "pandas" and type(source).__name__ == "DataFrame":
        return _from_pandas(source)
    if library == "pyarrow" and type(source).__name__ == "Table":
        return pl.DataFrame(pl.from_arrow(source))
    if isinstance(source, np.ndarray):
        return _from_numpy(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    raise DataError(
        f"cannot read a table from {type(source).__name__}",
        hint="give a path, a polars or pandas frame, a NumPy array, or a dict of columns",
    )


def series_of(name: str, values: Any) -> pl.Series:
    """A column from any sequence; values of mixed types become text."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.dtype.kind in "biufM" and array.dtype != np.float16:
        if array.dtype.kind == "M":
            array = array.astype("datetime64[us]")
        return pl.Series(name, np.ascontiguousarray(array))
    if array is not None and array.dtype.kind == "f":
        return pl.Series(name, array.astype(np.float32))
    items = [_item(value) for value in (array.tolist() if array is not None else list(values))]
    kinds = {type(value) for value in items if value is not None}
    if not (kinds <= {int, float, bool} or (len(kinds) == 1 and kinds <= _PLAIN)):
        items = [None if value is None else str(value) for value in items]
    return pl.Series(name, items, strict=False)


def _item(value: Any) -> Any:
    """A single value as a plain Python one; NaN and the like of other libraries are None."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(value, float) and math.isnan(value) else value


def _from_mapping(source: Mapping[Any, Any]) -> pl.DataFrame:
    columns = []
    for name, values in source.items():
        scalar = not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping)
        if scalar or (isinstance(values, np.ndarray) and values.ndim != 1):
            raise DataError(
                f"column {str(name)!r} is not a list of values", hint="give one value per row"
            )
        columns.append(series_of(str(name), values))
    lengths = {column.name: column.len() for column in columns}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length:,}" for name, length in list(lengths.items())[:5])
        raise DataError(f"the columns differ in length: {shown}", hint="give one value per row")
    check_names([column.name for column in columns], "the dict of columns")
    return pl.DataFrame(columns)


def _from_numpy(source: np.ndarray) -> pl.DataFrame:
    if source.dtype.names:
        names = list(source.dtype.names)
        return pl.DataFrame([series_of(name, source[name]) for name in names])
    if source.ndim != 2:
        raise DataError(
            f"a table is an array of rows and columns, not one of shape {source.shape}",
            hint="reshape it to (rows, columns)",
        )
    return pl.DataFrame([series_of(f"x{j}", source[:, j]) for j in range(source.shape[1])])


def _from_pandas(source: Any) -> pl.DataFrame:
    """Column by column through NumPy, so that pyarrow is not needed."""
    names = check_names([_pandas_name(name) for name in source.columns], "the frame")
    columns = [_pandas_column(name, source.iloc[:, j]) for j, name in enumerate(names)]
    return pl.DataFrame(columns)


def _pandas_name(name: Any) -> str:
    return "_".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _pandas_column(name: str, values: Any) -> pl.Series:
    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return series_of(name, values.to_numpy())
    if hasattr(dtype, "categories"):  # pandas' CategoricalDtype, which cannot be imported here
        labels = [None if v is None else str(v) for v in map(_item, values.cat.categories)]
        codes = values.cat.codes.to_numpy()
        text = pl.Series(name, [*labels, None], dtype=pl.String)
        return text.gather(np.where(codes < 0, len(labels), codes)).cast(pl.Categorical)
    if getattr(dtype, "tz", None) is not None:
        return series_of(name, values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    kind = getattr(dtype, "kind", "O")
    if kind in "iuf":  # nullable numbers
        missing = values.isna().to_numpy()
        if missing.any():
            return series_of(name, values.to_numpy(dtype=np.float64, na_value=np.nan))
        return series_of(name, values.to_numpy(dtype=np.dtype(f"{kind}8")))
    return series_of(name, values.to_numpy(dtype=object))
