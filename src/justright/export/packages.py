"""The packages of the extra ``onnx``: imported here and nowhere else."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from justright.core.errors import MissingExtraError


def load_onnx() -> Any:
    """The package that writes ONNX files.

    Raises:
        MissingExtraError: If it is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise MissingExtraError(
            "writing ONNX files needs the package onnx", hint="pip install 'justright[onnx]'"
        )
    for part in ("helper", "numpy_helper"):
        importlib.import_module(f"onnx.{part}")
    return importlib.import_module("onnx")


def load_runtime() -> Any | None:
    """The package that runs ONNX files, or None where it is not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    runtime = importlib.import_module("onnxruntime")
    runtime.set_default_logger_severity(3)  # below are remarks on the machine, not on the file
    return runtime
