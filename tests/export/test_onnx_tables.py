"""Real tables: the file says what `Model.predict` says, on every row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from onnx_models import apart, make_model, session

from justright.core.errors import ModelError
from justright.recipe.network import Shape

ROOT = Path(__file__).parents[2]
TABLES = ROOT.parent / "shared" / "data"
ROWS = 1_200
SHAPES = {
    "ames": Shape(hidden=(32, 32), numbers="periodic", number_width=5, bins=16, activation="mish"),
    "penguins": Shape(hidden=(16,), normaliser="batch", activation="selu", scale_layer=False),
    "telco_churn": Shape(hidden=(24, 24), body="residual", normaliser="layer", activation="gelu"),
    "bikeshare": Shape(hidden=(16, 16), numbers="piecewise", bins=24, activation="silu"),
    "flights_late": Shape(hidden=(32,), numbers="periodic", bins=8, activation="prelu"),
    "loans_rate": Shape(hidden=(16, 16), body="residual", normaliser="batch", activation="elu"),
    "elecdemand": Shape(hidden=(16, 16), numbers="periodic", activation="leaky_relu"),
}
TARGETS = {
    "ames": "price",
    "penguins": "species",
    "telco_churn": "churn",
    "bikeshare": ("casual", "registered"),
    "flights_late": "late15",
    "loans_rate": "interest_rate",
    "elecdemand": "Demand",
}


def table(name: str, rows: int = ROWS) -> pl.DataFrame:
    path = TABLES / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    frame = pl.read_parquet(path)
    if name == "elecdemand":  # a value every half an hour of 2014
        steps = pl.int_range(frame.height) * pl.duration(minutes=30)
        moments = (pl.datetime(2014, 1, 1) + steps).dt.strftime("%d.%m.%Y %H:%M")
        frame = frame.with_columns(moments.alias("when"))
    return frame.gather(np.linspace(0, frame.height - 1, min(rows, frame.height)).astype(int))


@pytest.mark.parametrize("name", TARGETS)
def test_real_tables(tmp_path, name):
    frame = table(name)
    model = make_model(tmp_path / "model", frame, TARGETS[name], SHAPES[name])
    done = model.export_onnx(tmp_path / "model.onnx", frame)
    assert done.comparison is not None
    assert done.comparison.rows == frame.height
    onnx.checker.check_model(str(done.path), full_check=True)
    if name == "elecdemand":
        assert model._document["columns"][-1]["cycles"] == ["day", "week", "year"]
        frame = frame.with_columns(pl.col("when").str.to_datetime("%d.%m.%Y %H:%M"))
    if name == "flights_late":
        levels = {d["name"]: len(d.get("levels", ())) for d in model._document["columns"]}
        assert levels["month"] == 12
        frame = frame.with_columns(pl.col("month") + 6)  # half of them unseen
    limit = 1e-6 if SHAPES[name].activation == "gelu" else 1e-8
    assert done.comparison.difference < limit
    assert apart(model, session(done.path), frame) < limit
    assert model.export_onnx(tmp_path / "again.onnx").comparison.difference < limit
    assert (tmp_path / "again.onnx").read_bytes() == done.path.read_bytes()


@pytest.mark.parametrize("name", ["ames", "bikeshare"])
def test_square_roots_of_targets(tmp_path, name):
    """Outputs spread so far that some are roots below zero, and some beyond the training range."""
    frame = table(name)
    model = make_model(tmp_path / "model", frame, TARGETS[name], SHAPES[name], scale="sqrt")
    done = model.export_onnx(tmp_path / "model.onnx", frame)
    assert done.comparison is not None
    assert done.comparison.difference < 1e-8
    assert apart(model, session(done.path), frame) < 1e-8
    said = model.predict(frame).to_numpy()
    assert len(np.unique(said)) > frame.height // 2
    assert (said.max(axis=0) == model._document["target"]["high"]).all()
    assert (said.min(axis=0) == model._document["target"]["low"]).all()


def test_a_compressed_text_file_of_ten_classes(tmp_path):
    path = ROOT / "examples" / "digits.csv.gz"
    model = make_model(tmp_path / "model", pl.read_csv(path), "digit", Shape(hidden=(32,)))
    done = model.export_onnx(tmp_path / "model.onnx", path)
    assert done.comparison == (1_797, pytest.approx(0.0, abs=1e-9))


@pytest.mark.parametrize("name", ["sms_spam", "fine_foods"])
def test_free_text_is_refused_by_name(tmp_path, name):
    frame = table(name)
    target = {"sms_spam": "label", "fine_foods": "score"}[name]
    model = make_model(tmp_path / "model", frame, target)
    texts = [d["name"] for d in model._document["columns"] if d["encoding"] == "text"]
    assert texts
    with pytest.raises(ModelError, match=repr(texts[0])) as caught:
        model.export_onnx(tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.onnx").exists()
