"""An ONNX file against the model that it was made of, row by row."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from justright.core.errors import JustRightError, MissingExtraError
from justright.data.cleaning import cleaned_column
from justright.data.ingest import read_table
from justright.deploy.network import Preprocessing
from justright.export.build import OnnxFile
from justright.export.inputs import feed
from justright.export.packages import load_runtime
from justright.export.rows import made_up_rows
from justright.model.chunks import open_chunks
from justright.model.columns import read_columns

TOLERANCE = 1e-5
"""Largest difference of a file that is kept: of a probability, or of a value in standard
deviations of its target. Assumption: no decision hangs on less."""

BATCH = 4_096
"""Rows that the file runs at a time, as many as the model's own file: memory stays bounded."""

Answer = Callable[[pl.DataFrame, str], np.ndarray]
"""What the model says for cleaned rows whose numbers, where they are text, are of that style."""


class Comparison(NamedTuple):
    """How far a file is from its model.

    Attributes:
        rows: Rows that were compared.
        difference: The largest of a probability, or of a value in standard deviations of its
            target.
    """

    rows: int
    difference: float


def compare(
    made: OnnxFile, document: Mapping[str, Any], answer: Answer, data: Any = None
) -> Comparison | None:
    """Run a file and its model on the same rows; None where onnxruntime is not installed.

    Args:
        made: The file.
        document: The model's ``preprocessing.json``.
        answer: The model.
        data: Table of the rows, in any form that a model predicts; None = made-up rows.

    Raises:
        InputError: If the data cannot be used, or onnxruntime is missing and data are given.
        JustRightError: If the two differ by more than `TOLERANCE`.
    """
    runtime = load_runtime()
    if runtime is None:
        if data is not None:
            raise MissingExtraError(
                "checking an ONNX file needs the package onnxruntime",
                hint="pip install 'justright[onnx]'",
            )
        return None
    session = _session(runtime, made.content)
    rows, largest = 0, 0.0
    with _parts(made, document, data) as parts:
        for part in parts:
            expected = answer(part.frame, part.decimal)
            found = _run(session, made.outputs, part.feeds, part.frame.height)
            differences = _differences(document, expected, found)
            worst = int(differences.argmax())  # NaN is the largest, too
            if not differences[worst] <= TOLERANCE:
                raise JustRightError(
                    f"the ONNX file and the model differ by {differences[worst]:.3g} in row "
                    f"{rows + worst:,}, more than {TOLERANCE:g}; it was not written",
                    hint="predict with the model folder, and report it",
                )
            largest = max(largest, float(differences[worst]))
            rows += part.frame.height
    return Comparison(rows, largest)


def _session(runtime: Any, content: bytes) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base but this
        reason = str(error).partition("\n")[0]
        raise JustRightError(
            f"onnxruntime {runtime.__version__} cannot load the ONNX file: {reason}",
            hint="pip install -U onnxruntime",
        ) from error


def _run(
    session: Any, outputs: Sequence[str], feeds: Mapping[str, np.ndarray], rows: int
) -> list[np.ndarray]:
    """What the file says, in batches."""
    found = [
        session.run(outputs, {name: values[k : k + BATCH] for name, values in feeds.items()})
        for k in range(0, rows, BATCH)
    ]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


class _Part(NamedTuple):
    """Some rows: cleaned, with the style of their numbers, for the model; and for the file."""

    frame: pl.DataFrame
    decimal: str
    feeds: dict[str, np.ndarray]


@contextmanager
def _parts(made: OnnxFile, document: Mapping[str, Any], data: Any) -> Iterator[Iterator[_Part]]:
    """The rows in parts of bounded size."""
    if data is None:
        rows = made_up_rows(document, made.inputs)  # the file sees them as they are
        handed = rows.with_columns(pl.col(pl.Int64, pl.UInt64).cast(pl.String))
        feeds = {column.name: handed[column.name].to_numpy() for column in made.inputs}
        yield iter([_Part(read_table(rows).frame, "", feeds)])
    elif isinstance(data, str | os.PathLike):
        with open_chunks(Path(data)) as chunks:
            yield (_part(made, document, *chunk) for chunk in chunks)
    else:
        yield iter([_part(made, document, read_table(data).frame, "")])


def _part(made: OnnxFile, document: Mapping[str, Any], frame: pl.DataFrame, decimal: str) -> _Part:
    frame = _as_text(frame)
    columns = read_columns(frame, document, decimal)
    feeds = {column.name: feed(column, columns[column.name]) for column in made.inputs}
    return _Part(frame, decimal, feeds)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Stored categories as texts, among which some words mean "missing", as everywhere."""
    stored = [c for c in frame.get_columns() if c.dtype in (pl.Categorical, pl.Enum)]
    return frame.with_columns([cleaned_column(column.cast(pl.String)) for column in stored])


def _differences(
    document: Mapping[str, Any], expected: np.ndarray, found: list[np.ndarray]
) -> np.ndarray:
    """Largest difference of each row; infinite where the label is another one."""
    target = document["target"]
    apart = np.abs(found[0] - expected)
    if not target["classes"]:
        return (apart / np.array(target["scale"])).max(axis=1)
    best = np.sort(expected, axis=1)[:, -2:]
    clear = np.diff(best, axis=1)[:, 0] > 2 * TOLERANCE  # else both labels are right
    wrong = found[1] != Preprocessing(document, {}).labels(expected)
    return np.where(clear & wrong, np.inf, apart.max(axis=1))
