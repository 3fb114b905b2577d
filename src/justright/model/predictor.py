"""A trained model, ready to predict tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from justright.core.codec import from_document
from justright.core.errors import DataError, ModelError, OptionError
from justright.core.task import Task
from justright.data.arrays import ColumnArray
from justright.data.ingest import read_table
from justright.data.problem import numbers_of, target_of
from justright.model.chunks import open_chunks
from justright.model.columns import check_columns, read_columns
from justright.model.folder import documents, reading
from justright.model.onnx_file import Exported, write_onnx
from justright.model.output import DELIMITED, check_output, write_chunks
from justright.model.serve import load_predictor
from justright.model.uncertainty import check_level, flat, interval_columns
from justright.recipe.network import NetworkSpec, networks_in, parameter_count
from justright.statistics.metrics import score

logger = logging.getLogger("justright")

ROWS = 16_384
"""Rows predicted at a time, so that memory stays bounded."""


class Model:
    """A model folder. Predicting runs the folder's own ``network.py``, in double precision.

    PyTorch is imported by the first prediction. One thread uses a model at a time.

    >>> model = Model.load("studies/houses/model")          # doctest: +SKIP
    >>> model.predict({"size": [61.0], "town": ["Ulm"]})     # doctest: +SKIP
    """

    def __init__(
        self, folder: Path, recipe: Mapping[str, Any], preprocessing: Mapping[str, Any]
    ) -> None:
        self.folder = folder
        self.task = from_document(Task, recipe["task"])
        self.spec = from_document(NetworkSpec, recipe["network"])
        self.networks = networks_in(self.spec, recipe["tensors"])
        self._document = preprocessing
        self._noted: set[str] = set()

    @classmethod
    def load(cls, folder: str | Path) -> Model:
        """Read a model folder, wherever it was copied to.

        Raises:
            ModelError: If it is missing, damaged, edited by hand, or of a newer format.
        """
        folder = Path(folder)
        with reading(folder):
            return cls(folder, *documents(folder))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it needs."""
        return tuple(str(d["name"]) for d in self._document["columns"])

    @property
    def parameters(self) -> int:
        """Number of learned weights, of all networks where several are averaged."""
        return self.networks * parameter_count(self.spec)

    def predict(self, data: Any, interval: float | None = None) -> pl.DataFrame:
        """Predict the rows of a table.

        An interval is made of the errors on rows that were held out of training (split-conformal;
        Lei et al. 2018): it holds that share of new targets if new rows are like the old ones.
        Row weights do not count in it.

        Args:
            data: Path of a file; a polars or pandas frame, a NumPy array, or a dict of columns.
                Columns may come in any order; further ones are ignored.
            interval: Share of new targets that intervals are to hold, such as 0.9; None = no
                intervals.

        Returns:
            One column per target; for classes the most probable one, in its original type, and a
            column ``p(label)`` per class. With intervals also ``TARGET_low`` and ``TARGET_high``
            per target; for classes ``TARGET_set``, the labels that cannot be ruled out, the most
            probable one always among them.

        Raises:
            InputError: If it cannot be read, columns are missing, or the model cannot give such
                an interval.
        """
        self.check_interval(interval)
        return self.frame_of(self.arrays(self._read(data)), interval)

    def probabilities(self, data: Any) -> np.ndarray:
        """Probabilities float64 [rows, classes], classes in the order of ``task.classes``.

        Raises:
            InputError: If the model predicts numbers, or the data cannot be used.
        """
        if not self.task.is_classification:
            raise ModelError(
                f"the model predicts {self.task.kind.value}, which has no probabilities",
                hint="use predict",
            )
        return self.arrays(self._read(data))

    def evaluate(self, data: Any) -> dict[str, float]:
        """Score the model on rows whose target is known: every metric that applies.

        Rows without a target are left out; the weight column counts where there is one.

        Raises:
            InputError: If the data cannot be used, or no row has a target.
        """
        frame = self._read(data)
        targets = [name for name in self.task.targets if name in frame.columns]
        known = frame.drop_nulls(targets) if targets else frame
        if known.height == 0:
            raise DataError("no row has a target", hint="evaluating needs known targets")
        weight = self._document["weight"]
        weights = numbers_of(known[weight]) if weight in known.columns else None
        return score(self.task, target_of(known, self.task), self.arrays(known), weights)

    def export_onnx(self, path: str | Path, check: Any = None) -> Exported:
        """Write the model with its preprocessing as one ONNX file, and compare the two.

        Every column is an input of its own, a vector of any length: double-precision numbers, or
        texts. Missing is NaN or the empty text. Needs ``pip install 'justright[onnx]'``.

        Args:
            path: The file, ``*.onnx``; one that is there is replaced.
            check: Table on whose rows file and model are compared, in any form that `predict`
                takes; None = made-up rows.

        Raises:
            InputError: If a column holds free text, for which ONNX has no operators; if the data
                cannot be used, a package is missing, or the file cannot be written.
            JustRightError: If the two differ by more than 1e-5; nothing is written then.
        """
        return write_onnx(self.folder, Path(path), self.arrays, check)

    def arrays(self, frame: pl.DataFrame, decimal: str = "") -> np.ndarray:
        """Values [rows, targets] or probabilities [rows, classes] for a cleaned frame.

        Args:
            frame: As `data.ingest.read_table` makes it.
            decimal: Style of numbers that are stored as text; see `model.columns`.

        Raises:
            ModelError: If columns are missing.
        """
        self._note(frame)
        columns = (
            self._columns(frame.slice(start, ROWS), decimal)
            for start in range(0, max(frame.height, 1), ROWS)
        )
        return np.concatenate([self._predictor.decoded(each) for each in columns])

    @cached_property
    def _predictor(self) -> Any:
        return load_predictor(self.folder)

    def _read(self, data: Any) -> pl.DataFrame:
        if isinstance(data, pl.DataFrame) and data.height == 0:
            return data  # nothing to predict is no mistake of a program
        return read_table(data).frame

    def _columns(self, frame: pl.DataFrame, decimal: str) -> dict[str, ColumnArray]:
        """The input columns; says once which hold nothing that reads as a number."""
        columns = read_columns(frame, self._document, decimal)
        for name, values in columns.items():
            if not isinstance(values, np.ndarray) or name in self._noted or not len(values):
                continue
            if np.isnan(values).all() and frame[name].null_count() < frame.height:
                self._noted.add(name)
                first = frame[name].drop_nulls()[0]
                logger.warning(
                    "the column %r should hold numbers or dates but holds such as %r: it counts "
                    "as missing there",
                    name,
                    first,
                )
        return columns

    def _note(self, frame: pl.DataFrame) -> None:
        """Say once which columns the model does not know."""
        strange = [n for n in check_columns(frame.columns, self._document) if n not in self._noted]
        if strange:
            self._noted.update(strange)
            shown = ", ".join(strange[:5]) + (", ..." if len(strange) > 5 else "")
            logger.warning("columns that the model does not know are ignored: %s", shown)

    def check_interval(self, interval: float | None) -> None:
        """Refuse intervals that the model cannot give.

        Raises:
            InputError: If it is no share, or the model does not know enough rows held out.
        """
        if interval is not None:
            check_level(interval, self._predictor.preprocessing.arrays)

    def frame_of(self, found: np.ndarray, interval: float | None = None) -> pl.DataFrame:
        """What `arrays` returned as the columns that `predict` promises."""
        own, targets = self._predictor.preprocessing, self.task.targets
        if not self.task.is_classification:
            columns = [pl.Series(name, found[:, place]) for place, name in enumerate(targets)]
        else:
            chances = [pl.Series(f"p({c})", found[:, i]) for i, c in enumerate(self.task.classes)]
            columns = [pl.Series(targets[0], own.labels(found)), *chances]
        if interval is not None:
            columns += interval_columns(own, targets, found, interval)
        return pl.DataFrame(columns)

    def __repr__(self) -> str:
        return f"Model({str(self.folder)!r}: {self._summary()})"

    def _repr_html_(self) -> str:
        return f"<b>{escape(self.folder.name)}</b>: {escape(self._summary())}"

    def _summary(self) -> str:
        shape = self.spec.shape
        size = f"{len(shape.hidden)} × {max(shape.hidden, default=0)}"
        members = f"{self.networks} networks of " if self.networks > 1 else ""
        members += f"{shape.members} members of " if shape.members > 1 else ""
        return (
            f"{self.task.kind.value} of {', '.join(self.task.targets)} from {len(self.columns)} "
            f"columns, {members}{shape.body} {size}, {self.parameters:,} weights"
        )


def predict_file(
    model: Model, source: str | Path, out: str | Path, interval: float | None = None
) -> int:
    """Predict a file into another one, chunk by chunk, in constant memory.

    Args:
        model: The model.
        source: CSV, TSV, Parquet, Arrow or JSON lines.
        out: CSV, TSV, Parquet or JSON lines, by its suffix; row i belongs to row i of the source.
        interval: As in `Model.predict`; CSV and TSV, which have no lists, get sets as ``a|b``.

    Returns:
        Number of rows.

    Raises:
        InputError: If the source cannot be used, or the result cannot be written.
    """
    out = Path(out)
    check_output(out)
    if out.exists() and Path(source).exists() and out.samefile(source):
        raise OptionError(
            f"--out {out} is the file to predict, which would be lost", hint="name another file"
        )
    model.check_interval(interval)
    text, rows = out.suffix.lower() in DELIMITED, 0
    with open_chunks(Path(source)) as chunks:

        def frames() -> Iterator[pl.DataFrame]:
            nonlocal rows
            for chunk in chunks:
                frame = model.frame_of(model.arrays(chunk.frame, chunk.decimal), interval)
                rows += frame.height
                yield flat(frame) if text else frame

        write_chunks(out, frames)
    return rows
