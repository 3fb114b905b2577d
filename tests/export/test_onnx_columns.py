"""Columns in ONNX mean what they mean to the model: strange values, any order, any batch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import apart, make_model, raw_feeds, session

from justright.core.errors import ModelError
from justright.data.cleaning import MISSING_WORDS
from justright.model.predictor import Model
from justright.recipe.network import Shape
from justright.testing.tables import INPUTS, mixed_frame

COLUMNS = tuple(name for name in INPUTS if name != "note")
EXACT = 1e-9


def exported(folder: Path, frame: pl.DataFrame, target, **options):
    model = make_model(folder / "model", frame, target, **options)
    done = model.export_onnx(folder / "model.onnx")
    assert done.comparison is not None
    assert done.comparison.rows >= 256
    assert done.comparison.difference < EXACT
    onnx.checker.check_model(str(done.path), full_check=True)
    return model, session(done.path)


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    return exported(folder, mixed_frame(400), "y", drop=("kind", "note"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    return exported(folder, mixed_frame(400), "kind", drop=("y", "note"))


def test_every_kind_of_column(regression, classes):
    frame = mixed_frame(300, seed=7).select(COLUMNS)
    assert apart(*regression, frame) < EXACT
    assert apart(*classes, frame) < EXACT


def test_one_row_and_none(regression, classes):
    frame = mixed_frame(3, seed=7).select(COLUMNS)
    for model, opened in (regression, classes):
        assert apart(model, opened, frame.head(1)) < EXACT
        found = opened.run(None, raw_feeds(opened, frame.clear()))
        width = 3 if model.task.is_classification else 1
        assert found[0].shape == (0, width)
        assert all(len(result) == 0 for result in found)


def test_names_and_types_of_inputs_and_outputs(regression, classes):
    inputs = [(given.name, given.type, given.shape) for given in classes[1].get_inputs()]
    kinds = ("double", "double", "double", "string", "string", "string")
    assert inputs == [
        (name, f"tensor({kind})", ["rows"]) for name, kind in zip(COLUMNS, kinds, strict=True)
    ]
    outputs = [(given.name, given.type, given.shape) for given in classes[1].get_outputs()]
    assert outputs == [
        ("probabilities", "tensor(double)", ["rows", 3]),
        ("label", "tensor(string)", ["rows"]),
    ]
    outputs = [(given.name, given.type, given.shape) for given in regression[1].get_outputs()]
    assert outputs == [("value", "tensor(double)", ["rows", 1])]


def test_the_file_says_what_it_is(classes):
    said = classes[1].get_modelmeta()
    facts = said.custom_metadata_map
    assert said.producer_name == "justright"
    assert facts["title"] == "houses"
    assert facts["task"] == "multi-class classification"
    assert json.loads(facts["targets"]) == ["kind"]
    assert json.loads(facts["classes"]) == ["a", "b", "c"]
    assert facts["product"].startswith("justright ")
    columns = {column["name"]: column for column in json.loads(facts["columns"])}
    assert tuple(columns) == COLUMNS
    assert columns["when"]["kind"] == "datetime"
    assert "seconds since 1970 (UTC)" in columns["when"]["meaning"]
    assert columns["town"]["type"] == "string"


@pytest.mark.parametrize("word", [*MISSING_WORDS, "Atlantis", "ulm", "x" * 1_000_000, "日本\x00☃"])
def test_texts_that_nobody_knows(regression, word):
    model, opened = regression
    frame = mixed_frame(6, seed=2).select(COLUMNS)
    strange = frame.with_columns(pl.lit(word).alias(name) for name in ("town", "tail"))
    assert apart(model, opened, strange) < EXACT
    changed = model.predict(strange)["y"] - model.predict(frame)["y"]
    assert changed.abs().max() > 1e-3  # otherwise it does not matter what they are read as


def test_missing_and_unknown_are_not_the_same(regression):
    _, opened = regression
    frame = mixed_frame(6, seed=2).select(COLUMNS)
    answers = []
    for word in ("", "Atlantis"):
        feeds = raw_feeds(opened, frame.with_columns(town=pl.lit(word)))
        answers.append(opened.run(None, feeds)[0])
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def phrases(rows: int) -> pl.DataFrame:
    """Categories of one word and of many."""
    generator = np.random.default_rng(0)
    values = ["a", "a b", "a b c", "b a", "one two three four five six seven eight", "ab", "A"]
    picked = generator.integers(0, len(values), rows)
    return pl.DataFrame({"p": np.array(values)[picked], "y": picked + generator.random(rows)})


@pytest.mark.parametrize("form", ["{}", " {}", "{}  ", "   {} ", "{} a", "a {}", "{}a"])
def test_blanks_around_texts_do_not_count(tmp_path, form):
    frame = phrases(200)
    model, opened = exported(tmp_path, frame, "y")
    changed = frame.with_columns(pl.format(form, "p").alias("p"))
    assert apart(model, opened, changed) < EXACT


def test_values_that_differ_in_blanks_only_are_refused(tmp_path):
    frame = phrases(200)
    twice = frame.with_columns(pl.when(pl.int_range(200) % 2 == 0).then(pl.col("p")).otherwise(
        pl.col("p").str.replace(" ", "  ")))  # fmt: skip
    model = make_model(tmp_path / "model", twice, "y")
    with pytest.raises(ModelError, match="the column 'p' that differ in blanks only"):
        model.export_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("word", ["true", "YES", "No", "1", "0.0", "oFF", "T", "n", "perhaps", ""])
def test_words_for_yes_and_no(regression, word):
    model, opened = regression
    frame = mixed_frame(6, seed=2).select(COLUMNS).with_columns(new=pl.lit(word))
    assert apart(model, opened, frame) < EXACT


@pytest.mark.parametrize(
    "value", [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, -0.0, 1e11, 1.1e11, -3e14, 2e20]
)
def test_numbers_at_the_edges(regression, value):
    model, opened = regression
    frame = mixed_frame(4, seed=3).select(COLUMNS)
    for name in ("size", "price", "when"):
        assert apart(model, opened, frame.with_columns(pl.lit(value).alias(name))) < EXACT


@settings(max_examples=60)
@given(st.lists(st.floats(-1.2e11, 1.2e11), min_size=1, max_size=30))
def test_any_second(regression, seconds):
    check_dates(regression, np.array(seconds))


def check_dates(regression, seconds: np.ndarray) -> None:
    model, opened = regression
    frame = mixed_frame(1, seed=3).select(COLUMNS).drop("when").join(
        pl.DataFrame({"when": seconds}), how="cross"
    )  # fmt: skip
    assert apart(model, opened, frame) < EXACT


def test_the_first_and_last_days_of_many_years(regression):
    """Around new year and leap days, where the day of the year is easily one off."""
    days = [
        datetime(year, month, day, hour, tzinfo=UTC).timestamp()
        for year in (*range(1, 2800, 37), *range(1996, 2006), 1900, 2100, 2400)
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))
        for hour in (0, 23)
    ]
    check_dates(regression, np.array(days))


def test_dates_by_hand(tmp_path):
    """Independent of the model's own reading: the sine of the day of the year."""
    hours = pl.datetime_range(
        datetime(2019, 1, 1), datetime(2021, 1, 1), "7h", eager=True, time_unit="us"
    )
    frame = pl.DataFrame({"when": hours, "y": np.arange(len(hours)) % 5.0})
    model, opened = exported(tmp_path, frame, "y", shape=Shape(hidden=(8,)))
    assert model._document["columns"][0]["cycles"] == ["day", "week", "year"]
    content = onnx.load(tmp_path / "model.onnx")
    sines = [node.output[0] for node in content.graph.node if node.op_type == "Sin"]
    content.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sines)
    (tmp_path / "open.onnx").write_bytes(content.SerializeToString())
    found = session(tmp_path / "open.onnx").run(sines, raw_feeds(opened, frame))
    turns = (
        (hours.dt.hour() / 24).to_numpy(),
        ((hours.dt.weekday() - 1) / 7).to_numpy(),
        ((hours.dt.ordinal_day() - 1) / 365.25).to_numpy(),
    )
    assert len(found) == 6  # the cosines are sines, too
    for place, turn in enumerate(turns):
        sine, cosine = found[2 * place][:, 0], found[2 * place + 1][:, 0]
        np.testing.assert_allclose(sine, np.sin(2 * np.pi * turn), atol=1e-9)
        np.testing.assert_allclose(cosine, np.cos(2 * np.pi * turn), atol=1e-9)


