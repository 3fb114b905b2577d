"""Fitting the preprocessing and writing encoded rows."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import justright.data.encode as encode_module
from justright.core.column import ColumnKind
from justright.data.arrays import columns_of
from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows, concatenate
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem, make_problem
from justright.recipe.recipe import PreprocessingSpec
from justright.testing.tables import mixed_frame, mixed_problem

SPEC = PreprocessingSpec(text_components=6)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return mixed_problem(900)


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    return np.arange(0, 900, 2)


def _part(rest: np.ndarray, fold: int) -> np.ndarray:
    return rest[np.arange(len(rest)) % 5 != fold]


def test_every_partition_has_the_same_features(problem, rest):
    fitted = [fit_preprocessing(problem, _part(rest, k), SPEC, rest) for k in range(3)]
    assert fitted[0].document["inputs"] == fitted[1].document["inputs"]
    assert fitted[0].document["features"] == fitted[2].document["features"]
    assert fitted[0].document["centre"] != fitted[1].document["centre"]


@pytest.mark.parametrize(
    ("texts", "words", "wanted", "each"),
    [
        (1, 12, 128, 128),
        (2, 12, 128, 64),
        (9, 12, 128, 32),
        (3, 12, 7, 7),
        (1, 3, 128, 32),  # titles
        (2, 3, 7, 7),
    ],
)
def test_text_columns_share_the_components(texts: int, words: int, wanted: int, each: int) -> None:
    rng = np.random.default_rng(0)
    known = np.array(["red", "green", "blue", "deep", "sea", "sky", "night", "fox"])
    frame = {
        f"t{k}": [" ".join(rng.choice(known, words)) + f" {rng.integers(1e6)}" for _ in range(300)]
        for k in range(texts)
    }
    options = DataOptions(target=("y",), kinds=dict.fromkeys(frame, ColumnKind.TEXT))
    made = make_problem(read_table(pl.DataFrame({**frame, "y": np.arange(300.0)})), options)
    rows = np.arange(300)
    spec = PreprocessingSpec(text_components=wanted)
    columns = fit_preprocessing(made, rows, spec, rows).document["columns"]
    assert [column["components"] for column in columns] == [each] * texts


def test_rows_outside_the_training_rows_teach_no_statistics(problem, rest):
    """Other values in validation rows change neither scales nor target nor seen values."""
    train = _part(rest, 0)
    frame = problem.table.frame
    others = np.ones(frame.height, bool)
    others[train] = False
    changed = frame.with_columns(
        pl.when(pl.Series(others)).then(pl.col(name) * 1000).otherwise(pl.col(name)).alias(name)
        for name in ("size", "price", "y")
    )
    table = read_table(changed)
    second = make_problem(table, problem.options)
    a = fit_preprocessing(problem, train, SPEC, rest).document
    b = fit_preprocessing(second, train, SPEC, rest).document
    assert a == b


def test_statistics_are_those_of_the_paper(problem, rest):
    train = _part(rest, 1)
    fitted = fit_preprocessing(problem, train, SPEC, rest)
    size = problem.table.frame["size"].to_numpy()[train]
    size = size[np.isfinite(size)]
    place = fitted.document["features"].index("size")
    low, middle, high = np.quantile(size, [0.25, 0.5, 0.75])
    assert fitted.document["centre"][place] == pytest.approx(middle)
    assert fitted.document["factor"][place] == pytest.approx(1 / (high - low))


def test_folder_holds_what_encode_says(problem, rest, tmp_path, monkeypatch):
    monkeypatch.setattr(encode_module, "CHUNK", 64)
    fitted = fit_preprocessing(problem, _part(rest, 0), SPEC, rest)
    rows = rest[::-1][:300]  # any order, row i of the folder is the i-th
    meta = write_encoded(problem, fitted, rows, tmp_path / "rows")
    found = EncodedRows(tmp_path / "rows")
    assert found.meta == meta
    assert len(found) == 300
    columns = columns_of(problem.table.frame, problem.schema.columns, rows)
    x, c = fitted.encode(columns)
    np.testing.assert_allclose(found.x, x, rtol=0, atol=3e-7)
    np.testing.assert_array_equal(found.c, c)
    y = found.y * np.array(meta.y_scale) + np.array(meta.y_mean)
    np.testing.assert_allclose(y, problem.target()[rows], rtol=1e-5, atol=1e-5)
    assert found.x.shape[1] == meta.inputs.numbers + meta.inputs.indicators
    assert found.x.dtype == np.float32
    assert not found.x.flags.writeable


def test_preprocessing_comes_back_from_the_folder(problem, rest, tmp_path):
    fitted = fit_preprocessing(problem, rest, SPEC, rest)
    write_encoded(problem, fitted, rest[:50], tmp_path)
    again = EncodedRows(tmp_path).preprocessing()
    columns = columns_of(problem.table.frame, problem.schema.columns, rest[:50])
    np.testing.assert_array_equal(again.encode(columns)[0], fitted.encode(columns)[0])
    assert json.loads(json.dumps(fitted.document)) == again.document


def test_codes_of_rare_and_unseen_values(problem, rest):
    train = _part(rest, 2)
    fitted = fit_preprocessing(problem, train, SPEC, rest)
    described = next(d for d in fitted.document["columns"] if d["name"] == "tail")
    counts = dict(problem.table.frame["tail"].gather(train).drop_nulls().value_counts().rows())
    for value in described["values"]:
        assert value is None or counts[value] >= SPEC.rare_below
    columns = columns_of(problem.table.frame, problem.schema.columns, rest)
    codes = fitted.encode(columns)[1][:, 0]
    tails = problem.table.frame["tail"].gather(rest).to_list()
    for tail, code in zip(tails, codes, strict=True):
        rare = tail is None or counts.get(tail, 0) < SPEC.rare_below
        assert (code == 0) == rare
        assert rare or described["values"][code - 1] == tail
    seen = codes[np.isin(rest, train)]
    assert described["unseen_rows"] == (seen == 0).sum()


def test_number_edges_are_quantiles_of_encoded_training_rows(problem, rest, tmp_path):
    fitted = fit_preprocessing(problem, rest, SPEC, rest)
    write_encoded(problem, fitted, rest, tmp_path)
    found = EncodedRows(tmp_path)
    assert found.edges.shape[0] == found.meta.inputs.numbers
    assert (np.diff(found.edges, axis=1) >= 0).all()
    known = np.isfinite(problem.table.frame["size"].to_numpy()[rest])
    size = found.x[known, fitted.document["features"].index("size")]
    middle = found.edges.shape[1] // 2
    row = found.edges[fitted.document["features"].index("size")]
    np.testing.assert_allclose(row[[0, middle, -1]], np.quantile(size, [0, 0.5, 1]), atol=1e-5)


def test_dates_keep_only_cycles_that_vary():
    days = np.arange("2021-01-01", "2021-03-01", dtype="datetime64[D]").astype("datetime64[ms]")
    g = np.random.default_rng(0)
    frame = pl.DataFrame({"day": np.repeat(days, 4), "y": g.normal(size=4 * len(days))})
    problem = make_problem(read_table(frame), DataOptions(target=("y",)))
    rows = np.arange(frame.height)
    document = fit_preprocessing(problem, rows, SPEC, rows).document
    assert document["columns"][0]["cycles"] == ["week", "year"]


def test_classes_start_at_the_prior():
    problem = mixed_problem(600, target="kind")
    rows = np.arange(600)
    fitted = fit_preprocessing(problem, rows[:300], SPEC, rows)
    counts = np.bincount(problem.target()[:300], minlength=3)
    chances = fitted.decode(np.array([fitted.document["target"]["prior"]]))
    np.testing.assert_allclose(chances[0], (counts + 1) / (counts.sum() + 3))


def test_a_class_without_training_rows_stays_possible():
    frame = pl.DataFrame({"a": np.arange(40) * 1.37, "y": ["no"] * 36 + ["yes"] * 4})
    problem = make_problem(read_table(frame), DataOptions(target=("y",)))
    rows = np.arange(40)
    fitted = fit_preprocessing(problem, rows[:36], SPEC, rows)
    chances = fitted.decode(np.array([fitted.document["target"]["prior"]]))
    np.testing.assert_allclose(chances[0], [37 / 38, 1 / 38])


def test_columns_that_training_rows_leave_empty_or_constant_encode_as_zero():
    frame = mixed_frame(400).with_columns(
        pl.when(pl.int_range(400) >= 300).then(pl.col("size")).alias("size"),
        pl.when(pl.int_range(400) < 300).then(pl.lit("Ulm")).otherwise("town").alias("town"),
        pl.when(pl.int_range(400) >= 300).then(pl.col("note")).alias("note"),
        pl.when(pl.int_range(400) >= 300).then(pl.col("when")).alias("when"),
    )
    problem = make_problem(read_table(frame), DataOptions(target=("y",), drop=("kind",)))
    rows = np.arange(400)
    fitted = fit_preprocessing(problem, rows[:300], SPEC, rows)
    x, _ = fitted.encode(columns_of(problem.table.frame, problem.schema.columns))
    names = fitted.document["features"]
    silent = [k for k, n in enumerate(names) if n.split()[0] in ("size", "town", "note", "when")]
    assert len(silent) > 10
    np.testing.assert_array_equal(x[:, silent], 0.0)


def test_weights_travel_along(tmp_path):
    frame = mixed_frame(100).with_columns(w=pl.int_range(100) + 1.0)
    options = DataOptions(target=("y",), weight="w", drop=("kind",))
    problem = make_problem(read_table(frame), options)
    rows = np.arange(100)
    fitted = fit_preprocessing(problem, rows, SPEC, rows)
    write_encoded(problem, fitted, rows, tmp_path)
    found = EncodedRows(tmp_path)
    np.testing.assert_array_equal(found.batch(np.array([[3, 4]]))["w"], [[4.0, 5.0]])
    y = problem.target()[:, 0]
    assert found.meta.y_mean[0] == pytest.approx(np.average(y, weights=rows + 1.0))


def test_folders_below_each_other(problem, rest, tmp_path):
    parts = []
    for k in range(3):
        fitted = fit_preprocessing(problem, _part(rest, k), SPEC, rest)
        write_encoded(problem, fitted, rest[: 40 + k], tmp_path / str(k))
        parts.append(EncodedRows(tmp_path / str(k)))
    stacked = concatenate(parts)
    assert len(stacked) == 40 + 41 + 42
    rows = np.array([[0, 40, 81], [122, 39, 80]])
    found = stacked.batch(rows)
    for place, (part, row) in {
        (0, 1): (1, 0),
        (0, 2): (2, 0),
        (1, 0): (2, 41),
        (1, 1): (0, 39),
        (1, 2): (1, 40),
    }.items():
        for name in ("x", "c", "y"):
            np.testing.assert_array_equal(found[name][place], getattr(parts[part], name)[row])
    assert concatenate(parts[:1]) is parts[0]


def test_folders_of_other_inputs_are_refused(problem, rest, tmp_path):
    for name, spec in (("a", SPEC), ("b", PreprocessingSpec(text_components=7))):
        fitted = fit_preprocessing(problem, rest, spec, rest)
        write_encoded(problem, fitted, rest[:20], tmp_path / name)
    with pytest.raises(ValueError, match="other inputs"):
        concatenate([EncodedRows(tmp_path / "a"), EncodedRows(tmp_path / "b")])
    with pytest.raises(ValueError, match="no folders"):
        concatenate([])


def test_no_rows_and_no_categories(tmp_path):
    frame = pl.DataFrame({"a": np.arange(30) * 1.5, "y": np.arange(30) * 0.31})
    problem = make_problem(read_table(frame), DataOptions(target=("y",)))
    rows = np.arange(30)
    fitted = fit_preprocessing(problem, rows, SPEC, rows)
    write_encoded(problem, fitted, rows[:0], tmp_path / "none")
    write_encoded(problem, fitted, rows, tmp_path / "all")
    assert EncodedRows(tmp_path / "none").batch(rows[:0])["x"].shape == (0, 1)
    found = EncodedRows(tmp_path / "all").batch(np.array([1, 2]))
    assert found["c"].shape == (2, 0)
