"""Rows of a file in chunks and predictions into a file, both in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from justright.core.errors import DataError, OptionError
from justright.data.cleaning import MISSING_WORDS, cleaned
from justright.data.delimited import Layout, check_width, find_layout
from justright.data.ingest import check_path
from justright.data.numerals import COMMA
from justright.data.textfile import sample_text, scan, unpacked

CHUNK = 65_536
"""Rows read at a time; some 50 MB for a hundred columns."""

OUTPUTS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")


class Chunk(NamedTuple):
    """Some rows of a file, cleaned, and the number style of its text."""

    frame: pl.DataFrame
    decimal: str


@contextmanager
def open_chunks(path: Path) -> Iterator[Iterator[Chunk]]:
    """Read a file in chunks of rows; text files as text, so that no chunk can differ in type.

    Raises:
        DataError: If it is missing or cannot be read.
    """
    check_path(path)
    try:
        with unpacked(path) as plain:
            lazy, decimal = _lazy(plain, path)
            yield _cleaned_chunks(lazy, decimal, path)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"{path} cannot be read: {reason}", hint="check the file") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def write_chunks(
    out: Path, schema: pl.Schema, frames: Callable[[], Iterator[pl.DataFrame]]
) -> None:
    """Write frames one after the other into one file, which appears when it is complete.

    Args:
        out: CSV, TSV, Parquet or JSON lines, by its suffix.
        schema: Of every frame.
        frames: Makes the frames; called once.

    Raises:
        OptionError: If the suffix is unknown, or the file cannot be written.
    """
    check_output(out)

    def source(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,  # noqa: ARG001 - nothing is asked of the frames but all of them
        batch_size: int | None,  # noqa: ARG001
    ) -> Iterator[pl.DataFrame]:
        for frame in frames():
            found = frame if predicate is None else frame.filter(predicate)
            yield found if with_columns is None else found.select(with_columns)

    lazy = register_io_source(source, schema=schema)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.suffix.lower() == ".parquet":
            lazy.sink_parquet(part)
        elif out.suffix.lower() in (".jsonl", ".ndjson"):
            lazy.sink_ndjson(part)
        else:
            lazy.sink_csv(part, separator="\t" if out.suffix.lower() == ".tsv" else ",")
        part.replace(out)
    except OSError as error:
        raise OptionError(
            f"--out {out}: cannot be written ({error.strerror or error})",
            hint="choose another place",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def check_output(out: Path) -> None:
    """Refuse a file that cannot be written before work begins.

    Raises:
        OptionError: If its suffix is unknown, or its folder is missing.
    """
    if out.suffix.lower() not in OUTPUTS:
        raise OptionError(
            f"--out {out}: unknown suffix {out.suffix!r}", hint=f"use one of {', '.join(OUTPUTS)}"
        )
    if out.is_dir():
        raise OptionError(f"--out {out} is a folder", hint="name a file")
    if not out.parent.is_dir():
        raise OptionError(
            f"--out {out}: the folder {out.parent} does not exist", hint="make it first"
        )


def _lazy(plain: Path, shown: Path) -> tuple[pl.LazyFrame, str]:
    """A lazy frame of a file, its format told by the content, and the style of its numbers."""
    with plain.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PAR1"):
        return pl.scan_parquet(plain, glob=False), ""
    if head.startswith(b"ARROW1"):
        return pl.scan_ipc(plain), ""
    text = sample_text(plain, shown)
    if text.lstrip().startswith("{"):
        return pl.scan_ndjson(plain, infer_schema_length=CHUNK), ""
    layout = find_layout(text, shown)
    blank = _check_fields(plain, shown, layout)
    lazy = pl.scan_csv(
        plain,
        separator=layout.delimiter,
        null_values=list(MISSING_WORDS),
        infer_schema=False,
        new_columns=list(layout.names),
        glob=False,
    )
    if blank and len(layout.names) > 1:  # polars reads a blank line as a row without values
        lazy = lazy.filter(~pl.all_horizontal(pl.all().is_null()))
    return lazy, COMMA if layout.decimal_comma else ""


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


def _cleaned_chunks(lazy: pl.LazyFrame, decimal: str, path: Path) -> Iterator[Chunk]:
    rows = 0
    for frame in lazy.collect_batches(chunk_size=CHUNK, maintain_order=True):
        if frame.height:
            rows += frame.height
            yield Chunk(cleaned(frame, str(path)), decimal)
    if rows == 0:
        raise DataError(f"{path} has no rows", hint="check how the file was written")
