"""Frames of other libraries, arrays and dicts."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from justright.core.errors import DataError
from justright.data.ingest import read_table


def test_every_pandas_column_arrives() -> None:
    frame = pd.DataFrame(
        {
            "float": [1.0, 2.0, None],
            "text": ["x", None, "y"],
            "category": pd.Categorical(["u", None, "v"]),
            "date": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "zone": pd.to_datetime(["2020-06-01"] * 3).tz_localize("Europe/Berlin"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "answer": pd.array([True, None, False], dtype="boolean"),
            "mixed": [1, "a", None],
            "half": np.array([1, 2, 3], np.float16),
            "year": pd.period_range("2020", "2022", freq="Y"),
        }
    )
    found = read_table(frame).frame
    assert found["float"].to_list() == [1.0, 2.0, None]
    assert found["text"].to_list() == ["x", None, "y"]
    assert found["category"].dtype == pl.Categorical
    assert found["category"].cast(pl.String).to_list() == ["u", None, "v"]
    assert found["date"].to_list() == [datetime(2020, 1, 1), None, datetime(2020, 1, 3)]
    assert found["zone"][0] == datetime(2020, 5, 31, 22)
    assert found["nullable"].to_list() == [1, None, 3]
    assert found["answer"].to_list() == [True, None, False]
    assert found["mixed"].to_list() == ["1", "a", None]
    assert found["half"].to_list() == [1.0, 2.0, 3.0]
    assert found["year"].to_list() == ["2020", "2021", "2022"]


def test_arrays_dicts_and_arrow() -> None:
    assert read_table(np.arange(4).reshape(2, 2)).columns == ("x0", "x1")
    structured = np.array([(1, "a"), (2, "b")], dtype=[("p", "i4"), ("q", "U3")])
    assert read_table(structured).frame.rows() == [(1, "a"), (2, "b")]
    assert read_table({"a": [1, 2], "b": ("x", None)}).frame.rows() == [(1, "x"), (2, None)]
    assert read_table(pa.table({"a": [1, 2]})).frame.rows() == [(1,), (2,)]
    assert read_table(pl.DataFrame({"a": [1]}).lazy()).frame.rows() == [(1,)]


def test_the_fingerprint_is_of_the_values() -> None:
    frame = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None]})
    same = pl.concat([frame[:1], frame[1:]], rechunk=False)
    assert read_table(frame).fingerprint == read_table(same).fingerprint
    changes = [
        frame.rename({"a": "c"}),
        frame.with_columns(a=pl.Series([1, 0, 3])),
        frame.with_columns(b=pl.Series(["x", None, "y"])),
        frame.reverse(),
    ]
    prints = {read_table(changed).fingerprint for changed in [frame, *changes]}
    assert len(prints) == 1 + len(changes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (np.arange(3), r"shape \(3,\)"),
        ({"a": [1, 2], "b": [1]}, "differ in length"),
        ({"a": 5}, "is not a list"),
        ({"a": "text"}, "is not a list"),
        ({}, "no columns"),
        ({"a": []}, "no rows"),
        ({"a": [1], " a": [2]}, "appears 2 times"),
        (5, "from int"),
        (None, "from NoneType"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "appears 2 times"),
        (pd.DataFrame([[1, 2]], columns=["a", ""]), "has no name"),
    ],
)
def test_what_is_no_table_is_refused(source: Any, expected: str) -> None:
    with pytest.raises(DataError, match=expected) as caught:
        read_table(source)
    assert caught.value.hint


def test_reading_data_imports_neither_pandas_nor_torch_nor_sklearn() -> None:
    code = (
        "import sys; from justright.data.ingest import read_table; "
        "from justright.data.problem import make_problem; read_table({'a': [1]}); "
        "heavy = ('pandas', 'pyarrow', 'torch', 'sklearn'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
