"""The temperature of a model is in its ONNX file, too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from onnx_models import apart, make_model, session

from justright.deploy.network import Preprocessing, read_safetensors
from justright.model.folder import write_files
from justright.model.predictor import Model
from justright.model.uncertainty import with_uncertainty
from justright.statistics.conformal import sorted_errors

HOT = 1.7


def heated(model: Model, folder: Path) -> Model:
    """The same model with a temperature, and errors of rows held out."""
    recipe, document = (
        json.loads((model.folder / name).read_text())
        for name in ("recipe.json", "preprocessing.json")
    )
    arrays = read_safetensors(model.folder / "weights.safetensors")
    errors = sorted_errors(np.linspace(0, 1, 100)[:, None])
    made = with_uncertainty(Preprocessing(document, arrays), HOT, errors)
    card = (model.folder / "card.md").read_text()
    return Model.load(write_files(folder, recipe, made.document, made.arrays, card))


@pytest.mark.parametrize("classes", [2, 4])
def test_the_file_scales_as_the_model_does(tmp_path: Path, classes: int) -> None:
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c", "d"])[np.arange(80) % classes]
    frame = pl.DataFrame({"x": rng.normal(size=80), "z": rng.normal(size=80), "y": y})
    plain = make_model(tmp_path / "model", frame, "y")
    hot = heated(plain, tmp_path / "hot")
    before, after = plain.probabilities(frame), hot.probabilities(frame)
    assert np.abs(before - after).max() > 0.01
    told = hot.export_onnx(tmp_path / "hot.onnx", frame)
    assert told.comparison is not None
    assert told.comparison.difference < 1e-5
    assert apart(hot, session(tmp_path / "hot.onnx"), frame) < 1e-5