def test_milliseconds_are_understood(regression):
    _, opened = regression
    feeds = raw_feeds(opened, mixed_frame(50, seed=4).select(COLUMNS).drop_nulls("when"))
    expected = opened.run(None, feeds)[0]
    for factor in (1e3, 1e6, 1e9):
        found = opened.run(None, feeds | {"when": feeds["when"] * factor})[0]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def numbered(rows: int) -> pl.DataFrame:
    """Categories and yes or no that are stored as numbers, with missing values."""
    generator = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "shop_id": generator.integers(0, 30, rows),
            "level": generator.choice([0.5, 1.5, 2.0, -3.0], rows),
            "open": generator.integers(0, 2, rows),
            "y": generator.normal(size=rows),
        }
    )
    gone = [pl.when(pl.Series(generator.random(rows) > 0.1)).then(pl.col(n)).alias(n)
            for n in frame.columns[:3]]  # fmt: skip
    return frame.with_columns(gone)


@pytest.mark.parametrize("flags", [True, False])
def test_categories_of_numbers(tmp_path, flags):
    frame = numbered(400) if flags else numbered(400).drop_nulls()
    model, opened = exported(tmp_path, frame, "y", kinds={"level": "category"})
    described = {d["name"]: (d["kind"], d["flag"]) for d in model._document["columns"]}
    assert described == {
        "shop_id": ("category", flags),
        "level": ("category", flags),
        "open": ("boolean", flags),
    }
    assert {given.type for given in opened.get_inputs()} == {"tensor(double)"}
    assert apart(model, opened, frame) < EXACT
    for value in (np.nan, np.inf, 0.0, -0.0, 1.0, 2.0, 2.5, 1e18, 31.0):
        strange = pl.DataFrame({name: [value, 1.0] for name in ("shop_id", "level", "open")})
        assert apart(model, opened, strange) < EXACT


