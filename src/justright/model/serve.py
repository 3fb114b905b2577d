"""Predictions in a worker: the one place of the model that brings in PyTorch."""

from __future__ import annotations

import hashlib
import importlib.util
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.errors import ModelError
from justright.deploy.network import Coded
from justright.model.folder import check_model
from justright.model.latency import seconds_to_answer

TIMED_ROWS = 1_000
"""Rows of the batch that is timed: enough that what a call costs by itself is small beside it, as
where tables are predicted (assumption)."""

TIMED_RUNS, TIMED_S = 5, 0.2
"""Such batches at most, and seconds after which no other is begun (assumption)."""


def load_predictor(folder: str | Path) -> Any:
    """Run the folder's own ``network.py`` and let it load the folder.

    The file is a program: load folders that you trust.

    Raises:
        ModelError: If the folder is missing, damaged, edited or of a newer format.
    """
    folder = Path(folder)
    check_model(folder)
    path = folder / "network.py"
    # Its own name for each content, so that models of several versions live side by side.
    name = f"justright_model_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ModelError(f"{str(path)!r} is no Python file", hint="restore the folder")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    try:
        return module.load(folder)
    except module.ModelError as error:
        raise ModelError(str(error), hint="restore the folder, or fit again") from error


def predict_columns(
    folder: str, columns: Mapping[str, Any], report: Callable[[Any], None]
) -> tuple[np.ndarray, float, float]:
    """Predict columns with a model folder, and time how long a row takes.

    Args:
        folder: The model folder.
        columns: What `data.arrays.columns_of` returns.
        report: Not used: it takes well under a second.

    Returns:
        Values [rows, targets] or probabilities [rows, classes]; the seconds of this worker to
        predict a row within a batch of 1,000, its encoding included and reading the folder not;
        and the seconds in which the network answers for a row by itself.
    """
    del report
    predictor = load_predictor(folder)
    batch = _timed(predictor, columns)
    x, c = predictor.preprocessing.encode(batch)
    alone = seconds_to_answer(predictor.network, x[:1], c[:1])
    return predictor.decoded(columns), _seconds_a_row(predictor, batch), alone


def _timed(predictor: Any, columns: Mapping[str, Any]) -> dict[str, Any]:
    described = predictor.preprocessing.document["columns"]
    texts = {column["name"] for column in described if column["encoding"] == "text"}
    return {name: _batch(values, text=name in texts) for name, values in columns.items()}


def _seconds_a_row(predictor: Any, batch: Mapping[str, Any]) -> float:
    """Of the fastest run: the others were disturbed."""
    taken: list[float] = []
    while len(taken) < TIMED_RUNS and sum(taken) < TIMED_S:
        began = time.perf_counter()
        predictor.decoded(batch)
        taken.append(time.perf_counter() - began)
    return min(taken) / TIMED_ROWS


def _batch(values: np.ndarray | Coded, *, text: bool) -> np.ndarray | Coded:
    """The first rows, repeated where there are too few; each text as if it had not been seen."""
    if isinstance(values, np.ndarray):
        return np.resize(values, TIMED_ROWS)
    codes = np.resize(values.codes, TIMED_ROWS)
    if not text:
        return Coded(codes, values.values)
    known = codes >= 0
    own = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
    return Coded(own, [values.values[int(code)] for code in codes[known]])
