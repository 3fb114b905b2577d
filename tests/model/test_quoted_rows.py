"""Predicting text files with quotes: short and long rows are refused, as `fit` refuses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_model_folder import make_folder

from justright.core.errors import DataError
from justright.data.ingest import read_table
from justright.model.predictor import Model, predict_file
from justright.testing.tables import INPUTS, mixed_frame

ROWS = 30


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.load(make_folder(tmp_path_factory.mktemp("quoted") / "model"))


def quoted_lines(folder: Path) -> list[str]:
    path = folder / "rows.csv"
    frame = mixed_frame(ROWS, seed=2).select(INPUTS)
    frame.write_csv(path, quote_style="non_numeric")
    lines = path.read_text().splitlines()
    assert len(lines) == ROWS + 1
    return lines


def test_complete_rows_with_quotes_are_predicted(model: Model, tmp_path: Path) -> None:
    quoted_lines(tmp_path)
    assert predict_file(model, tmp_path / "rows.csv", tmp_path / "out.csv") == ROWS


@pytest.mark.parametrize("place", [1, 14, ROWS])
@pytest.mark.parametrize("short", [True, False])
def test_a_row_of_the_wrong_length_is_refused_by_its_line(
    model: Model, tmp_path: Path, place: int, short: bool
) -> None:
    lines = quoted_lines(tmp_path)
    fields = len(INPUTS) - 1 if short else len(INPUTS) + 1
    lines[place] = lines[place].rpartition(",")[0] if short else lines[place] + ",1"
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    said = f"line {place + 1} has {fields} fields, the header has {len(INPUTS)}"
    with pytest.raises(DataError, match=said):
        predict_file(model, path, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(DataError):
        read_table(path)


def test_a_blank_line_is_no_row(model: Model, tmp_path: Path) -> None:
    lines = quoted_lines(tmp_path)
    (tmp_path / "rows.csv").write_text("\n".join([*lines[:9], "", *lines[9:]]) + "\n")
    assert predict_file(model, tmp_path / "rows.csv", tmp_path / "out.csv") == ROWS
