"""What every frame goes through before it is a Table: names, missing values, storage types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl

from justright.core.errors import DataError

MISSING_WORDS = (
    "",
    "?",
    "#N/A",
    "#NA",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "NaT",
    "None",
    "n/a",
    "nan",
    "null",
)
"""Texts that mean "missing". Published: the defaults of pandas' `read_csv` without the rare ones,
and "?" of the UCI repository's files."""


def check_names(names: Sequence[str], what: str) -> list[str]:
    """Names of columns without surrounding blanks.

    Args:
        names: As they stand in the file or frame.
        what: The file or frame, for the message.

    Raises:
        DataError: If a name is empty or appears twice.
    """
    stripped = [str(name).strip() for name in names]
    empty = [place + 1 for place, name in enumerate(stripped) if not name]
    if empty:
        places = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
        raise DataError(
            f"{what}: column {places} of {len(stripped)} has no name",
            hint="name it in the first line (an index written by pandas: use index=False)",
        )
    twice = [name for name, count in Counter(stripped).items() if count > 1]
    if twice:
        raise DataError(
            f"{what}: the column name {twice[0]!r} appears {stripped.count(twice[0])} times",
            hint="give every column its own name",
        )
    return stripped


def cleaned(frame: pl.DataFrame, what: str) -> pl.DataFrame:
    """Bring a frame into the form that `Table` promises.

    Args:
        frame: As read.
        what: The file or frame, for messages.

    Raises:
        DataError: If it has no rows or no columns, or its names are empty or not unique.
    """
    if frame.width == 0:
        raise DataError(f"{what} has no columns", hint="a table needs inputs and a target")
    names = check_names(frame.columns, what)
    if frame.height == 0:
        raise DataError(
            f"{what} has names of columns but no rows", hint="check how the file was written"
        )
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return frame.with_columns([cleaned_column(values) for values in frame.get_columns()])


def cleaned_column(values: pl.Series) -> pl.Series:
    """One column with null for every kind of missing value; blanks around text removed."""
    dtype = values.dtype
    if dtype == pl.String:
        text = values.str.strip_chars()
        missing = text.is_in(list(MISSING_WORDS))
        if not bool(missing.any()):
            return text
        return pl.select(pl.when(~missing).then(text)).to_series().alias(values.name)
    if dtype.is_float():
        return values.fill_nan(None) if bool(values.is_nan().any()) else values
    if dtype.is_decimal():
        return values.cast(pl.Float64)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return values
