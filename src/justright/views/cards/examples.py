"""Card: single rows, the best, the worst, typical ones, and confident mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table

VALUES = 4
"""Columns whose values are shown."""

ORDER = ("confident error", "worst", "typical", "best")


def examples(reader: Reader) -> Card | NotApplicable:
    """Rows that the champion was not trained on, with what it said of them."""
    fact = reader.fact("examples")
    if not fact:
        return NotApplicable("no network was looked at row by row")
    rows = sorted(fact.get("rows") or (), key=lambda entry: ORDER.index(entry["kind"]))
    if not rows or not reader.examples:
        return NotApplicable("rows of the data are kept out")
    names = [str(name) for name in fact["columns"]][:VALUES]
    loss = str(fact.get("loss_title"))
    error = "Off by" if _single(rows[0]) else capital(loss)
    heads = (
        Column("Kind"),
        Column("Row", numeric=True),
        Column("Actual"),
        Column("Predicted"),
        Column(error, numeric=True),
        *(Column(name) for name in names),
    )
    strong = frozenset(i for i, entry in enumerate(rows) if entry["kind"] == ORDER[0])
    return Card(
        title="Examples",
        claim=_claim(rows, loss),
        table=Table(heads, tuple(_row(entry, len(names)) for entry in rows), strong),
        notes=(
            "Rows that the champion was not trained on, none of them test rows; numbered from 0 "
            "as in the file. Typical: nearest to the median "
            f"{loss}. The columns that matter most are shown.",
        ),
    )


def _claim(rows: Sequence[Mapping[str, Any]], loss: str) -> str:
    errors = [entry for entry in rows if entry["kind"] == ORDER[0]]
    if errors:
        first = errors[0]
        return (
            f"The most confident mistake: row {count(first['row'])} is {first['target']}, the "
            f"network says {first['prediction']} with probability {first['chance']:.3g}."
        )
    worst = max(rows, key=lambda entry: entry["loss"])
    return (
        f"The highest {loss} is that of row {count(worst['row'])}: "
        f"{_shown(worst['target'])} predicted as {_shown(worst['prediction'])}."
    )


def _row(entry: Mapping[str, Any], values: int) -> tuple[str, ...]:
    predicted = _shown(entry["prediction"])
    if "chance" in entry:
        predicted += f" ({entry['chance']:.0%})"
    return (
        capital(str(entry["kind"])),
        count(entry["row"]),
        _shown(entry["target"]),
        predicted,
        significant(_off(entry) if _single(entry) else entry["loss"]),
        *(str(value) for value in entry["values"][:values]),
    )


def _single(entry: Mapping[str, Any]) -> bool:
    """Whether the target is one number."""
    return not isinstance(entry["target"], str) and len(entry["target"]) == 1


def _off(entry: Mapping[str, Any]) -> float:
    return float(entry["prediction"][0]) - float(entry["target"][0])


def _shown(value: Any) -> str:
    """A class label, or one or several numbers."""
    if isinstance(value, str):
        return value
    return ", ".join(significant(float(each), 4) for each in value)
