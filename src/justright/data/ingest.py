"""The door for data: a file or a frame becomes a Table, or one clear line says why not."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import Any

import polars as pl

from justright.core.errors import DataError
from justright.data.cleaning import cleaned
from justright.data.delimited import read_delimited
from justright.data.fingerprint import file_fingerprint, frame_fingerprint
from justright.data.frames import to_polars
from justright.data.table import Table
from justright.data.textfile import sample_text, scan, unpacked

_ENDINGS = (
    ".gz",
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".dat",
    ".parquet",
    ".pq",
    ".arrow",
    ".feather",
    ".ipc",
    ".jsonl",
    ".ndjson",
    ".json",
)
_FORMATS = "CSV, TSV, Parquet, Arrow or JSON lines"


def read_table(source: Any, *, name: str | None = None) -> Table:
    """Read a table from a file or take it from a frame.

    The format of a file is told by its content, not by its name.

    Args:
        source: Path of a CSV or TSV file (also gzipped), Parquet, Arrow (Feather, IPC) or JSON
            lines; a polars, pandas or pyarrow frame; a NumPy array (2-D or structured); or a dict
            of columns.
        name: What the table is called; the file's name without endings, or "table".

    Raises:
        DataError: If it cannot be read, has no rows, or its column names are empty or not unique.

    >>> read_table({"size": [1, 2], "price": [10.0, float("nan")]}).frame["price"].to_list()
    [10.0, None]
    """
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source), name)
    frame = cleaned(to_polars(source), "the table")
    return Table(frame, name or "table", frame_fingerprint(frame))


def table_name(path: Path) -> str:
    """The name of a file without its folder and known endings.

    >>> table_name(Path("data/house.prices.csv.gz"))
    'house.prices'
    """
    name = path.name
    for _ in range(2):
        stem, dot, ending = name.rpartition(".")
        if not stem or f"{dot}{ending}".lower() not in _ENDINGS:
            break
        name = stem
    return name


def _read_file(path: Path, name: str | None) -> Table:
    check_path(path)
    try:
        frame, fingerprint = _read_by_content(path)
        return Table(cleaned(frame, str(path)), name or table_name(path), fingerprint)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{path} cannot be read: {reason}", hint="the file may be damaged; write it again"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path} cannot be read: {reason}", hint="check the file") from error


def check_path(path: Path) -> None:
    """Refuse a path that is not a file with something in it.

    Raises:
        DataError: If it is missing, empty, a folder, or no regular file.
    """
    try:
        if path.is_dir():
            files = sorted(file.name for file in path.iterdir() if file.suffix in _ENDINGS)
            hint = (
                f"name a file in it, such as {files[0]}" if files else f"name a file ({_FORMATS})"
            )
            raise DataError(f"{path} is a folder", hint=hint)
        if not path.exists():
            raise DataError(f"there is no file {path}", hint=_neighbour(path))
        if not path.is_file():
            raise DataError(f"{path} is not a regular file", hint="write it to a file first")
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty", hint="check how the file was written")
    except (OSError, ValueError) as error:  # a name that no file can have, a folder without access
        raise DataError(f"{path} cannot be read: {error}", hint="check the path") from error


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist either"
    names = [entry.name for entry in path.parent.iterdir()]
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"did you mean {path.with_name(near[0])}?" if near else "check the path"


def _read_by_content(path: Path) -> tuple[pl.DataFrame, str]:
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"PAR1"):
        return pl.read_parquet(path, glob=False), file_fingerprint(path)
    if head.startswith(b"ARROW1"):
        return pl.read_ipc(path), file_fingerprint(path)
    if head.startswith(b"\xff\xff\xff\xff"):
        return pl.read_ipc_stream(path), file_fingerprint(path)
    if head.startswith(b"PK") or head.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(
            f"{path} is an Excel workbook or a zip archive",
            hint="save the sheet as CSV, or unpack the archive",
        )
    if head.startswith(b"FEA1"):
        raise DataError(
            f"{path} is of the old Feather version 1",
            hint="write it again as Feather 2 or Parquet",
        )
    with unpacked(path) as plain:
        start = sample_text(plain, path).lstrip()
        if start.startswith("{"):
            return _read_json_lines(plain, path)
        if start.startswith("[") and path.suffix.lower().startswith(".json"):
            raise DataError(
                f"{path} is one JSON array", hint="write one object per line (JSON lines)"
            )
        return read_delimited(plain, path)


def _read_json_lines(plain: Path, path: Path) -> tuple[pl.DataFrame, str]:
    fingerprint = scan(plain, path, "\n").fingerprint
    try:
        return pl.read_ndjson(plain, infer_schema_length=None), fingerprint
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0]
    with plain.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            try:
                good = not line.strip() or isinstance(json.loads(line), dict)
            except ValueError:
                good = False
            if not good:
                raise DataError(
                    f"{path}: line {number:,} is not a JSON object", hint="write one per line"
                )
    raise DataError(f"{path} cannot be read: {reason}", hint="write one flat object per line")
