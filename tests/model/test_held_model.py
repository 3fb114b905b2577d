"""A model in memory says what its folder says, and becomes a folder again."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from test_model_folder import make_folder

from justright.core.errors import ModelError
from justright.model.folder import FILES, check_model
from justright.model.held import HeldModel
from justright.model.predictor import Model
from justright.testing.tables import mixed_frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("held") / "model", "kind")


def test_it_predicts_what_the_folder_predicts(folder: Path) -> None:
    frame = mixed_frame(60, seed=5)  # texts among the columns, whose tensors are of their own
    held = HeldModel.of(folder)
    expected = Model.load(folder).probabilities(frame)
    np.testing.assert_array_equal(held.probabilities(frame), expected)
    again = pickle.loads(pickle.dumps(held))
    np.testing.assert_array_equal(again.probabilities(frame), expected)


def test_it_writes_the_folder_that_it_was(folder: Path, tmp_path: Path) -> None:
    written = HeldModel.of(folder).save(tmp_path / "copy")
    check_model(written)
    for name in FILES:
        assert (written / name).read_bytes() == (folder / name).read_bytes(), name


def test_other_names_of_the_classes(folder: Path, tmp_path: Path) -> None:
    frame = mixed_frame(30, seed=6)
    held = HeldModel.of(folder)
    renamed = Model.load(held.relabelled(("3", "1", "2"), "integer").save(tmp_path / "renamed"))
    old, new = held.predict(frame), renamed.predict(frame)
    assert new.columns == ["kind", "p(3)", "p(1)", "p(2)"]
    assert new["kind"].to_list() == [{"a": 3, "b": 1, "c": 2}[label] for label in old["kind"]]
    card = (tmp_path / "renamed" / "card.md").read_text()
    assert "Classes: 3, 1, 2." in card
    assert "Classes: a, b, c." not in card
    assert held.task.classes == ("a", "b", "c")


def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = HeldModel.of(folder).save(tmp_path / "copy")
    (copy / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="was changed"):
        HeldModel.of(copy)
