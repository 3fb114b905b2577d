"""Model folders: written whole, checked before use, one clear line for every fault."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from justright.core.codec import from_document, to_document
from justright.core.errors import ModelError
from justright.data.preprocessing import fit_preprocessing
from justright.deploy import network as deployed
from justright.model.card import CardFacts
from justright.model.columns import read_columns
from justright.model.folder import FILES, check_model, update_card, write_model
from justright.model.predictor import Model
from justright.model.serve import load_predictor
from justright.recipe.network import (
    Inputs,
    NetworkSpec,
    Shape,
    buffer_shapes,
    tensor_shapes,
)
from justright.recipe.recipe import PreprocessingSpec, Recipe
from justright.testing.tables import mixed_problem


def make_folder(
    folder: Path, target: str = "y", seed: int = 0, rows: int = 300, members: int = 1
) -> Path:
    """A model of random weights on a mixed table."""
    problem = mixed_problem(rows, target)
    every = np.arange(rows)
    fitted = fit_preprocessing(problem, every, PreprocessingSpec(text_components=4), every)
    inputs = from_document(Inputs, fitted.document["inputs"])
    spec = NetworkSpec(Shape(hidden=(6,), numbers="periodic", bins=3, members=members), inputs)
    generator = np.random.default_rng(seed)
    weights = {
        name: generator.normal(size=shape).astype(np.float32)
        for name, shape in (tensor_shapes(spec) | buffer_shapes(spec)).items()
    }
    return write_model(
        folder,
        recipe=Recipe(),
        spec=spec,
        preprocessing=fitted,
        weights=weights | {"ema/other": np.zeros(2, np.float32)},
        task=problem.task,
        facts=CardFacts("mixed", rows, metric="rmse", validation={"rmse": 0.5}),
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return make_folder(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def folder(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def test_a_fresh_folder_is_whole(original):
    manifest = check_model(original)
    assert set(manifest["files"]) == set(FILES)
    assert {path.name for path in original.iterdir()} == {*FILES, "manifest.json"}
    assert not list(original.parent.glob(".*"))


def test_only_what_the_network_needs_is_written(original):
    names = set(load_file(original / "weights.safetensors"))
    assert "ema/other" not in names
    assert "edges" not in names
    assert "head.weight" in names
    assert any(name.startswith("preprocessing/") for name in names)


def test_the_shipped_file_is_the_one_of_the_package(original):
    import justright.deploy.network as network  # noqa: PLC0415 - its place is what is asked

    assert (original / "network.py").read_bytes() == Path(network.__file__).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_any_edited_file_is_named(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ModelError, match="was changed after it was written") as caught:
        Model.load(folder)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_any_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name}' is missing"):
        Model.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1}', '{"format": "one"}'])
def test_damaged_manifests(folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ModelError, match=r"manifest\.json"):
        Model.load(folder)


def test_a_manifest_that_forgets_a_file(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]["network.py"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"does not name network\.py"):
        Model.load(folder)


def test_newer_formats_are_refused(folder):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(ModelError, match="format 2, and this version reads up to 1"):
        Model.load(folder)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        Model.load(tmp_path / "model")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="is not a folder"):
        Model.load(tmp_path / "file")
    with pytest.raises(ModelError, match="is no model folder"):
        Model.load(tmp_path)


def _resign(folder: Path) -> None:
    """What somebody does who edits a file and its digest as well."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in FILES:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        manifest["files"][name]["sha256"] = digest
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.json", b"{"),
        ("recipe.json", b'{"format": 1, "task": 3}'),
        ("preprocessing.json", b"not json"),
        ("weights.safetensors", b"12345678"),
    ],
)
def test_damage_with_a_matching_digest_is_still_one_line(folder, name, content):
    (folder / name).write_bytes(content)
    _resign(folder)
    with pytest.raises(ModelError) as caught:
        Model.load(folder).predict({"size": [1.0], "price": [1.0]})
    assert "\n" not in str(caught.value)


