"""A frame's columns in the form that a model's own file takes, read as they were for training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from justright.core.column import Column, ColumnKind
from justright.core.errors import ModelError
from justright.data.arrays import ColumnArray, columns_of
from justright.data.numerals import POINT, parse_numbers
from justright.data.options import did_you_mean


def read_columns(
    frame: pl.DataFrame, document: Mapping[str, Any], decimal: str = ""
) -> dict[str, ColumnArray]:
    """The model's input columns; further columns and another order do not matter.

    Args:
        frame: Cleaned rows to predict.
        document: The model's ``preprocessing.json``.
        decimal: Number style of the file that the rows come from, where it is text; it goes
            before nothing but columns whose text had no style of its own.

    Raises:
        ModelError: If columns are missing.
    """
    described = document["columns"]
    check_columns(frame.columns, document)
    columns = [
        Column(d["name"], ColumnKind(d["kind"]), "", format=d["format"] or _style(d, decimal))
        for d in described
    ]
    numeric = [
        parse_numbers(frame[d["name"]], d["format"] or decimal or POINT)
        for d in described
        # categories that were whole numbers at training: "3.0" in a text file is the label "3"
        if d["numeric"] and d["kind"] == "category" and frame[d["name"]].dtype == pl.String
    ]
    return columns_of(frame.with_columns(numeric), columns)


def check_columns(names: list[str], document: Mapping[str, Any]) -> tuple[str, ...]:
    """Refuse if columns are missing; return those that the model does not know.

    Raises:
        ModelError: If columns are missing.
    """
    needed = [d["name"] for d in document["columns"]]
    missing = [name for name in needed if name not in names]
    if missing:
        shown = ", ".join(repr(name) for name in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        word = "column" if len(missing) == 1 else "columns"
        raise ModelError(
            f"the data lack the {word} {shown}{more}", hint=did_you_mean(missing[0], names)
        )
    known = {*needed, *document["unused"], *document["target"]["names"]}
    return tuple(name for name in names if name not in known)


def _style(described: Mapping[str, Any], decimal: str) -> str:
    return decimal if described["kind"] == "number" else ""
