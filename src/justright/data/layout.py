"""Which features a column becomes: decided on all rows that may be learned from.

Every partition then has the same features, whatever its training rows hold, so that networks of
several partitions can be trained as one stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from justright.core.column import Column, ColumnKind
from justright.data.arrays import ColumnArray
from justright.data.kinds import FALSE_WORDS, TRUE_WORDS
from justright.deploy.network import Coded, cycle
from justright.recipe.recipe import PreprocessingSpec

MOST_VALUES = 5_000
"""Values of a category with an embedding of their own, the most frequent ones. Assumption: it
bounds a table of width 8 at 160 kB, and rarer values hardly see a gradient."""

MOST_LEVELS = 64
"""Whole values of a number that is a category, too (assumption: days, hours, minutes, grades; what
has more is an amount)."""

LOOKED_AT = 10_000
"""Values that tell at once that a number has more (to save the time of sorting all)."""

LEAST_COMPONENTS = 32
"""Components of a text column, however many texts there are (assumption), and of titles."""

TITLE = 40
"""Characters in the mean below which texts are titles, whose few words fill no more components.
Measured (LOG.md, loans_rate, and components of texts): job titles of 15 characters lose 1.7 ± 0.4%
by 128, texts of 79 to 399 gain 3 to 13%; where the limit lies between them is an assumption."""

CYCLES = ("day", "week", "year")


def describe(column: Column, values: ColumnArray, spec: PreprocessingSpec) -> dict[str, Any]:
    """Say how a column is encoded, in the words of ``preprocessing.json``.

    Args:
        column: The column.
        values: Its values in all rows that may be learned from.
        spec: How columns become numbers.
    """
    described: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind.value,
        "format": column.format,
        "flag": bool(_missing(values).any()),
    }
    if isinstance(values, np.ndarray):
        if column.kind is not ColumnKind.DATETIME:
            return described | {"encoding": "number", "levels": _levels(values, spec.level_rows)}
        return described | {"encoding": "date", "cycles": _varying_cycles(values)}
    if column.kind is ColumnKind.BOOLEAN:
        words = {"true": list(TRUE_WORDS), "false": list(FALSE_WORDS)}
        return described | {"encoding": "boolean"} | words
    if column.kind is ColumnKind.TEXT:
        return described | {"encoding": "text", "components": _components(values, spec)}
    counts = counts_of(values.codes, len(values.values))
    present = np.flatnonzero(counts)
    if len(present) + described["flag"] <= spec.one_hot_up_to:
        names = [values.values[place] for place in present.tolist()]
        return described | {"encoding": "one_hot", "values": names}
    order = present[np.argsort(-counts[present], kind="stable")]
    kept = order[counts[order] >= spec.rare_below][:MOST_VALUES]
    names = [values.values[place] for place in kept.tolist()]
    return described | {"encoding": "embedding", "values": names}


def embedded_values(described: Mapping[str, Any]) -> list[Any]:
    """Values of a described column that have rows of an embedding; none if it has no embedding.

    A place of None keeps a value that the training rows hold too rarely.
    """
    return list(described.get("levels") or ()) or (
        list(described["values"]) if described["encoding"] == "embedding" else []
    )


def feature_names(described: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the numbers and of the indicators that a described column becomes."""
    name, encoding = described["name"], described["encoding"]
    numbers = [name] if encoding in ("number", "date") else []
    indicators: list[str] = []
    if encoding == "date":
        indicators = [f"{name} {c} {wave}" for c in described["cycles"] for wave in ("sin", "cos")]
    elif encoding == "boolean":
        indicators = [name]
    elif encoding == "one_hot":
        indicators = [f"{name} = {value}" for value in described["values"]]
    elif encoding == "text":
        indicators = [f"{name} text {place}" for place in range(described["components"])]
    if described["flag"]:
        indicators.append(f"{name} missing")
    return numbers, indicators


def counts_of(codes: np.ndarray, values: int) -> np.ndarray:
    """How many rows have each code; missing ones (-1) do not count."""
    return np.bincount(codes[codes >= 0], minlength=values)


def _components(texts: Coded, spec: PreprocessingSpec) -> int:
    """Components of a text column, fewer where its texts are titles."""
    counts = counts_of(texts.codes, len(texts.values))
    lengths = np.array([len(str(text)) for text in texts.values], dtype=np.float64)
    mean = float(lengths @ counts) / max(int(counts.sum()), 1)
    return min(spec.text_components, LEAST_COMPONENTS) if mean < TITLE else spec.text_components


def _levels(numbers: np.ndarray, level_rows: int) -> list[float]:
    """The values of a number that is a category, too: few, whole, each of many rows."""
    known = numbers[np.isfinite(numbers)]
    if len(known) < 3 * level_rows:
        return []
    if len(np.unique(known[:: max(len(known) // LOOKED_AT, 1)])) > MOST_LEVELS:
        return []
    levels = np.unique(known)
    few = 2 < len(levels) <= MOST_LEVELS and len(known) >= level_rows * len(levels)
    return levels.tolist() if few and (levels == np.round(levels)).all() else []


def _missing(values: ColumnArray) -> np.ndarray:
    return np.isnan(values) if isinstance(values, np.ndarray) else values.codes < 0


def _varying_cycles(seconds: np.ndarray) -> list[str]:
    known = np.unique(seconds[np.isfinite(seconds)])
    if len(known) == 0:
        return []
    return [period for period in CYCLES if np.ptp(cycle(known, period), axis=0).max() > 1e-9]
