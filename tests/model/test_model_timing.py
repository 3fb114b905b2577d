"""How long a row takes: predicting it, and nothing beside that."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_model_folder import make_folder

from justright.data.arrays import columns_of
from justright.deploy.network import Coded, coded_of
from justright.model import serve
from justright.testing.tables import mixed_problem

ROW_S = 20e-6
ALONE_S = 0.002


class Slow:
    """A model that needs so long for a row; of the columns, "note" is free text."""

    def __init__(self) -> None:
        self.preprocessing = self.network = self
        self.document = {
            "columns": [
                {"name": "a", "encoding": "number"},
                {"name": "town", "encoding": "one_hot"},
                {"name": "note", "encoding": "text"},
            ]
        }
        self.seen: list[Mapping[str, Any]] = []

    def encode(self, columns: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        x = np.zeros((len(columns["a"]), 1), np.float32)
        return x, x.astype(np.int32)

    def outputs(self, x: np.ndarray, c: np.ndarray) -> None:
        assert len(x) == len(c) == 1
        time.sleep(ALONE_S)

    def decoded(self, columns: Mapping[str, Any]) -> np.ndarray:
        self.seen.append(columns)
        rows = len(columns["a"])
        time.sleep(ROW_S * rows)
        return np.asarray(columns["a"])[:, None]


def columns(rows: int) -> dict[str, Any]:
    texts = [None if row % 3 == 0 else f"text {row}" for row in range(rows)]
    towns = ["Ulm", "Bonn"] * rows
    numbers = np.arange(rows, dtype=np.float64)
    return {"a": numbers, "town": coded_of(towns[:rows]), "note": coded_of(texts)}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """It takes long to load, too."""
    model = Slow()

    def load(folder: str) -> Slow:
        time.sleep(0.3)
        return model

    monkeypatch.setattr(serve, "load_predictor", load)
    return model


@pytest.mark.parametrize("rows", [4, 40, 3_000])
def test_the_time_of_a_row_does_not_depend_on_how_many_there_are(slow: Slow, rows: int) -> None:
    """Planted: loading takes 0.3 s, which would be 75 ms a row of four."""
    prediction, seconds, alone = serve.predict_columns("folder", columns(rows), lambda _: None)
    assert prediction[:, 0].tolist() == list(range(rows))
    assert ROW_S <= seconds < 2 * ROW_S
    assert ALONE_S <= alone < 2 * ALONE_S


def test_it_is_bounded(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "TIMED_S", 0.01)
    serve.predict_columns("folder", columns(40), lambda _: None)
    assert len(slow.seen) == 2  # the prediction, and one batch


def test_rows_are_repeated_and_each_text_is_read_anew(slow: Slow) -> None:
    serve.predict_columns("folder", columns(7), lambda _: None)
    batch = slow.seen[-1]
    assert batch["a"].tolist() == [row % 7 for row in range(serve.TIMED_ROWS)]
    read = {name: texts_of(batch[name]) for name in ("town", "note")}
    assert read["town"][:8] == ["Ulm", "Bonn", "Ulm", "Bonn", "Ulm", "Bonn", "Ulm", "Ulm"]
    assert read["note"][:8] == [None, "text 1", "text 2", None, "text 4", "text 5", None, None]
    known = batch["note"].codes[batch["note"].codes >= 0]
    assert len(set(known.tolist())) == len(known)


def texts_of(values: Coded) -> list[str | None]:
    return [None if code < 0 else values.values[int(code)] for code in values.codes]


@pytest.mark.parametrize("rows", [3, 300])
def test_a_model_with_every_kind_of_column_can_be_timed(tmp_path: Path, rows: int) -> None:
    folder, problem = make_folder(tmp_path / "model"), mixed_problem(300, "y")
    given = columns_of(problem.table.frame, problem.schema.columns, np.arange(rows))
    prediction, seconds, alone = serve.predict_columns(str(folder), given, lambda _: None)
    np.testing.assert_array_equal(prediction, serve.load_predictor(folder).decoded(given))
    assert 0.0 < seconds < 0.01
    assert seconds < alone < 0.01  # a row by itself is not helped by others
