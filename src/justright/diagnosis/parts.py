"""Columns of a table cut into parts of rows: values, quantile ranges, missing or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from justright.data.arrays import ColumnArray
from justright.deploy.network import Coded

BINS = 5
"""Ranges of a column of numbers, of about as many rows each (assumption: finer ones have too few
rows to be told apart, coarser ones hide ends)."""

VALUES = 20
"""Most frequent values of a column of categories that are looked at (assumption)."""


@dataclass(frozen=True)
class Part:
    """Rows that have something in common.

    Attributes:
        column: Name of the column.
        label: For people, with values of the table: ``"Contract = Month-to-month"``.
        plain: The same without values, for reports that must not show any.
        inside: Which rows, bool [n].
    """

    column: str
    label: str
    plain: str
    inside: np.ndarray


def parts_of(
    columns: Mapping[str, ColumnArray], dates: frozenset[str] = frozenset(), least: int = 1
) -> dict[str, tuple[Part, ...]]:
    """Parts of every column; those with fewer rows, inside or outside, are left out.

    Args:
        columns: As `data.arrays.columns_of` makes them, all of n rows.
        dates: Names of those that are seconds since 1970.
        least: Fewest rows of a part, and of the rest.
    """
    found = {}
    for name, values in columns.items():
        if isinstance(values, Coded):
            own = _of_values(name, values)
            missing = values.codes < 0
        else:
            own = _of_numbers(name, values, date=name in dates)
            missing = np.isnan(values)
        own = [
            *own,
            Part(name, f"{name} missing", f"{name} missing", missing),
            Part(name, f"{name} not missing", f"{name} not missing", ~missing),
        ]
        found[name] = tuple(p for p in own if least <= p.inside.sum() <= len(p.inside) - least)
    return found


def both(first: Part, second: Part) -> Part:
    """The rows of two parts at once."""
    return Part(
        column=first.column,
        label=f"{first.label} and {second.label}",
        plain=f"{first.plain} and {second.plain}",
        inside=first.inside & second.inside,
    )


def _of_values(name: str, values: Coded) -> list[Part]:
    counts = np.bincount(values.codes[values.codes >= 0], minlength=len(values.values))
    frequent = np.argsort(-counts, kind="stable")[:VALUES]
    return [
        Part(name, f"{name} = {values.values[code]}", f"a value of {name}", values.codes == code)
        for code in frequent.tolist()
    ]


def _of_numbers(name: str, values: np.ndarray, *, date: bool) -> list[Part]:
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    shown = _date if date else _number
    distinct = np.unique(known)
    if len(distinct) <= BINS:
        plain = f"a value of {name}"
        return [Part(name, f"{name} = {shown(v)}", plain, values == v) for v in distinct.tolist()]
    inner = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    edges = np.unique(inner)  # many equal values leave fewer ranges
    place = np.searchsorted(edges, values, side="left")  # up to an edge belongs to its range
    found = []
    for number in range(len(edges) + 1):
        inside = (place == number) & ~np.isnan(values)
        if inside.any():
            low, high = shown(values[inside].min()), shown(values[inside].max())
            label = f"{name} = {low}" if low == high else f"{name} from {low} to {high}"
            found.append(Part(name, label, f"a range of {name}", inside))
    return found


def _number(value: float) -> str:
    """Whole numbers as they are, others with four digits.

    >>> _number(1997.0), _number(0.123456)
    ('1997', '0.1235')
    """
    whole = float(value).is_integer() and abs(value) < 1e6
    return f"{value:.0f}" if whole else f"{value:.4g}"


def _date(value: float) -> str:
    return str(np.datetime64(int(np.clip(value, -1e11, 1e11)), "s").astype("datetime64[D]"))
