"""Card: parts of the rows in which the network errs more than elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count, significant, span
from justright.views.reader import Reader
from justright.views.table import Column, Table

DRAWN, BESIDE = 10, 5
"""Slices drawn and listed at most; of fewer weak ones than that, others stand beside them."""


def weak_slices(reader: Reader) -> Card | NotApplicable:
    """Slices by what they add to the loss, with limits that hold for all of them together."""
    fact = reader.fact("slices")
    if not fact:
        return NotApplicable("no network was looked at row by row")
    found: Sequence[Mapping[str, Any]] = list(fact.get("slices") or ())
    looked = int(fact.get("looked") or 0)
    if not found:
        return NotApplicable("there are too few rows to cut them into slices")
    weak = [entry for entry in found if entry["weak"]]
    others = [entry for entry in found if not entry["weak"] and entry["difference"] > 0]
    shown = [*weak, *others[: max(BESIDE - len(weak), 0)]][:DRAWN]
    if not shown:
        return NotApplicable("no slice has a higher loss than the rest")
    names = [slice_name(reader, entry) for entry in shown]
    shown, loss = _scaled(shown, fact)
    return Card(
        title="Weak slices",
        claim=_claim(shown[0] if weak else None, names[0], looked, loss),
        figure=_figure(shown, names, loss),
        table=_table(shown, names, fact, loss),
        notes=_notes(fact, len(weak), len(shown)),
    )


def slice_name(reader: Reader, entry: Mapping[str, Any]) -> str:
    """What makes a slice, without values of the table if they are to be kept out."""
    return str(entry["label"] if reader.examples else entry["plain"])


def _scaled(
    shown: Sequence[Mapping[str, Any]], fact: Mapping[str, Any]
) -> tuple[list[Mapping[str, Any]], str]:
    """Squared errors have a unit that nobody thinks in: they are told by their mean."""
    loss, mean = str(fact.get("loss_title")), float(fact.get("mean") or 0.0)
    if "squared" not in loss or not mean > 0.0:
        return list(shown), loss
    names = ("loss", "rest", "difference", "low", "high", "other")
    own: list[Mapping[str, Any]] = [
        {**entry, **{n: entry[n] / mean for n in names if entry.get(n) is not None}}
        for entry in shown
    ]
    return own, f"{loss} (mean = 1)"


def _claim(worst: Mapping[str, Any] | None, name: str, looked: int, loss: str) -> str:
    if worst is None:
        return (
            f"None of {count(looked, 'slice')} has a higher {loss} than the rest, after the "
            "correction for looking at so many; the highest are listed."
        )
    return (
        f"Weakest where {name}: {loss} {significant(worst['loss'])} against "
        f"{significant(worst['rest'])} elsewhere. Its {worst['share']:.0%} of the rows make "
        f"{worst['loss_share']:.0%} of all loss."
    )


def _table(
    shown: Sequence[Mapping[str, Any]], names: list[str], fact: Mapping[str, Any], loss: str
) -> Table:
    metric, other = str(fact.get("metric_title")), str(fact.get("other") or "")
    own = metric.lower() == loss  # the metric is the loss itself
    heads = [
        Column("Slice"),
        Column("Rows", numeric=True),
        Column(capital(loss), numeric=True),
        Column("Elsewhere", numeric=True),
        Column("Difference (95%)", numeric=True),
        *([Column(f"{capital(other)} there", numeric=True)] if other else []),
        Column("Share of all loss", numeric=True),
    ]
    heads += [] if own else [Column(metric, numeric=True), Column("Elsewhere", numeric=True)]
    rows = []
    for name, entry in zip(names, shown, strict=True):
        cells = [
            name,
            count(entry["rows"]),
            significant(entry["loss"]),
            significant(entry["rest"]),
            span(entry["low"], entry["high"]),
            *([significant(entry["other"])] if other else []),
            f"{entry['loss_share']:.0%}",
        ]
        scores = (entry.get("score"), entry.get("rest_score"))
        cells += [] if own else [significant(score) for score in scores]
        rows.append(tuple(cells))
    return Table(tuple(heads), tuple(rows))


def _figure(shown: Sequence[Mapping[str, Any]], names: list[str], loss: str) -> figures.Figure:
    return figures.intervals(
        names,
        [entry["difference"] for entry in shown],
        [(entry["low"], entry["high"]) for entry in shown],
        [figures.WARNING if entry["weak"] else figures.BASELINE for entry in shown],
        title=f"{loss} above that of all other rows",
        texts=[
            f"{name}: {count(entry['rows'], 'row')}, {loss} {significant(entry['loss'])}"
            for name, entry in zip(names, shown, strict=True)
        ],
        zero=True,
    )


def _notes(fact: Mapping[str, Any], weak: int, shown: int) -> tuple[str, ...]:
    notes = [
        f"{count(fact['rows'], 'row')} that the champion was not trained on, none of them test "
        f"rows; {count(fact['looked'], 'slice')}: values, ranges of a fifth of the rows, missing "
        "or not, and pairs of the columns that matter most. The limits hold for all of them "
        f"together ({fact['source']}; Westfall & Young 1993). Order: excess × share of rows.",
        "Where the outcome is harder to foretell, or larger, everybody errs more: where the best "
        "baseline does no better, more such rows may not help either.",
    ]
    if weak < shown:
        notes.append("Grey ones may be no worse than the rest.")
    if weak > shown:
        notes.append(f"{count(weak - shown, 'further weak slice')} not listed.")
    return tuple(notes)
