"""Predictions in a worker: the one place of the model that brings in PyTorch."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.errors import ModelError
from justright.model.folder import check_model


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
) -> np.ndarray:
    """Predict columns with a model folder: values [rows, targets] or probabilities.

    Args:
        folder: The model folder.
        columns: What `data.arrays.columns_of` returns.
        report: Not used: it takes well under a second.
    """
    del report
    return load_predictor(folder).decoded(columns)
