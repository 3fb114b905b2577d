"""The deployed preprocessing: one meaning for every way to hand over the same values."""

from __future__ import annotations

import contextlib
import json
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from justright.deploy.network import (
    Coded,
    ModelError,
    Preprocessing,
    coded_of,
    cycle,
    load,
    ngram_counts,
    numbers_of,
    read_safetensors,
    seconds_of,
    text_components,
)

GENERATOR = np.random.default_rng(0)
ARRAYS = {
    "preprocessing/4/idf": np.ones(64, np.float32),
    "preprocessing/4/weight": GENERATOR.normal(size=(64, 3)).astype(np.float32),
}
COLUMNS = [
    {"name": "size", "encoding": "number", "flag": True},
    {"name": "when", "encoding": "date", "flag": True, "cycles": ["day", "week", "year"]},
    {"name": "new", "encoding": "boolean", "flag": True, "true": ["yes"], "false": ["no"]},
    {"name": "town", "encoding": "one_hot", "flag": True, "values": ["Ulm", "Rome"]},
    {"name": "note", "encoding": "text", "flag": True, "array": "preprocessing/4"},
    {"name": "tail", "encoding": "embedding", "flag": True, "values": ["N1", None, "N3"]},
]
FEATURES = 2 + 1 + 6 + 1 + 1 + 1 + 2 + 1 + 3 + 1 + 1


def _preprocessing(centre: float = 0.0, factor: float = 1.0, target=None) -> Preprocessing:
    document = {
        "format": 1,
        "columns": COLUMNS,
        "centre": [centre] * FEATURES,
        "factor": [factor] * FEATURES,
        "clip": 3.0,
        "target": target,
    }
    return Preprocessing(document, ARRAYS)


texts = st.one_of(st.none(), st.text(max_size=12))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "size": st.one_of(st.none(), st.floats(allow_infinity=True)),
            "when": st.one_of(st.none(), st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1))),
            "new": st.one_of(st.none(), st.sampled_from(["yes", "No ", "YES", "perhaps", ""])),
            "town": st.one_of(st.none(), st.sampled_from(["Ulm", "Rome", "Oslo", ""])),
            "note": texts,
            "tail": st.one_of(st.none(), st.sampled_from(["N1", "N2", "N3", "N4"])),
        }
    ),
    min_size=1,
    max_size=9,
)


@given(rows)
def test_plain_arrays_and_coded_columns_encode_alike(table):
    plain = {d["name"]: np.array([row[d["name"]] for row in table], object) for d in COLUMNS}
    numbers = {"size": numbers_of(plain["size"]), "when": seconds_of(plain["when"])}
    coded = {name: coded_of(plain[name]) for name in ("new", "town", "note", "tail")}
    x, c = _preprocessing().encode(plain)
    x2, c2 = _preprocessing().encode({**numbers, **coded, "further": [1]})
    assert x.dtype == np.float32
    assert c.dtype == np.int32
    assert x.shape == (len(table), FEATURES)
    assert c.shape == (len(table), 1)
    assert np.isfinite(x).all()
    assert (np.abs(x) <= 3.0).all()
    np.testing.assert_array_equal(x, x2)
    np.testing.assert_array_equal(c, c2)


@given(rows, st.data())
def test_a_row_means_the_same_in_any_company(table, data):
    plain = {d["name"]: np.array([row[d["name"]] for row in table], object) for d in COLUMNS}
    order = np.array(data.draw(st.permutations(range(len(table)))))
    x, c = _preprocessing(0.5, 2.0).encode(plain)
    x2, c2 = _preprocessing(0.5, 2.0).encode({name: v[order] for name, v in plain.items()})
    np.testing.assert_allclose(x2, x[order], rtol=0, atol=3e-7)  # float32's last bit
    np.testing.assert_array_equal(c2, c[order])


