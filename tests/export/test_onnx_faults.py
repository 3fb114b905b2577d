"""Whatever is wrong is found, is said in one line, and leaves no file."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from onnx_models import make_model

import justright
from justright.cli.commands import run
from justright.core.errors import JustRightError, MissingExtraError, ModelError, OptionError
from justright.export import body, columns
from justright.model import onnx_check
from justright.model.predictor import Model
from justright.recipe.network import Shape
from justright.testing.tables import mixed_frame


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Model:
    folder = tmp_path_factory.mktemp("model") / "model"
    shape = Shape(hidden=(6, 6), activation="leaky_relu", numbers="piecewise", bins=4)
    return make_model(folder, mixed_frame(300), "y", shape, drop=("kind", "note"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Model:
    folder = tmp_path_factory.mktemp("classes") / "model"
    return make_model(folder, mixed_frame(300), "kind", drop=("y", "note"))


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (body, "SLOPES", {"leaky_relu": 0.0101}),
        (columns, "CYCLE_START", 10_956.0),
        (columns, "LATEST", 1e12),
        (columns, "DAY_S", 86_399.0),
    ],
)
def test_a_wrong_number_in_the_graph_is_found(model, tmp_path, monkeypatch, module, name, value):
    out = tmp_path / "m.onnx"
    out.write_bytes(b"an older file")
    monkeypatch.setattr(module, name, value)
    with pytest.raises(JustRightError, match=r"differ by .* in row") as caught:
        model.export_onnx(out)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    assert out.read_bytes() == b"an older file"
    assert os.listdir(tmp_path) == ["m.onnx"]
    monkeypatch.undo()
    assert model.export_onnx(out).comparison is not None


def test_wrong_answers_of_a_model_are_found(model, tmp_path, monkeypatch):
    """A single row that differs, or is no number, in data that were handed in."""
    monkeypatch.setattr(onnx_check, "BATCH", 64)
    frame = mixed_frame(500, seed=8)
    for wrong in (2e-5, np.nan):
        found = Model.load(model.folder)
        scale = found._document["target"]["scale"][0]
        answer = found.arrays(frame)
        answer[321] += wrong * scale
        monkeypatch.setattr(found, "arrays", lambda *_, answer=answer: answer)
        with pytest.raises(JustRightError, match="in row 321"):
            found.export_onnx(tmp_path / "m.onnx", frame)
    assert not os.listdir(tmp_path)


def test_a_wrong_label_is_found(classes, tmp_path, monkeypatch):
    from justright.export import build  # noqa: PLC0415 - only here

    labels = build._labels
    monkeypatch.setattr(build, "_labels", lambda target: (labels(target)[0][::-1], "STRING"))
    with pytest.raises(JustRightError, match="differ by inf"):
        classes.export_onnx(tmp_path / "m.onnx")


def test_names_that_onnx_cannot_have(tmp_path):
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"a\0b": generator.normal(size=60), "y": generator.normal(size=60)})
    found = make_model(tmp_path / "model", frame, "y")
    with pytest.raises(ModelError, match=r"'a\\x00b' is named"):
        found.export_onnx(tmp_path / "m.onnx")


def test_free_text_is_refused(tmp_path):
    found = make_model(tmp_path / "model", mixed_frame(300), "y", drop=("kind",))
    with pytest.raises(ModelError) as caught:
        found.export_onnx(tmp_path / "m.onnx")
    assert str(caught.value) == (
        "ONNX has no operators for free text, which the column 'note' holds: fit without it "
        "(--drop), or predict with the model folder"
    )
    assert caught.value.exit_code == 2


def test_places_that_cannot_be(model, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    for out, words in (
        (tmp_path / "model", "does not end with .onnx"),
        (model.folder / "recipe.json", "does not end with .onnx"),
        (tmp_path / "folder.onnx", "is a folder"),
        (tmp_path / "no" / "m.onnx", "does not exist"),
    ):
        with pytest.raises(OptionError, match=words):
            model.export_onnx(out)
    assert Model.load(model.folder)


def test_a_disk_that_is_full(model, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OptionError, match="No space left on device"):
        model.export_onnx(tmp_path / "m.onnx")
    assert not os.listdir(tmp_path)


@pytest.fixture
def without(monkeypatch):
    """Makes packages look as if they were not installed."""
    real = importlib.util.find_spec

    def leave_out(*names: str) -> None:
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *a: None if name in names else real(name, *a)
        )

    return leave_out


def test_packages_that_are_missing_are_named(model, tmp_path, without):
    without("onnx", "onnxruntime")
    with pytest.raises(MissingExtraError, match=r"package onnx: pip install 'justright\[onnx\]'"):
        model.export_onnx(tmp_path / "m.onnx")
    without("onnxruntime")
    with pytest.raises(MissingExtraError, match="package onnxruntime"):
        model.export_onnx(tmp_path / "m.onnx", mixed_frame(9))
    assert not os.listdir(tmp_path)
    assert model.export_onnx(tmp_path / "m.onnx").comparison is None
    assert (tmp_path / "m.onnx").exists()


def test_the_command(model, classes, tmp_path, capsys, without):
    out = tmp_path / "m.onnx"
    rows = tmp_path / "rows.csv"
    mixed_frame(70, seed=5).write_csv(rows)
    assert run(["export", str(model.folder), "--onnx", str(out), "--check", str(rows)]) == 0
    said = capsys.readouterr().out
    assert f"6 columns in → value → {out}" in said
    assert "when: double, seconds since 1970 (UTC)" in said
    assert "town, tail: string, a category" in said
    assert "checked on 70 rows: differs from the model by at most" in said
    assert "standard deviations of the target" in said
    assert run(["export", str(classes.folder), "--onnx", str(out)]) == 0
    assert "in a probability" in capsys.readouterr().out
    without("onnxruntime")
    assert run(["export", str(classes.folder), "--onnx", str(out)]) == 0
    assert "not checked: onnxruntime is not installed" in capsys.readouterr().out


def test_mistakes_on_the_command_line(model, tmp_path, capsys):
    lacking = tmp_path / "rows.csv"
    mixed_frame(20).drop("town").write_csv(lacking)
    out = str(tmp_path / "m.onnx")
    for words, said in (
        (["--onnx", out, "--check", str(lacking)], "lack the column 'town'"),
        (["--onnx", out, "--check", str(tmp_path / "none.csv")], "there is no file"),
        (["--onnx", str(tmp_path / "m.pb")], "does not end with .onnx"),
        ([], "--onnx"),
    ):
        assert run(["export", str(model.folder), *words]) == 2
        line = capsys.readouterr().err
        assert said in line
        assert line.count("\n") == 1
    assert run(["export", str(tmp_path), "--onnx", out]) == 2
    assert "is no model folder" in capsys.readouterr().err
    assert not Path(out).exists()


def test_building_the_graph_needs_no_torch(model):
    script = (
        "import sys, justright; from justright.deploy import network; from pathlib import Path\n"
        "from justright.export.build import build; f = Path(sys.argv[1])\n"
        "build('t', network.read_json(f / 'recipe.json')['network'],"
        " network.read_json(f / 'preprocessing.json'),"
        " network.read_safetensors(f / 'weights.safetensors'))\n"
        "print('onnx' in sys.modules, 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, str(model.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.split() == ["True", "False"]
    assert justright.load(model.folder).columns == model.columns
