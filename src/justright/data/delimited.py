"""CSV, TSV and their like: the delimiter is found, and every row must have all fields."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from justright.core.errors import DataError
from justright.data.cleaning import MISSING_WORDS, check_names
from justright.data.textfile import sample_text, scan

DELIMITERS = (",", ";", "\t", "|")
_OTHERS = (" ", ":", "^", "~", "\x01")
_SHOWN = {"\t": "tab", " ": "blank", "\x01": "control-A"}

SAMPLE_LINES = 500
TYPED_ROWS = 10_000
"""Rows from which storage types are guessed first; a wrong guess costs a second reading."""

LONGEST_CHECK = 200_000
"""Rows looked at one by one for missing fields where quotes make counting impossible (about one
second); rows that are too long are found in any row. Assumption."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_DECIMAL_POINT = re.compile(r"[-+]?[0-9]*\.[0-9]+")


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written.

    Attributes:
        delimiter: One character.
        names: Columns, in order.
        decimal_comma: Whether 1,5 means one and a half.
        codes: Columns whose digits have leading zeros; they are kept as text.
    """

    delimiter: str
    names: tuple[str, ...]
    decimal_comma: bool
    codes: tuple[str, ...]


def read_delimited(path: Path, shown: Path) -> tuple[pl.DataFrame, str]:
    """Read a delimited text file.

    Args:
        path: The plain text.
        shown: The file as the user knows it, for messages.

    Returns:
        The frame with storage types guessed from the values, and the fingerprint of the bytes.

    Raises:
        DataError: If it is no text, has no header or no rows, or its rows differ in length.
    """
    layout = find_layout(sample_text(path, shown), shown)
    figures = scan(path, shown, layout.delimiter)
    if figures.lines <= 1:
        raise DataError(f"{shown} has a header but no rows", hint="check how the file was written")
    regular = figures.delimiters == (len(layout.names) - 1) * figures.lines
    if not (regular or figures.quotes):
        check_width(path, shown, layout, None)
    frame = _read(path, shown, layout)
    if not regular:
        frame = _without_blank_lines(frame)
    if figures.quotes and frame.height and frame[:, -1].null_count():
        check_width(path, shown, layout, LONGEST_CHECK)
    return frame, figures.fingerprint


def find_layout(text: str, shown: Path) -> Layout:
    """Find delimiter, names and number style from the first lines of a file.

    Raises:
        DataError: If there is no header, or another character separates the fields.
    """
    if not text.strip():
        raise DataError(f"{shown} is empty", hint="check how the file was written")
    tables = {mark: _records(text, mark, shown) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: _fit(tables[mark]))
    records = tables[delimiter]
    if len(records[0]) == 1:
        _check_one_column(text, shown)
    names = check_names(records[0], str(shown))
    _check_header(names, shown)
    body = [record for record in records[1:] if len(record) == len(names)]
    cells = [cell.strip() for record in body for cell in record]
    comma = delimiter != "," and any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells)
    comma = comma and not any(_DECIMAL_POINT.fullmatch(cell) for cell in cells)
    codes = tuple(
        name
        for place, name in enumerate(names)
        if any(_LEADING_ZERO.fullmatch(record[place].strip()) for record in body)
    )
    return Layout(delimiter, tuple(names), comma, codes)


def _records(text: str, mark: str, shown: Path) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text), delimiter=mark):
            if record:
                found.append(record)
            if len(found) >= SAMPLE_LINES:
                break
    except csv.Error as error:  # a very long field ends the sample, not the reading
        if not found:
            raise _unreadable(shown, str(error)) from error
    return found


def _fit(records: list[list[str]]) -> tuple[float, int]:
    """How well a delimiter fits: share of lines as wide as the header, then the width."""
    width = len(records[0])
    if width < 2:
        return (0.0, 0)
    return (sum(len(record) == width for record in records) / len(records), width)


def _check_one_column(text: str, shown: Path) -> None:
    lines = [line for line in text.splitlines()[:SAMPLE_LINES] if line.strip()]
    for mark in _OTHERS:
        counts = {line.strip().count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            raise DataError(
                f"{shown} seems to separate its fields by {_SHOWN.get(mark, repr(mark))}",
                hint="write it with commas, semicolons, tabs or | between the fields",
            )


def _check_header(names: list[str], shown: Path) -> None:
    """A first line of numbers is data, unless it counts the columns as some tools do."""
    if not all(_NUMBER.fullmatch(name) for name in names):
        return
    starts = (0,) if len(names) < 4 else (0, 1)  # a row 1,2,3 may well be data
    if names not in [list(map(str, range(start, start + len(names)))) for start in starts]:
        raise DataError(
            f"{shown}: the first line holds numbers ({', '.join(names[:3])}), not names",
            hint="add a first line with the names of the columns",
        )


def _read(path: Path, shown: Path, layout: Layout) -> pl.DataFrame:
    """Read with guessed types; where the guess fails look at all rows, then read all as text."""
    message = ""
    for length in (TYPED_ROWS, None, 0):
        try:
            return pl.read_csv(
                path,
                separator=layout.delimiter,
                null_values=list(MISSING_WORDS),
                schema_overrides=dict.fromkeys(layout.codes, pl.String),
                decimal_comma=layout.decimal_comma,
                infer_schema=length != 0,
                infer_schema_length=length,
                new_columns=list(layout.names),
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
            message = str(error).strip().splitlines()[0]
            check_width(path, shown, layout, None)
    raise _unreadable(shown, message)


def _without_blank_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Polars reads a blank line as a row without values."""
    if frame.width == 1 or frame.height == 0 or frame[:, 0].null_count() == 0:
        return frame
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def check_width(path: Path, shown: Path, layout: Layout, rows: int | None) -> bool:
    """Find the first row with too many or too few fields; quotes are understood.

    Args:
        path: The plain text.
        shown: The file as the user knows it.
        layout: How it is written.
        rows: At most so many rows are looked at; None = all.

    Returns:
        Whether there are blank lines.

    Raises:
        DataError: If there is one.
    """
    expected, blank = len(layout.names), False
    for line, fields in _widths(path, shown, layout.delimiter, rows):
        blank |= fields == 0
        if fields not in (0, expected):
            raise DataError(
                f"{shown}: line {line:,} has {fields} {'field' if fields == 1 else 'fields'}, "
                f"the header has {expected}",
                hint="complete the line, or put quotes around values that contain "
                f"{_SHOWN.get(layout.delimiter, repr(layout.delimiter))}",
            )
    return blank


def _widths(
    path: Path, shown: Path, delimiter: str, rows: int | None
) -> Iterator[tuple[int, int]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for count, record in enumerate(reader):
                if rows is not None and count > rows:
                    return
                yield reader.line_num, len(record)
        except csv.Error as error:
            raise _unreadable(shown, f"line {reader.line_num:,}: {error}") from error


def _unreadable(shown: Path, message: str) -> DataError:
    return DataError(
        f"{shown} cannot be read as a table: {message}",
        hint="look for an unclosed quote or a broken line",
    )
