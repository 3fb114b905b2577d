"""Predictions into a file, frame after frame, in constant memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from justright.core.errors import OptionError

DELIMITED = (".csv", ".tsv")
OUTPUTS = (*DELIMITED, ".parquet", ".jsonl", ".ndjson")

Frames = Callable[[], Iterator[pl.DataFrame]]


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


def write_chunks(out: Path, frames: Frames) -> None:
    """Write frames one after the other into one file, which appears when it is complete.

    Args:
        out: CSV, TSV, Parquet or JSON lines, by its suffix.
        frames: Makes the frames, all of the same columns; called once.

    Raises:
        OptionError: If the suffix is unknown, or the file cannot be written.
    """
    check_output(out)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.suffix.lower() == ".parquet":
            _write_parquet(part, frames)
        else:
            with part.open("wb") as file:
                _write_text(file, out.suffix.lower(), frames)
        part.replace(out)
    except OSError as error:
        raise OptionError(
            f"--out {out}: cannot be written ({error.strerror or error})",
            hint="choose another place",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_text(file: BinaryIO, suffix: str, frames: Frames) -> None:
    for place, frame in enumerate(frames()):
        if suffix in (".jsonl", ".ndjson"):
            frame.write_ndjson(file)
        else:
            separator = "\t" if suffix == ".tsv" else ","
            frame.write_csv(file, separator=separator, include_header=place == 0)


def _write_parquet(part: Path, frames: Frames) -> None:
    """Frames into files beside it, then those into one, whose table of contents comes last.

    Polars would also take the frames one by one while it writes, but from several threads, each
    of which keeps memory of its own for what predicting needs (measured: 200 MB more).
    """
    with tempfile.TemporaryDirectory(prefix=part.name, dir=part.parent) as folder:
        paths: list[Path] = []
        for frame in frames():
            paths.append(Path(folder) / f"{len(paths)}.arrow")
            frame.write_ipc(paths[-1])
        pl.scan_ipc(paths).sink_parquet(part)
