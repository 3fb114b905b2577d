"""Encoded rows on disk, memory-mapped: what training and baselines read. No polars here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from justright.core.codec import from_document
from justright.core.task import Task
from justright.data.curve import Curve
from justright.deploy.network import Preprocessing
from justright.recipe.network import Inputs


@dataclass(frozen=True)
class EncodedMeta:
    """What a folder of encoded rows is about.

    Attributes:
        inputs: What a network receives and must return.
        task: What is predicted.
        y_mean, y_scale: Of each target, from training rows; empty for classes.
        y_low, y_high: Range of the training targets; empty for classes.
        prior: Start of the head's bias: zeros, the log-odds, or log frequencies.
        rows: Number of rows.
        preprocessing: Fingerprint of the preprocessing.
        curve: What networks are trained on in place of the target; None for the target itself.
    """

    inputs: Inputs
    task: Task
    y_mean: tuple[float, ...]
    y_scale: tuple[float, ...]
    y_low: tuple[float, ...]
    y_high: tuple[float, ...]
    prior: tuple[float, ...]
    rows: int
    preprocessing: str
    curve: Curve | None = None


class EncodedRows:
    """The rows of one folder that `data.encode.write_encoded` has written; read-only.

    Attributes:
        folder: Where they lie.
        meta: What they are about.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        document = json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))
        self.meta = from_document(EncodedMeta, document)

    def __len__(self) -> int:
        return self.meta.rows

    @cached_property
    def x(self) -> np.ndarray:
        """Features float32 [rows, numbers + indicators]."""
        return load_array(self.folder / "x.npy")

    @cached_property
    def c(self) -> np.ndarray:
        """Codes int32 [rows, categories]; 0 is unseen."""
        return load_array(self.folder / "c.npy")

    @cached_property
    def y(self) -> np.ndarray:
        """Targets: standardised float32 [rows, targets], or class codes int64 [rows]."""
        return load_array(self.folder / "y.npy")

    @cached_property
    def trained(self) -> np.ndarray:
        """Targets as networks are trained on them: `y`, or its curve, float32 [rows, targets]."""
        return self.y if self.meta.curve is None else load_array(self.folder / "trained.npy")

    @cached_property
    def w(self) -> np.ndarray | None:
        """Weights float32 [rows], or None."""
        return self._optional("w")

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Codes of the groups int64 [rows], or None: `Problem.groups`."""
        return self._optional("groups")

    @cached_property
    def times(self) -> np.ndarray | None:
        """When each row happened, float64 [rows], or None: `Problem.times`."""
        return self._optional("times")

    @cached_property
    def edges(self) -> np.ndarray:
        """Quantiles of the numbers over training rows, float64 [numbers, any + 1]."""
        return load_array(self.folder / "edges.npy")

    def preprocessing(self) -> Preprocessing:
        """The preprocessing that has encoded the rows."""
        document = json.loads((self.folder / "preprocessing.json").read_text(encoding="utf-8"))
        with np.load(self.folder / "preprocessing.npz") as arrays:
            return Preprocessing(document, {name: arrays[name] for name in arrays.files})

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Named tensors of some rows to train on; see `engine.contract.Rows`.

        Args:
            rows: int [...].
        """
        found = {"x": self.x[rows], "c": self.c[rows], "y": self.trained[rows]}
        return found if self.w is None else found | {"w": self.w[rows]}

    def _optional(self, name: str) -> np.ndarray | None:
        path = self.folder / f"{name}.npy"
        return load_array(path) if path.exists() else None


class StackedRows:
    """Several folders below each other; row numbers go on from one to the next.

    Attributes:
        parts: The folders.
        offsets: int64 [parts + 1], where each begins.
    """

    def __init__(self, parts: Sequence[EncodedRows]) -> None:
        self.parts = tuple(parts)
        self.offsets = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Named tensors of some rows of any of the folders."""
        rows = np.asarray(rows)
        flat = rows.reshape(-1)
        owner = np.searchsorted(self.offsets, flat, side="right") - 1
        found: dict[str, np.ndarray] = {}
        for number, part in enumerate(self.parts):
            place = np.flatnonzero(owner == number)
            values = part.batch(flat[place] - self.offsets[number])
            for name, array in values.items():
                if name not in found:
                    found[name] = np.empty((len(flat), *array.shape[1:]), array.dtype)
                found[name][place] = array
        return {name: a.reshape(*rows.shape, *a.shape[1:]) for name, a in found.items()}


def concatenate(parts: Sequence[EncodedRows]) -> EncodedRows | StackedRows:
    """Several folders as one table: row i of folder k is row ``offset[k] + i``.

    Args:
        parts: Folders with the same inputs and task.

    Raises:
        ValueError: If there is none, or they differ.
    """
    if not parts:
        raise ValueError("no folders to put together")
    first = parts[0]
    for part in parts[1:]:
        if part.meta.inputs != first.meta.inputs or part.meta.task != first.meta.task:
            raise ValueError(f"{part.folder} has other inputs than {first.folder}")
        if (part.meta.curve is None) != (first.meta.curve is None):
            raise ValueError(f"only one of {part.folder} and {first.folder} has a curved target")
        if (part.w is None) != (first.w is None):
            raise ValueError(f"only one of {part.folder} and {first.folder} has weights")
    return first if len(parts) == 1 else StackedRows(parts)


def load_array(path: Path) -> np.ndarray:
    """An array file, memory-mapped and read-only; an empty one cannot be mapped and is read."""
    try:
        return np.load(path, mmap_mode="r")
    except ValueError:
        found = np.load(path)
        if found.size:
            raise
        return found
