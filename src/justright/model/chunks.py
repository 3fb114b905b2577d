"""Rows of a file in chunks, in constant memory.

Polars' own batches read ahead of whoever takes them (measured: 300 MB for a million rows of ten
columns). Here a chunk is read when it is asked for: text in blocks of whole lines, binary formats
in slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from justright.core.errors import DataError
from justright.data.cleaning import MISSING_WORDS, cleaned
from justright.data.delimited import Layout, check_width, find_layout
from justright.data.ingest import check_path
from justright.data.numerals import COMMA
from justright.data.textfile import sample_text, scan, unpacked

CHUNK = 65_536
"""Rows of a binary file read at a time; some 50 MB for a hundred columns."""

BLOCK = 4 * 2**20
"""Bytes of a text file read at a time; parsed and cleaned they take about five times as much."""


class Chunk(NamedTuple):
    """Some rows of a file, cleaned, and the number style of its text."""

    frame: pl.DataFrame
    decimal: str


@contextmanager
def open_chunks(path: Path) -> Iterator[Iterator[Chunk]]:
    """Read a file in chunks of rows; delimited files as text, so that no chunk differs in type.

    Raises:
        DataError: If it is missing or cannot be read; also while the chunks are taken.
    """
    check_path(path)
    try:
        with unpacked(path) as plain:
            yield _cleaned_chunks(plain, path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _cleaned_chunks(plain: Path, path: Path) -> Iterator[Chunk]:
    rows = 0
    try:
        frames, decimal = _frames(plain, path)
        for frame in frames:
            if frame.height:
                rows += frame.height
                yield Chunk(cleaned(frame, str(path)), decimal)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _unreadable(path, error) from error
    if rows == 0:
        raise DataError(f"{path} has no rows", hint="check how the file was written")


def _unreadable(path: Path, error: BaseException) -> DataError:
    said = error.strerror if isinstance(error, OSError) else ""
    reason = said or (str(error).strip().splitlines() or [type(error).__name__])[0]
    return DataError(f"{path} cannot be read: {reason}", hint="check the file")


def _frames(plain: Path, shown: Path) -> tuple[Iterator[pl.DataFrame], str]:
    """Frames of a file, its format told by the content, and the style of its numbers."""
    with plain.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PAR1"):
        return _slices(pl.scan_parquet(plain, glob=False)), ""
    if head.startswith(b"ARROW1"):
        return _slices(pl.scan_ipc(plain)), ""
    text = sample_text(plain, shown)
    if text.lstrip().startswith("{"):
        return _json_lines(plain), ""
    layout = find_layout(text, shown)
    blank = _check_fields(plain, shown, layout)
    return _delimited(plain, layout, blank), COMMA if layout.decimal_comma else ""


def _slices(lazy: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Rows of a binary file, which knows where they lie: a slice reads little else.

    Parquet is packed in groups of rows, of which one is held at a time; polars writes 250,000
    rows a group, other programs up to a million.
    """
    rows = int(lazy.select(pl.len()).collect().item())
    for start in range(0, rows, CHUNK):
        yield lazy.slice(start, CHUNK).collect()


def _json_lines(plain: Path) -> Iterator[pl.DataFrame]:
    schema = pl.scan_ndjson(plain, infer_schema_length=CHUNK).collect_schema()
    with plain.open("rb") as file:
        for block in line_blocks(file, quotes=False):
            yield pl.read_ndjson(block, schema=schema)


def _delimited(plain: Path, layout: Layout, blank: bool) -> Iterator[pl.DataFrame]:
    # Each block gets a header, so that polars reads its first line as it reads any other.
    header = layout.delimiter.join(map(str, range(len(layout.names)))).encode() + b"\n"
    with plain.open("rb") as file:
        for place, block in enumerate(line_blocks(file, quotes=True)):
            frame = pl.read_csv(
                header + block if place else block,
                separator=layout.delimiter,
                null_values=list(MISSING_WORDS),
                infer_schema=False,
                new_columns=list(layout.names),
            )
            if blank and frame.width > 1:  # polars reads a blank line as a row without values
                frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
            yield frame


def line_blocks(file: BinaryIO, quotes: bool) -> Iterator[bytes]:
    """The bytes of a text file in blocks that end with a line.

    Args:
        file: Read from where it stands.
        quotes: Whether a line end between double quotes belongs to a value. A quote within a
            value is written twice, so a row ends where the number of quotes so far is even.
    """
    rest = b""
    while read := file.read(BLOCK):
        rest += read
        end = _last_row_end(rest, quotes)
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _last_row_end(block: bytes, quotes: bool) -> int:
    """Bytes up to the last line end outside of quotes; 0 if there is none."""
    end = block.rfind(b"\n") + 1
    before = block.count(b'"', 0, end) if quotes else 0
    while end and before % 2:
        earlier = block.rfind(b"\n", 0, end - 1) + 1
        before -= block.count(b'"', earlier, end)
        end = earlier
    return end


def _check_fields(plain: Path, shown: Path, layout: Layout) -> bool:
    """Whether a delimited file has blank lines; lines of too few fields are refused.

    Polars reads short lines as missing values. Where there are quotes, delimiters cannot be
    counted, and each row is looked at (measured: 3 s for a million rows of eleven columns).

    Raises:
        DataError: If a line has too few or too many fields, or is not UTF-8.
    """
    expected = len(layout.names) - 1
    figures = scan(plain, shown, layout.delimiter)
    if figures.quotes:
        return check_width(plain, shown, layout, None)
    if figures.delimiters == expected * figures.lines:
        return False
    with plain.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            found = line.count(layout.delimiter)
            if line.strip() and found != expected:
                raise DataError(
                    f"{shown}: line {number:,} has {found + 1} fields, the header has "
                    f"{expected + 1}",
                    hint="complete the line",
                )
    return True