def test_features_of_a_row_by_hand():
    x, c = _preprocessing().raw(
        {
            "size": [4.0, None],
            "when": np.array(["1970-01-01T06:00", "NaT"], "datetime64[s]"),
            "new": ["YES", "maybe"],
            "town": ["Rome", None],
            "note": [None, "a note"],
            "tail": ["N3", "N2"],
        }
    )
    assert x[0, :2].tolist() == [4.0, 21_600.0]
    assert x[0, 2] == 0.0
    assert x[1, 2] == 1.0
    turn = 2 * np.pi * 3 / 7  # a Thursday
    expected = [1.0, 0.0, np.sin(turn), np.cos(turn), 0.0, 1.0, 0.0]
    np.testing.assert_allclose(x[0, 3:10], expected, atol=1e-12)
    assert x[0, 10] == 1.0
    assert np.isnan(x[1, 10])
    assert x[0, 12:15].tolist() == [0.0, 1.0, 0.0]
    assert x[1, 12:15].tolist() == [0.0, 0.0, 1.0]
    assert np.isnan(x[0, 15:18]).all()
    assert np.isfinite(x[1, 15:18]).all()
    assert c.tolist() == [[3], [0]]


def test_scaling_is_the_smooth_clip_of_the_paper():
    x = np.array([[-1e300, 0.5, 2.0, np.inf, np.nan]]).T
    document = {"format": 1, "columns": [], "centre": [1.0], "factor": [2.0], "clip": 3.0}
    found = Preprocessing(document, {}).scaled(x)[:, 0]
    z = (np.array([0.5, 2.0]) - 1.0) * 2.0
    np.testing.assert_allclose(found[1:3], z / np.sqrt(1 + (z / 3) ** 2))
    np.testing.assert_allclose(found[[0, 3, 4]], [-3.0, 3.0, 0.0])


@pytest.mark.parametrize(
    "values",
    [
        [date(2020, 2, 29), None],
        ["2020-02-29", "no date"],
        np.array(["2020-02-29", "NaT"], "datetime64[D]"),
        np.array([1_582_934_400.0, np.nan]),
        [datetime(2020, 2, 29), None],
    ],
)
def test_dates_in_any_form(values):
    np.testing.assert_array_equal(seconds_of(values), [1_582_934_400.0, np.nan])


def test_numbers_and_labels_in_any_form():
    assert numbers_of(["1.5", 2, True, None]).tolist()[:3] == [1.5, 2.0, 1.0]
    for values in ([3, 4, 3], [3.0, 4.0, 3.0], ["3", "4", "3"], np.array([3, 4, 3], np.int8)):
        assert coded_of(values).codes.tolist() == [0, 1, 0]
        assert list(coded_of(values).values) == ["3", "4"]
    assert list(coded_of([True, None, float("nan")]).values) == ["true"]


def test_cycles_close():
    day = cycle(np.array([0.0, 86_400.0, 43_200.0, np.nan]), "day")
    np.testing.assert_allclose(day[:3], [[0, 1], [0, 1], [0, -1]], atol=1e-12)
    assert np.isnan(day[3]).all()
    week = cycle(np.arange(14) * 86_400.0, "week")
    np.testing.assert_allclose(week[:7], week[7:])
    years = np.array(["2021-01-01", "2022-01-01"], "datetime64[s]").astype(float)
    np.testing.assert_allclose(np.ptp(cycle(years, "year"), axis=0), 0, atol=1e-12)


def test_ngrams_do_not_reach_into_the_next_text():
    together = ngram_counts(["abc", "xyz", ""], 512)
    alone = np.concatenate([ngram_counts([text], 512) for text in ("abc", "xyz", "")])
    np.testing.assert_array_equal(together, alone)
    # " abc " has three pieces of 3 letters, two of 4 and one of 5; "  " has none
    assert together.sum(axis=1).tolist() == [6, 6, 0]


def test_ngrams_ignore_case_and_share_pieces():
    weight = np.eye(512, dtype=np.float32)
    idf = np.ones(512, np.float32)
    found = text_components(["Deep sea", "deep SEA", "deep see", None], idf, weight)
    np.testing.assert_array_equal(found[0], found[1])
    assert 0.3 < found[0] @ found[2] < 0.95
    assert np.isnan(found[3]).all()
    np.testing.assert_allclose(np.linalg.norm(found[:3], axis=1), 1, rtol=1e-6)


