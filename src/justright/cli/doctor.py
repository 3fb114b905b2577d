"""``justright doctor``: what is installed, and a self-check of about ten seconds."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import typer

from justright.api import design
from justright.core.errors import JustRightError
from justright.data.options import DataOptions
from justright.designer.request.options import FitOptions
from justright.model.predictor import Model

PACKAGES = ("numpy", "polars", "torch", "scikit-learn", "sqlalchemy", "safetensors", "plotly")
EXTRAS = ("lightgbm", "pandas", "pyarrow", "onnx", "onnxruntime")


def doctor() -> None:
    """Say what is installed, then design a network for a small made-up table."""
    print(f"justright {importlib.metadata.version('justright')}")
    print(f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    for package in (*PACKAGES, *EXTRAS):
        print(f"  {package:<14} {_version(package)}")
    began = time.time()
    print("self-check ...", flush=True)
    try:
        error = _self_check()
    except JustRightError as trouble:
        print(f"self-check failed: {trouble}")
        raise typer.Exit(1) from trouble
    print(f"self-check passed in {time.time() - began:.0f} s: error {error:.3f} of the constant's")
    if error > 0.5:
        print("but the network learned less than half of a table that it should learn: report it")
        raise typer.Exit(1)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _self_check() -> float:
    """Fit y = x₀ x₁ + noise; the share of the constant's squared error that is left."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    y = x[:, 0] * x[:, 1] + 0.1 * rng.normal(size=600)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})
    with tempfile.TemporaryDirectory() as folder:
        options = FitOptions(
            data=DataOptions(target=("y",)), limit_s=12.0, studies=Path(folder), name="self-check"
        )
        study = design(frame[:500], options, started=time.time())
        predicted = Model.load(study.model).predict(frame[500:])["y"].to_numpy()
    rest = y[500:]
    return float(np.mean((predicted - rest) ** 2) / np.var(rest))