def test_stored_categories(tmp_path):
    """In a column of stored categories "None" is a value, which turns missing as a text."""
    words = [f"w{k}" for k in range(15)] * 20 + ["None", "NA"]
    frame = pl.DataFrame({"c": words, "y": [float(len(w) + k % 5) for k, w in enumerate(words)]})
    stored = frame.with_columns(pl.col("c").cast(pl.Categorical))
    model, opened = exported(tmp_path, stored, "y")
    assert model.export_onnx(tmp_path / "m.onnx", stored).comparison.difference < EXACT
    assert apart(model, opened, frame) < EXACT


@pytest.mark.parametrize("start", [2**60, 2**63 + 5, -(2**62)])
def test_numbers_too_long_for_double_precision_stay_texts(tmp_path, start):
    codes = [start + k for k in range(12)]
    frame = pl.DataFrame({"part_id": codes * 30, "y": [float(k % 7) for k in range(360)]})
    model, opened = exported(tmp_path, frame, "y")
    assert model._document["columns"][0]["numeric"]
    assert opened.get_inputs()[0].type == "tensor(string)"
    assert apart(model, opened, frame) < EXACT


@pytest.mark.parametrize(
    ("kind", "type_", "values"),
    [
        ("integer", "tensor(int64)", [3, -1, 2**53 + 1]),
        ("boolean", "tensor(bool)", [True, False]),
        ("text", "tensor(string)", ["ä b", "c"]),
    ],
)
def test_labels_come_in_their_own_type(tmp_path, kind, type_, values):
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"a": generator.normal(size=200), "y": (values * 200)[:200]})
    model, opened = exported(tmp_path, frame, "y")
    assert model.task.label_type == kind
    assert [given.type for given in opened.get_outputs()] == ["tensor(double)", type_]
    assert apart(model, opened, frame) < EXACT
    assert set(opened.run(["label"], raw_feeds(opened, frame))[0].tolist()) == set(values)


def test_columns_may_be_called_anything(tmp_path):
    """Also as the outputs, or as what stands between inputs and outputs."""
    names = (
        "value",
        "value_",
        "label",
        "Gemm_9",
        "a b/c.d",
        "größe 📏",
        "constant_1",
        "rows",
        ":0",
    )
    generator = np.random.default_rng(0)
    data = {name: generator.normal(size=60) for name in names}
    model, opened = exported(tmp_path, pl.DataFrame(data | {"y": data["value"]}), "y")
    assert [given.name for given in opened.get_inputs()] == list(names)
    assert [given.name for given in opened.get_outputs()] == ["value__"]
    assert apart(model, opened, pl.DataFrame(data)) < EXACT


def test_several_targets(tmp_path):
    frame = mixed_frame(300).with_columns(z=100 * pl.col("y") ** 2 - 7)
    model, opened = exported(tmp_path, frame, ("z", "y"), drop=("kind", "note"))
    assert opened.get_outputs()[0].shape == ["rows", 2]
    assert apart(model, opened, frame) < EXACT


def test_values_stay_in_the_training_range(tmp_path):
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"a": generator.normal(size=200), "y": generator.random(200)})
    _, opened = exported(tmp_path, frame, "y")
    found = opened.run(None, {"a": np.linspace(-9, 9, 500)})[0]
    assert found.min() == frame["y"].min()
    assert found.max() == frame["y"].max()


def test_columns_of_different_lengths_are_refused(regression):
    _, opened = regression
    feeds = raw_feeds(opened, mixed_frame(4).select(COLUMNS))
    with pytest.raises(Exception, match="Concat"):
        opened.run(None, feeds | {"size": feeds["size"][:1]})


def test_a_loaded_model_says_what_it_wrote(tmp_path):
    frame = mixed_frame(120)
    model = make_model(tmp_path / "model", frame, "y", drop=("kind", "note"))
    done = Model.load(model.folder).export_onnx(tmp_path / "m.onnx", frame)
    assert done.size == (tmp_path / "m.onnx").stat().st_size
    assert done.outputs == ("value",)
    assert done.comparison is not None
    assert done.comparison.rows == 120
    assert done.inputs["size"] == "double, a number; NaN and infinity are missing"