def test_missing_columns_are_named():
    with pytest.raises(ModelError, match=r"'size', 'when'"):
        _preprocessing().encode({"new": [], "town": [], "note": [], "tail": []})


def test_columns_of_different_lengths_are_refused():
    columns = {d["name"]: [None, None] for d in COLUMNS} | {"town": [None]}
    with pytest.raises(ModelError, match="different lengths"):
        _preprocessing().encode(columns)


def test_no_rows():
    x, c = _preprocessing().encode({d["name"]: [] for d in COLUMNS})
    assert x.shape == (0, FEATURES)
    assert c.shape == (0, 1)
    empty = Coded(np.zeros(0, np.int32), [])
    assert _preprocessing().encode(
        {d["name"]: empty if d["encoding"] not in ("number", "date") else [] for d in COLUMNS}
    )[0].shape == (0, FEATURES)


def test_decode_numbers_stay_in_the_training_range():
    target = {"classes": [], "mean": [10, 0], "scale": [2, 1], "low": [5, -1], "high": [12, 1]}
    found = _preprocessing(target=target).decode(np.array([[0.5, 9.0], [-9.0, 0.25]]))
    assert found.tolist() == [[11.0, 1.0], [5.0, 0.25]]


def test_decode_classes():
    two = _preprocessing(target={"classes": ["0", "1"], "label_type": "integer"})
    chances = two.decode(np.array([[0.0], [800.0], [-800.0]]))
    np.testing.assert_allclose(chances, [[0.5, 0.5], [0, 1], [1, 0]])
    assert two.labels(chances).tolist() == [0, 1, 0]
    large = ["9007199254740992", "9007199254740993"]  # one number in double precision
    large_two = _preprocessing(target={"classes": large, "label_type": "integer"})
    assert large_two.labels(chances[1:]).tolist() == [2**53 + 1, 2**53]
    three = _preprocessing(target={"classes": ["a", "b", "c"], "label_type": "text"})
    chances = three.decode(np.log([[0.2, 0.3, 0.5]]))
    np.testing.assert_allclose(chances, [[0.2, 0.3, 0.5]])
    assert three.labels(chances).tolist() == ["c"]
    truth = _preprocessing(target={"classes": ["false", "true"], "label_type": "boolean"})
    assert truth.labels(np.array([[0.1, 0.9], [0.9, 0.1]])).tolist() == [True, False]


def test_safetensors_round_trip(tmp_path):
    arrays = {
        "a": GENERATOR.normal(size=(3, 4)).astype(np.float32),
        "b": GENERATOR.normal(size=5),
        "c": np.arange(6, dtype=np.int32).reshape(2, 3),
        "d": np.arange(3, dtype=np.int64),
        "e": np.arange(4, dtype=np.uint8),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.array(2.0, np.float32),
    }
    save_file(arrays, tmp_path / "a.safetensors", {"note": "ignored"})
    found = read_safetensors(tmp_path / "a.safetensors")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@given(content=st.binary(max_size=80))
def test_any_bytes_give_tensors_or_one_error(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("bytes") / "w.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(ModelError):  # any other error fails the test
        assert read_safetensors(path) == {}  # so few bytes hold at most an empty header


def test_truncated_safetensors(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a": np.ones(50, np.float32)}, path)
    whole = path.read_bytes()
    for length in (0, 3, 8, 20, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="missing or damaged"):
            read_safetensors(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "missing or damaged"),
        ("{", "missing or damaged"),
        ("[1]", "names no format"),
        ("{}", "names no format"),
        (json.dumps({"format": 99}), "newer than 1"),
    ],
)
def test_a_folder_that_is_no_model(tmp_path, content, words):
    if content is not None:
        (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(ModelError, match=words):
        load(tmp_path)
