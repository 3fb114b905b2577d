"""Intervals and temperature of a model folder, through every door: Python, file, command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from test_model_folder import make_folder

from justright.core.errors import ModelError, OptionError
from justright.deploy import network
from justright.deploy.network import Preprocessing
from justright.model.columns import read_columns
from justright.model.folder import write_files
from justright.model.held import HeldModel
from justright.model.predictor import Model, predict_file
from justright.model.serve import load_predictor
from justright.model.uncertainty import interval_columns, with_uncertainty
from justright.statistics.conformal import sorted_errors
from justright.statistics.temperature import scaled
from justright.testing.commands import justright
from justright.testing.tables import mixed_frame

HOT = 1.7


def with_errors(folder: Path, temperature: float, errors: np.ndarray) -> Path:
    """The same model, with what a study adds at its end."""
    recipe, document = (
        json.loads((folder / name).read_text()) for name in ("recipe.json", "preprocessing.json")
    )
    arrays = network.read_safetensors(folder / "weights.safetensors")
    made = with_uncertainty(Preprocessing(document, arrays), temperature, sorted_errors(errors))
    place = folder.with_name("calibrated")
    return write_files(place, recipe, made.document, made.arrays, (folder / "card.md").read_text())


@pytest.fixture(scope="module")
def regression(tmp_path_factory) -> Path:
    folder = make_folder(tmp_path_factory.mktemp("regression") / "model")
    return with_errors(folder, 1.0, np.arange(1.0, 101.0)[:, None])


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("classes") / "model", "kind")


@pytest.fixture(scope="module")
def classes(plain: Path) -> Path:
    return with_errors(plain, HOT, np.linspace(0.0, 1.0, 400)[:, None])


def test_the_ends_are_as_far_as_the_ranked_error(regression: Path) -> None:
    frame = mixed_frame(20, seed=1)
    model = Model.load(regression)
    found = model.predict(frame, interval=0.9)
    assert found.columns == ["y", "y_low", "y_high"]
    assert found["y"].equals(model.predict(frame)["y"])
    np.testing.assert_allclose(found["y_high"] - found["y"], 91.0)  # ⌈101 · 0.9⌉ = 91
    np.testing.assert_allclose(found["y"] - found["y_low"], 91.0)


def test_sets_hold_what_cannot_be_ruled_out(classes: Path) -> None:
    frame = mixed_frame(60, seed=1)
    found = Model.load(classes).predict(frame, interval=0.8)
    assert found.columns == ["kind", "p(a)", "p(b)", "p(c)", "kind_set"]
    assert found.schema["kind_set"] == pl.List(pl.String)
    least = 1 - np.linspace(0.0, 1.0, 400)[int(np.ceil(401 * 0.8)) - 1]
    for row in found.iter_rows(named=True):
        wanted = {c for c in "abc" if row[f"p({c})"] >= least} | {row["kind"]}
        assert set(row["kind_set"]) == wanted
    sizes = found["kind_set"].list.len()
    assert sizes.min() == 1 < sizes.max()  # type: ignore[operator]


def test_the_temperature_is_applied_once_to_the_logits(plain: Path, classes: Path) -> None:
    frame = mixed_frame(60, seed=2)
    before, after = (Model.load(folder).probabilities(frame) for folder in (plain, classes))
    np.testing.assert_allclose(after, scaled(before, HOT), atol=1e-12)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_the_shipped_file_says_the_same(classes: Path, regression: Path) -> None:
    frame = mixed_frame(30, seed=3)
    for folder in (classes, regression):
        shipped, model = load_predictor(folder), Model.load(folder)
        document = shipped.preprocessing.document
        found = shipped.decoded(read_columns(frame, document))
        inside = shipped.preprocessing.interval(found, 0.9)
        made = model.predict(frame, interval=0.9)
        if folder is regression:
            np.testing.assert_array_equal(inside[0, :, 0], made["y_low"])
            np.testing.assert_array_equal(inside[1, :, 0], made["y_high"])
        else:
            assert [len(s) for s in made["kind_set"]] == inside.sum(axis=1).tolist()


def test_a_held_model_and_its_copy_say_the_same(classes: Path, tmp_path: Path) -> None:
    frame = mixed_frame(30, seed=4)
    wanted = Model.load(classes).predict(frame, interval=0.9)
    held = HeldModel.of(classes)
    assert held.predict(frame, interval=0.9).equals(wanted)
    copy = Model.load(held.save(tmp_path / "copy"))
    assert copy.predict(frame, interval=0.9).equals(wanted)


def test_the_command_writes_intervals(regression: Path, classes: Path, tmp_path: Path) -> None:
    frame = mixed_frame(40, seed=5)
    frame.write_csv(tmp_path / "rows.csv")
    words = ("predict", str(regression), "rows.csv", "--out", "out.csv", "--interval", "0.9")
    assert justright(*words, cwd=tmp_path).returncode == 0
    found = pl.read_csv(tmp_path / "out.csv")
    wanted = Model.load(regression).predict(frame, interval=0.9)
    np.testing.assert_allclose(found.to_numpy(), wanted.to_numpy())
    wanted = Model.load(classes).predict(tmp_path / "rows.csv", interval=0.9)
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        predict_file(Model.load(classes), tmp_path / "rows.csv", tmp_path / name, 0.9)
    assert pl.read_parquet(tmp_path / "out.parquet")["kind_set"].equals(wanted["kind_set"])
    assert pl.read_ndjson(tmp_path / "out.jsonl")["kind_set"].equals(wanted["kind_set"])
    texts = pl.read_csv(tmp_path / "out.csv")["kind_set"].str.split("|")
    assert texts.equals(wanted["kind_set"])


@pytest.mark.parametrize("level", [0.0, 1.0, 90, -0.5, float("nan")])
def test_levels_that_are_no_share(regression: Path, level: float) -> None:
    with pytest.raises(OptionError, match="give a share between 0 and 1"):
        Model.load(regression).predict(mixed_frame(3), interval=level)


def test_more_than_the_rows_held_out_can_say(regression: Path, tmp_path: Path) -> None:
    model = Model.load(regression)
    with pytest.raises(OptionError, match=r"from 100 rows held out: so few are enough for 0\.9"):
        model.predict(mixed_frame(3), interval=0.999)
    assert np.isfinite(model.predict(mixed_frame(3), interval=0.99)["y_high"].to_numpy()).all()
    mixed_frame(3).write_csv(tmp_path / "rows.csv")
    with pytest.raises(OptionError):
        predict_file(model, tmp_path / "rows.csv", tmp_path / "out.csv", 0.999)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_folder_without_errors_says_so(plain: Path) -> None:
    """As older folders are, and those of a study that was stopped."""
    with pytest.raises(ModelError, match="it gives no intervals"):
        Model.load(plain).predict(mixed_frame(3), interval=0.9)
    shipped = load_predictor(plain)
    with pytest.raises(Exception, match="it has no intervals"):
        shipped.preprocessing.interval(np.ones((1, 3)) / 3, 0.9)


def test_a_target_with_the_name_of_an_end() -> None:
    own = with_uncertainty(
        Preprocessing({"columns": [], "centre": [], "factor": [], "target": {"classes": []}}, {}),
        1.0,
        sorted_errors(np.ones((9, 2))),
    )
    with pytest.raises(ModelError, match="'y_low' has the name of an interval's end"):
        interval_columns(own, ("y", "y_low"), np.zeros((1, 2)), 0.5)
