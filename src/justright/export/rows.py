"""Made-up rows that show what a model does with everything that its columns may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from justright.data.cleaning import MISSING_WORDS
from justright.export.inputs import Input

ROWS = 256
"""At least. Assumption: enough for every kind of number to meet every kind of text."""

EXTREMES = (np.nan, np.inf, -np.inf, 1e300, -1e300, 2e11, 0.0, -0.0)

COPIES = 6
"""Of each extreme: where one value ends at the bound of the training range, another may not."""

STRANGE = ("never seen", "", " ", "0", "é☃")

PADDED = 20
"""Known values that come with blanks around them, too. Assumption."""


def made_up_rows(document: Mapping[str, Any], inputs: Sequence[Input]) -> pl.DataFrame:
    """Rows with the model's columns: usual, extreme, unknown and missing values.

    Args:
        document: The model's ``preprocessing.json``.
        inputs: What `export.inputs.inputs_of` made of it.

    Returns:
        Numbers as Float64, texts as String, whole numbers that are handed in as texts as Int64
        or UInt64,
        without nulls; every known value of every category stands in a row.
    """
    rows = max([ROWS, *(len(column.keys) + PADDED + len(EXTREMES) for column in inputs)])
    generator = np.random.default_rng(0)
    numbers = iter(zip(document["centre"], document["factor"], strict=True))  # they come first
    made = []
    for column, described in zip(inputs, document["columns"], strict=True):
        if column.encoding in ("number", "date"):
            values = _numbers(generator, *next(numbers), rows)
        elif column.text and described["numeric"]:
            whole = [int(key) for key in column.keys if key not in MISSING_WORDS]
            kind = pl.Int64 if min(whole) < 0 else pl.UInt64
            values = _drawn(generator, whole, rows, kind)
        elif column.text:
            padded = [f"  {key} " for key in list(column.keys)[:PADDED]]
            values = _drawn(generator, [*column.keys, *padded, *STRANGE], rows, pl.String)
        else:
            values = _drawn(generator, [*column.keys, *EXTREMES, 0.5], rows, pl.Float64)
        made.append(values.alias(column.name))
    return pl.DataFrame(made)


def _numbers(generator: np.random.Generator, centre: float, factor: float, rows: int) -> pl.Series:
    """Around the middle of the training values, most within their range, some far outside."""
    spread = 1 / factor if factor else max(abs(centre), 1.0)
    values = centre + spread * generator.standard_t(2, rows)
    places = generator.permutation(rows)[: COPIES * len(EXTREMES)]
    values[places] = EXTREMES * COPIES
    return pl.Series(values)


def _drawn(
    generator: np.random.Generator, values: list[Any], rows: int, kind: type[pl.DataType]
) -> pl.Series:
    """Each value at least once, in a random order."""
    order = generator.permutation(np.arange(rows) % len(values))
    return pl.Series([values[place] for place in order.tolist()], dtype=kind)
