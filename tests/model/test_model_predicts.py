"""Predicting tables: any order, any storage type, any file, and one line where it cannot work."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_model_folder import make_folder

import justright.model.chunks as chunks_module
from justright.core.errors import DataError, InputError, ModelError, OptionError
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.model.columns import read_columns
from justright.model.predictor import Model, predict_file
from justright.recipe.recipe import PreprocessingSpec
from justright.statistics.metrics import score
from justright.testing.tables import INPUTS, mixed_frame


@pytest.fixture(scope="module")
def regression(tmp_path_factory) -> Model:
    return Model.load(make_folder(tmp_path_factory.mktemp("regression") / "model"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Model:
    return Model.load(make_folder(tmp_path_factory.mktemp("classes") / "model", "kind"))


def test_columns_of_the_prediction(regression, classes):
    frame = mixed_frame(50, seed=3)
    assert regression.predict(frame).schema == {"y": pl.Float64}
    found = classes.predict(frame)
    assert found.columns == ["kind", "p(a)", "p(b)", "p(c)"]
    chances = found.select(pl.exclude("kind")).to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_array_equal(chances, classes.probabilities(frame))
    best = np.array(["a", "b", "c"])[chances.argmax(axis=1)]
    assert found["kind"].to_list() == best.tolist()


def test_order_of_columns_and_further_columns_do_not_matter(regression, caplog):
    frame = mixed_frame(40, seed=1)
    expected = regression.predict(frame)
    mixed_up = frame.select(*reversed(frame.columns), pl.lit(1).alias("colour"))
    with caplog.at_level(logging.WARNING, "justright"):
        assert regression.predict(mixed_up).equals(expected)
        assert regression.predict(mixed_up).equals(expected)
    assert [record.getMessage() for record in caplog.records] == [
        "columns that the model does not know are ignored: colour"
    ]


def test_inputs_alone_are_enough_and_say_nothing(regression, caplog):
    frame = mixed_frame(40, seed=1)
    with caplog.at_level(logging.WARNING, "justright"):
        assert regression.predict(frame.select(INPUTS)).equals(regression.predict(frame))
    assert not caplog.records


def test_missing_columns_are_all_named(regression):
    with pytest.raises(ModelError, match="the data lack the columns 'price', 'town'"):
        regression.predict(mixed_frame(9).drop("price", "town"))
    with pytest.raises(ModelError, match="the data lack the column 'size': did you mean 'Size'"):
        regression.predict(mixed_frame(9).rename({"size": "Size"}))


def test_forms_of_a_table(regression):
    frame = mixed_frame(30, seed=2)
    expected = regression.predict(frame)
    assert regression.predict(frame.to_dict(as_series=False)).equals(expected)
    as_text = frame.with_columns(pl.col(INPUTS).cast(pl.String))
    found = regression.predict(as_text)["y"].to_numpy()
    np.testing.assert_allclose(found, expected["y"].to_numpy(), rtol=1e-6)


def test_unseen_and_missing_values_are_predicted(classes):
    nothing = {name: [None, None] for name in INPUTS}
    assert classes.predict(nothing).height == 2
    strange = {
        "size": ["many", "-inf"],
        "price": [1e308, float("nan")],
        "when": ["never", "2999-01-01"],
        "new": ["perhaps", "YES"],
        "town": ["Atlantis", ""],
        "tail": ["tail999", "TAIL1"],
        "note": ["\x00\ud83d\ude00 ", "x" * 20_000],
    }
    strange["note"][0] = "\u2603 snow"
    chances = classes.probabilities(strange)
    assert np.isfinite(chances).all()


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=8),
    st.dates(),
)


@settings(max_examples=40)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(INPUTS, cells)), min_size=1, max_size=5))
def test_whatever_the_columns_hold_the_answer_is_finite(regression, rows):
    table = {name: [row[name] for row in rows] for name in INPUTS}
    found = regression.predict(table)
    assert found.height == len(rows)
    assert np.isfinite(found["y"].to_numpy()).all()


def test_an_empty_frame_gives_an_empty_answer(regression, classes):
    assert regression.predict(mixed_frame(5).clear()).shape == (0, 1)
    assert classes.predict(mixed_frame(5).clear()).shape == (0, 4)


def test_probabilities_of_numbers_are_refused(regression):
    with pytest.raises(ModelError, match="has no probabilities"):
        regression.probabilities(mixed_frame(5))


def test_evaluating_scores_what_predict_says(regression, classes):
    frame = mixed_frame(200, seed=9)
    found = regression.evaluate(frame)
    y = frame["y"].to_numpy()[:, None]
    prediction = regression.predict(frame)["y"].to_numpy()[:, None]
    assert found == score(regression.task, y, prediction)
    scores = classes.evaluate(frame)
    labels = classes.predict(frame)["kind"]
    assert scores["accuracy"] == pytest.approx((labels == frame["kind"]).mean())


def test_rows_without_a_target_are_left_out(regression):
    frame = mixed_frame(80, seed=9)
    some = pl.when(pl.int_range(80) < 60).then(pl.col("y")).alias("y")
    assert regression.evaluate(frame.with_columns(some)) == regression.evaluate(frame.head(60))
    with pytest.raises(InputError):
        regression.evaluate(frame.drop("y"))
    with pytest.raises(DataError, match="no row has a target"):
        regression.evaluate(frame.with_columns(y=pl.lit(None, pl.Float64)))


@pytest.mark.parametrize(
    ("source", "out"),  # reading knows nothing of writing: each kind of file once or twice
    [
        ("csv", "parquet"),
        ("tsv", "csv"),
        ("parquet", "csv"),
        ("jsonl", "parquet"),
        ("arrow", "csv"),
    ],
)
def test_files_give_what_frames_give(classes, tmp_path, monkeypatch, source, out):
    monkeypatch.setattr(chunks_module, "CHUNK", 64)
    monkeypatch.setattr(chunks_module, "BLOCK", 2_000)
    frame = mixed_frame(200, seed=4)
    path = tmp_path / f"rows.{source}"
    {
        "csv": frame.write_csv,
        "tsv": lambda p: frame.write_csv(p, separator="\t"),
        "parquet": frame.write_parquet,
        "jsonl": frame.write_ndjson,
        "arrow": frame.write_ipc,
    }[source](path)
    rows = predict_file(classes, path, tmp_path / f"found.{out}")
    assert rows == 200
    read = pl.read_csv if out == "csv" else pl.read_parquet
    found, expected = read(tmp_path / f"found.{out}"), classes.predict(frame)
    assert found["kind"].equals(expected["kind"])
    np.testing.assert_allclose(found["p(a)"], expected["p(a)"], rtol=1e-6)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("suffix", ["tsv", "jsonl", "ndjson"])
def test_other_outputs(regression, tmp_path, suffix):
    frame = mixed_frame(20, seed=4)
    frame.write_parquet(tmp_path / "rows.parquet")
    out = tmp_path / f"found.{suffix}"
    predict_file(regression, tmp_path / "rows.parquet", out)
    if suffix == "tsv":
        found = pl.read_csv(out, separator="\t")
    else:
        found = pl.read_ndjson(out)
    np.testing.assert_allclose(found["y"], regression.predict(frame)["y"], rtol=1e-9)


def test_faults_of_files_are_one_line_each(regression, tmp_path):
    rows = tmp_path / "rows.csv"
    mixed_frame(20).write_csv(rows)
    for source, out, error, words in (
        (rows, tmp_path / "found.xlsx", OptionError, "unknown suffix"),
        (rows, tmp_path / "no" / "found.csv", OptionError, "does not exist"),
        (rows, tmp_path / "found", OptionError, "unknown suffix"),
        (tmp_path / "none.csv", tmp_path / "found.csv", DataError, "there is no file"),
    ):
        with pytest.raises(error, match=words) as caught:
            predict_file(regression, source, out)
        assert "\n" not in str(caught.value)
    header = tmp_path / "header.csv"
    header.write_text(",".join(INPUTS) + "\n")
    with pytest.raises(DataError, match="has no rows"):
        predict_file(regression, header, tmp_path / "found.csv")
    ragged = tmp_path / "ragged.csv"
    for line, count in (("1,2,3,4,5,6,7,8,9,10,11", 11), ("1,2", 2)):
        ragged.write_text(rows.read_text() + line + "\n")
        with pytest.raises(DataError, match=f"line 22 has {count} fields, the header has 9"):
            predict_file(regression, ragged, tmp_path / "found.csv")
    lacking = tmp_path / "lacking.csv"
    mixed_frame(20).drop("town").write_csv(lacking)
    with pytest.raises(ModelError, match="lack the column 'town'"):
        predict_file(regression, lacking, tmp_path / "found.csv")
    assert not (tmp_path / "found.csv").exists()


def test_blank_lines_are_no_rows(regression, tmp_path):
    frame = mixed_frame(20, seed=4)
    path = tmp_path / "rows.csv"
    first, *rest = frame.write_csv().splitlines()
    path.write_text("\n".join([first, *rest[:5], "", *rest[5:], "", ""]))
    assert predict_file(regression, path, tmp_path / "found.parquet") == 20
    found = pl.read_parquet(tmp_path / "found.parquet")
    np.testing.assert_allclose(found["y"], regression.predict(frame)["y"], rtol=1e-9)


def test_decimal_commas(regression, tmp_path):
    frame = mixed_frame(20, seed=4)
    frame.write_csv(tmp_path / "rows.csv", separator=";", decimal_comma=True)
    predict_file(regression, tmp_path / "rows.csv", tmp_path / "found.parquet")
    found = pl.read_parquet(tmp_path / "found.parquet")
    np.testing.assert_allclose(found["y"], regression.predict(frame)["y"], rtol=1e-9)


def test_whole_numbers_as_labels_mean_the_same_in_text_files(tmp_path):
    """A category of whole numbers may come as 3, as 3.0 or as "3.0"."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 30, 400)
    frame = pl.DataFrame({"shop_id": codes, "y": codes % 7 + generator.random(400)})
    problem = make_problem(read_table(frame), DataOptions(target=("y",)))
    every = np.arange(400)
    fitted = fit_preprocessing(problem, every, PreprocessingSpec(), every)
    assert fitted.document["columns"][0]["encoding"] == "embedding"
    want = fitted.encode(read_columns(frame, fitted.document))[1]
    for other in (pl.Float64, pl.Int8, pl.String):
        found = frame.with_columns(pl.col("shop_id").cast(other))
        np.testing.assert_array_equal(fitted.encode(read_columns(found, fitted.document))[1], want)
    text = frame.with_columns(pl.col("shop_id").cast(pl.Float64).cast(pl.String))
    np.testing.assert_array_equal(fitted.encode(read_columns(text, fitted.document))[1], want)


def test_models_show_themselves(regression, classes):
    assert "regression of y from 7 columns" in repr(regression)
    assert "multi-class classification of kind" in classes._repr_html_()
    assert regression.columns == INPUTS


def test_loading_a_model_does_not_import_torch(regression):
    script = (
        "import sys; from justright.model.predictor import Model; m = Model.load(sys.argv[1]); "
        "assert m.columns; print('torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, str(regression.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "False"
    assert json.loads((Path(regression.folder) / "recipe.json").read_text())["format"] == 1
