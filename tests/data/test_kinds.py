"""The kind of a column, with its reason."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.core.column import ColumnKind
from justright.core.errors import DataError, OptionError
from justright.data.ingest import read_table
from justright.data.kinds import judge
from justright.data.options import DataOptions
from justright.data.schema import infer_schema

RANDOM = np.random.default_rng(0)
WORDS = [f"{a}{b}" for a in "bdfgklmn" for b in ("en", "or", "al", "ith", "ock")]


def phrases(count: int, words: int) -> list[str]:
    return [" ".join(RANDOM.choice(WORDS, words)) for _ in range(count)]


DAYS = [date(2020, 1, 1) + timedelta(days=int(d)) for d in RANDOM.integers(0, 900, 400)]
CODES = [f"N{i:05d}" for i in range(2_000)]

CASES: dict[str, tuple[list[Any], ColumnKind, str]] = {
    "size": (RANDOM.normal(size=400).tolist(), ColumnKind.NUMBER, "numbers from"),
    "count": (RANDOM.integers(0, 9, 400).tolist(), ColumnKind.NUMBER, "whole numbers from 0 to 8"),
    "epoch": ((1_700_000_000 + RANDOM.permutation(400)).tolist(), ColumnKind.NUMBER, "whole"),
    "year": (list(range(1900, 2000)), ColumnKind.NUMBER, "whole numbers from 1,900"),
    "flag": ([0, 1] * 50, ColumnKind.BOOLEAN, "0 and 1"),
    "flag with gaps": ([0.0, 1.0, None] * 50, ColumnKind.BOOLEAN, "0 and 1"),
    "truth": ([True, False] * 50, ColumnKind.BOOLEAN, "true and false"),
    "answer": (["late", "on time"] * 50, ColumnKind.CATEGORY, "2 distinct values"),
    "answers": (["yes", "no"] * 50, ColumnKind.BOOLEAN, "'yes' and 'no'"),
    "amount": ([f"{i * 997:,}" for i in range(300)], ColumnKind.NUMBER, "reads as numbers"),
    "money": ([f"${i}.50" for i in range(300)], ColumnKind.NUMBER, "such as '$0.50'"),
    "share": ([f"{i % 100}%" for i in range(300)], ColumnKind.NUMBER, "such as '0%'"),
    "mostly": ([str(i) for i in range(99)] + ["unknown"], ColumnKind.NUMBER, "1 others such as"),
    "half": ([str(i % 9) for i in range(50)] + ["low"] * 50, ColumnKind.CATEGORY, "10 distinct"),
    "zip": ([f"{i % 50:05d}" for i in range(400)], ColumnKind.CATEGORY, "50 distinct"),
    "day": (DAYS, ColumnKind.DATETIME, "stored as dates"),
    "iso": ([str(day) for day in DAYS], ColumnKind.DATETIME, "%Y-%m-%d"),
    "us": ([f"{d:%m/%d/%Y}" for d in DAYS], ColumnKind.DATETIME, "%m/%d/%Y"),
    "city": (["Ulm", "Bonn", "New York"] * 50, ColumnKind.CATEGORY, "3 distinct values"),
    "tail": (CODES * 20, ColumnKind.CATEGORY, "2,000 distinct values in 40,000"),
    "code": (CODES, ColumnKind.IDENTIFIER, "hardly repeat"),
    "message": (phrases(300, 9), ColumnKind.TEXT, "9.0 words"),
    "title": (phrases(3_000, 2), ColumnKind.TEXT, "2.0 words"),
    "row": (list(range(1, 401)), ColumnKind.IDENTIFIER, "number the rows"),
    "customer_id": (RANDOM.permutation(10**6)[:400].tolist(), ColumnKind.IDENTIFIER, "says id"),
    "stationId": (RANDOM.integers(100, 130, 400).tolist(), ColumnKind.CATEGORY, "says id"),
    "same": ([7] * 100, ColumnKind.CONSTANT, "always 7 in all 100 rows"),
    "same text": (["a"] * 100, ColumnKind.CONSTANT, "always 'a'"),
    "nothing": ([None] * 100, ColumnKind.CONSTANT, "all 100 values are missing"),
    "present or not": (["pool", None] * 50, ColumnKind.CATEGORY, "1 distinct value"),
    "endless": ([1.5, 2.5, float("inf")] * 50, ColumnKind.NUMBER, "50 infinite values count"),
}


@pytest.mark.parametrize("name", CASES)
def test_kind_and_reason(name: str) -> None:
    values, kind, reason = CASES[name]
    table = read_table({name: values})
    found = judge(table.frame[name])
    assert (found.kind, reason in found.reason) == (kind, True), found


def test_a_stored_category_is_one_even_if_its_words_are_digits() -> None:
    values = pl.Series("grade", ["1", "2", "3"] * 50)
    assert judge(values).kind is ColumnKind.NUMBER
    assert judge(values.cast(pl.Categorical)).kind is ColumnKind.CATEGORY


def test_the_schema_leaves_out_what_teaches_nothing() -> None:
    table = read_table(
        {
            "id": CODES[:100],
            "x": RANDOM.normal(size=100),
            "z": [1] * 100,
            "w": [2] * 100,
            "y": [0, 1] * 50,
        }
    )
    schema = infer_schema(table, DataOptions(("y",), weight="w", drop=("z",)))
    assert [column.name for column in schema.columns] == ["id", "x", "z"]
    assert [column.name for column in schema.inputs] == ["x"]
    assert "by heart" in schema.columns[0].unused_because
    assert schema.columns[2].unused_because == "dropped by the user"


def test_the_user_has_the_last_word() -> None:
    table = read_table(
        {"code": [1, 2, 3, 4] * 10, "when": ["1.2.2024"] * 39 + ["3.2.2024"], "y": [0, 1] * 20}
    )
    kinds = {"code": "category", "when": "text"}
    schema = infer_schema(table, DataOptions(("y",), kinds=kinds))
    assert [column.kind for column in schema.columns] == [ColumnKind.CATEGORY, ColumnKind.TEXT]
    assert (
        "said by --kind (inferred: number, whole numbers from 1 to 4)" in schema.columns[0].reason
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"sise": "number"}, "did you mean 'size'?"),
        ({"size": "numbr"}, "did you mean 'number'?"),
        ({"y": "number"}, "that column is the target"),
        ({"town": "datetime"}, "no value reads as one, such as 'Ulm'"),
        ({"town": "number"}, "no value reads as one, such as 'Ulm'"),
    ],
)
def test_a_wrong_kind_is_refused(kinds: dict[str, str], expected: str) -> None:
    table = read_table({"size": [1.5, 2.5], "town": ["Ulm", "Bonn"], "y": [0, 1]})
    with pytest.raises(OptionError) as caught:
        infer_schema(table, DataOptions(("y",), kinds=kinds))
    assert expected in str(caught.value)


def test_nested_columns_must_be_dropped() -> None:
    table = read_table({"x": [1.5, 2.5], "l": [[1], [2]], "y": [0, 1]})
    with pytest.raises(DataError, match="--drop l"):
        infer_schema(table, DataOptions(("y",)))
    schema = infer_schema(table, DataOptions(("y",), drop=("l",)))
    assert [column.used for column in schema.columns] == [True, False]
