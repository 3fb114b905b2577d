"""Encode rows of a table into a folder, in chunks, so that memory stays bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from justright.core.codec import fingerprint, from_document, to_document
from justright.data.arrays import columns_of
from justright.data.curve import Curve
from justright.data.encoded import EncodedMeta
from justright.data.problem import Problem
from justright.deploy.network import Preprocessing
from justright.recipe.network import Inputs

CHUNK = 16_384
"""Rows encoded at a time. Assumption: below it the calls cost more than the work, above it memory
grows and nothing is gained."""


def write_encoded(
    problem: Problem, preprocessing: Preprocessing, rows: np.ndarray, folder: Path
) -> EncodedMeta:
    """Encode rows of a problem's table; row i of the folder is the i-th of ``rows``.

    Args:
        problem: The table and its task.
        preprocessing: Fitted on training rows.
        rows: int [n], rows of the table.
        folder: Is made; files that are there are replaced.

    Raises:
        OSError: If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = preprocessing.document
    inputs = from_document(Inputs, document["inputs"])
    width = inputs.numbers + inputs.indicators
    x = _new_array(folder / "x.npy", np.float32, (len(rows), width))
    c = _new_array(folder / "c.npy", np.int32, (len(rows), len(inputs.categories)))
    for start in range(0, len(rows), CHUNK):
        some = slice(start, start + CHUNK)
        columns = columns_of(problem.table.frame, problem.schema.columns, rows[some])
        x[some], c[some] = preprocessing.encode(columns)
    for array, name in ((x, "x.npy"), (c, "c.npy")):
        if isinstance(array, np.memmap):
            array.flush()
        else:
            np.save(folder / name, array)
    _write_targets(problem, preprocessing, rows, folder)
    _write_ties(problem, rows, folder)
    np.save(folder / "edges.npy", preprocessing.arrays["edges"])
    np.savez(folder / "preprocessing.npz", **dict(preprocessing.arrays))  # type: ignore[arg-type]
    _write_json(folder / "preprocessing.json", document)
    target = document["target"]
    meta = EncodedMeta(
        inputs=inputs,
        task=problem.task,
        y_mean=tuple(target["mean"]),
        y_scale=tuple(target["scale"]),
        y_low=tuple(target["low"]),
        y_high=tuple(target["high"]),
        prior=tuple(target["prior"]),
        rows=len(rows),
        preprocessing=fingerprint(document),
        curve=_curve(target),
    )
    _write_json(folder / "meta.json", to_document(meta))
    return meta


def _new_array(path: Path, dtype: type, shape: tuple[int, int]) -> np.ndarray:
    """A file to fill; in memory where it is empty, for an empty file cannot be mapped."""
    if 0 in shape:
        return np.zeros(shape, dtype)
    return open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)


def _write_targets(
    problem: Problem, preprocessing: Preprocessing, rows: np.ndarray, folder: Path
) -> None:
    target = preprocessing.document["target"]
    y = problem.target()[rows]
    curve = _curve(target)
    if curve is not None:
        np.save(folder / "trained.npy", curve.bend(y).astype(np.float32))
    if not problem.task.is_classification:
        y = ((y - np.array(target["mean"])) / np.array(target["scale"])).astype(np.float32)
    np.save(folder / "y.npy", y)
    weights = problem.weights()
    if weights is not None:
        np.save(folder / "w.npy", weights[rows].astype(np.float32))


def _curve(target: Mapping[str, Any]) -> Curve | None:
    """The curve that the document of a target names; None where it is trained on as it is."""
    return from_document(Curve, target["curve"]) if "curve" in target else None


def _write_ties(problem: Problem, rows: np.ndarray, folder: Path) -> None:
    """What ties rows to each other, for those who part them once more."""
    for name, values in (("groups", problem.groups()), ("times", problem.times())):
        if values is not None:
            np.save(folder / f"{name}.npy", values[rows])


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