def test_replacing_a_model(tmp_path):
    place = tmp_path / "model"
    first = make_folder(place, seed=1)
    before = (first / "weights.safetensors").read_bytes()
    (place / "stray.txt").write_text("left behind by an older version")
    make_folder(place, seed=2)
    assert (place / "weights.safetensors").read_bytes() != before
    assert not (place / "stray.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_write_that_fails_leaves_the_old_model(folder, monkeypatch):
    real = Path.rename

    def broken(self, target):
        if str(self).endswith(".new"):
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    before = (folder / "weights.safetensors").read_bytes()
    with pytest.raises(ModelError, match="No space left"):
        make_folder(folder, seed=3)
    check_model(folder)
    assert (folder / "weights.safetensors").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_an_interrupt_between_the_two_moves_keeps_the_old_model(folder, monkeypatch):
    real = Path.rename

    def interrupted(self, target):
        if str(self).endswith(".new"):
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_folder(folder, seed=3)
    check_model(folder)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_an_unwritable_place(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match="cannot write the model folder"):
        make_folder(tmp_path / "file" / "model")


def test_weights_of_another_network_are_refused(original, tmp_path):
    problem = mixed_problem(300)
    every = np.arange(300)
    fitted = fit_preprocessing(problem, every, PreprocessingSpec(text_components=4), every)
    spec = NetworkSpec(Shape(hidden=(6,)), from_document(Inputs, fitted.document["inputs"]))
    weights = {n: np.zeros(s, np.float32) for n, s in tensor_shapes(spec).items()}
    facts = CardFacts("mixed", 300)
    for wrong, words in (
        ({**weights, "head.bias": np.zeros(9, np.float32)}, "'head.bias' is \\(9,\\)"),
        ({n: w for n, w in weights.items() if n != "scale"}, "no tensor 'scale'"),
    ):
        with pytest.raises(ModelError, match=words):
            write_model(
                tmp_path / "model",
                recipe=Recipe(),
                spec=spec,
                preprocessing=fitted,
                weights=wrong,
                task=problem.task,
                facts=facts,
            )
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("target", ["y", "kind"])
def test_a_model_of_members_predicts_their_mean(tmp_path, target):
    folder = make_folder(tmp_path / "model", target, members=3)
    assert "3 members that share the body" in (folder / "card.md").read_text()
    model = Model.load(folder)
    assert "3 members of mlp 1 × 6" in repr(model)
    rows = mixed_problem(40, target, seed=5).table.frame
    found = model.arrays(rows)
    loaded = load_predictor(folder)
    x, c = loaded.preprocessing.encode(read_columns(rows, loaded.preprocessing.document, ""))
    weights = load_file(folder / "weights.safetensors")
    network = to_document(model.spec)
    network["shape"]["members"] = 1
    each = []
    for member in range(3):
        own = {n: weights[n][member] for n in ("head.weight", "head.bias")}
        own["scale"] = weights["scale"].astype(float) * weights["members.scale"][member]
        outputs = deployed.Network(network, weights | own).outputs(x, c)
        each.append(loaded.preprocessing.decode(outputs) if target == "kind" else outputs)
    mean = np.mean(each, axis=0)
    expected = mean if target == "kind" else loaded.preprocessing.decode(mean)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_card_says_what_is_known(folder):
    card = (folder / "card.md").read_text()
    assert "Not tested" in card
    assert "On validation rows: rmse 0.5." in card
    facts = CardFacts(
        "mixed",
        300,
        metric="RMSE",
        test=0.25,
        interval=(0.2, 0.3),
        test_rows=60,
        verdict="It beats boosting by 0.1.",
        limits=("Rows before 2020 were never seen.",),
        licence="CC0",
    )
    before = (folder / "weights.safetensors").read_bytes()
    update_card(folder, facts)
    check_model(folder)
    assert (folder / "weights.safetensors").read_bytes() == before
    card = (folder / "card.md").read_text()
    for words in (
        "RMSE 0.25 (95% interval 0.2 to 0.3) on 60 test rows.",
        "beats boosting",
        "before 2020",
        "CC0",
        "`y` (regression) from 7 columns",
    ):
        assert words in card


def test_unseen_values_get_the_mean_of_the_table_that_nobody_taught(tmp_path):
    problem = mixed_problem(400, seed=5)
    every = np.arange(400)
    fitted = fit_preprocessing(problem, every, PreprocessingSpec(text_components=4), every)
    described = next(d for d in fitted.document["columns"] if d["encoding"] == "embedding")
    described["unseen_rows"] = 0
    spec = NetworkSpec(Shape(hidden=(4,)), from_document(Inputs, fitted.document["inputs"]))
    generator = np.random.default_rng(0)
    shapes = tensor_shapes(spec)
    weights = {n: generator.normal(size=s).astype(np.float32) for n, s in shapes.items()}
    facts = CardFacts("mixed", 400)
    write_model(
        tmp_path / "m",
        recipe=Recipe(),
        spec=spec,
        preprocessing=fitted,
        weights=weights,
        task=problem.task,
        facts=facts,
    )
    table = load_file(tmp_path / "m" / "weights.safetensors")["categories.0.weight"]
    np.testing.assert_allclose(
        table[0], weights["categories.0.weight"][1:].mean(axis=0), rtol=1e-5
    )
    np.testing.assert_array_equal(table[1:], weights["categories.0.weight"][1:])


def test_the_folder_stands_alone(folder, tmp_path):
    """Another process, without justright, gives the same numbers from the folder's own file."""
    columns = {
        "size": [0.5, None],
        "price": [1.0, 2.0],
        "when": ["2020-05-01T12:00:00", None],
        "new": [True, None],
        "town": ["Ulm", "nowhere"],
        "tail": ["tail0", "tail99"],
        "note": ["deep sea", None],
    }
    script = (
        "import sys, json; sys.modules['justright'] = None; sys.path.insert(0, sys.argv[1])\n"
        "import network\n"
        "found = network.load(sys.argv[1]).predict(json.loads(sys.argv[2]))\n"
        "print(json.dumps(found.tolist()))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, str(folder), json.dumps(columns)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    expected = Model.load(folder).predict(columns)["y"].to_list()
    np.testing.assert_allclose(np.array(json.loads(out.stdout))[:, 0], expected, rtol=1e-12)
