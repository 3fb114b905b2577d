"""Columns as arrays, also from tables that were stored in another way than at training."""

from __future__ import annotations

import doctest
import importlib
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.column import Column, ColumnKind
from justright.core.errors import DataError
from justright.data.arrays import coded, columns_of, numbers_of
from justright.deploy.network import Coded

COLUMNS = (
    Column("n", ColumnKind.NUMBER, ""),
    Column("c", ColumnKind.CATEGORY, ""),
    Column("b", ColumnKind.BOOLEAN, ""),
    Column("d", ColumnKind.DATETIME, "", format="%Y-%m-%d"),
    Column("skip", ColumnKind.CONSTANT, "", used=False),
)
FRAME = pl.DataFrame(
    {
        "n": [1.5, float("inf"), None],
        "c": [3, 1, None],
        "b": ["Yes", "no", None],
        "d": ["2024-01-01", "x", None],
    }
)


def texts(array: Any) -> list[str | None]:
    assert isinstance(array, Coded)
    assert array.codes.dtype == np.int32
    return [None if code < 0 else array.values[code] for code in array.codes]


def seconds(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)).total_seconds()


def test_each_kind_has_its_form() -> None:
    found = columns_of(FRAME, COLUMNS)
    assert list(found) == ["n", "c", "b", "d"]
    np.testing.assert_array_equal(found["n"], [1.5, np.nan, np.nan])
    assert texts(found["c"]) == ["3", "1", None]
    assert texts(found["b"]) == ["true", "false", None]
    np.testing.assert_array_equal(found["d"], [seconds(datetime(2024, 1, 1)), np.nan, np.nan])


def test_rows_are_taken_in_the_order_asked() -> None:
    found = columns_of(FRAME, COLUMNS, np.array([2, 0, 0]))
    assert texts(found["c"]) == [None, "3", "3"]


def test_storage_and_order_and_further_columns_do_not_matter() -> None:
    other = pl.DataFrame(
        {
            "extra": [1, 2, 3],
            "d": [datetime(2024, 1, 1), None, None],
            "b": [1.0, 0.0, None],
            "c": [3.0, 1.0, None],
            "n": ["1.5", "unknown", None],
        }
    )
    found, expected = columns_of(other, COLUMNS), columns_of(FRAME, COLUMNS)
    for name in ("n", "d"):
        np.testing.assert_array_equal(found[name], expected[name])
    for name in ("c", "b"):
        assert texts(found[name]) == texts(expected[name])


@pytest.mark.parametrize("dtype", [pl.Boolean, pl.Int8, pl.UInt64, pl.Float32, pl.String, pl.Null])
def test_a_column_without_values_is_missing_everywhere(dtype: Any) -> None:
    frame = pl.DataFrame({name: pl.Series([None, None], dtype=dtype) for name in "ncbd"})
    found = columns_of(frame, COLUMNS)
    assert np.isnan(np.asarray(found["n"])).all()
    assert np.isnan(np.asarray(found["d"])).all()
    assert texts(found["c"]) == texts(found["b"]) == [None, None]


def test_no_rows_give_empty_arrays() -> None:
    found = columns_of(FRAME.clear(), COLUMNS)
    assert len(np.asarray(found["n"])) == len(texts(found["c"])) == len(texts(found["b"])) == 0


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="no column 'n'"):
        columns_of(FRAME.drop("n"), COLUMNS)


def test_a_boolean_that_is_neither_stays_visible() -> None:
    column = (Column("b", ColumnKind.BOOLEAN, ""),)
    assert texts(columns_of(pl.DataFrame({"b": ["YES", "0", "perhaps"]}), column)["b"]) == [
        "true",
        "false",
        "perhaps",
    ]


def test_times_since_1970_in_any_unit() -> None:
    column = (Column("d", ColumnKind.DATETIME, ""),)
    moment = 1_700_000_000
    frame = pl.DataFrame({"d": [moment * 10**power for power in (0, 3, 6, 9)]})
    np.testing.assert_allclose(np.asarray(columns_of(frame, column)["d"]), moment)


@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=30))
def test_codes_give_back_the_texts(values: list[str | None]) -> None:
    found = coded(pl.Series(values, dtype=pl.String))
    assert texts(found) == values
    assert list(found.values) == sorted(set(filter(lambda v: v is not None, values)))


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=30))
def test_whole_numbers_have_one_label_however_stored(values: list[int | None]) -> None:
    whole = pl.Series(values, dtype=pl.Int64)
    expected = [None if value is None else str(value) for value in values]
    assert texts(coded(whole)) == texts(coded(whole.cast(pl.Float64))) == expected
    np.testing.assert_array_equal(
        numbers_of(whole), numbers_of(whole.cast(pl.String)), strict=True
    )


@pytest.mark.parametrize(
    "name", ["dates", "fingerprint", "ingest", "kinds", "numerals", "options"]
)
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"justright.data.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
