"""Card: which columns the network rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, decimals, fixed, span
from justright.views.reader import Reader
from justright.views.table import Column, Table

SHOWN, NAMED = 10, 3
"""Columns drawn and listed, and those named in the claim."""


def importance(reader: Reader) -> Card | NotApplicable:
    """Permutation importance of the columns with its intervals, the most important first."""
    fact = reader.fact("importance")
    if not fact:
        return NotApplicable("no network was looked at column by column")
    columns: Sequence[Mapping[str, Any]] = list(fact.get("columns") or ())
    if not columns:
        return NotApplicable(str(fact.get("reason")))
    shown = columns[:SHOWN]
    metric = str(fact.get("metric_title"))
    names = [str(entry["column"]) for entry in shown]
    rows = tuple(
        (name, _worse(entry), span(entry["low"], entry["high"]), _word(entry))
        for name, entry in zip(names, shown, strict=True)
    )
    heads = (
        Column("Column"),
        Column(f"{metric} worse by", numeric=True),
        Column("95% interval", numeric=True),
        Column("Used by the network"),
    )
    return Card(
        title="Importance",
        claim=_claim(columns, metric),
        figure=figures.intervals(
            names,
            [entry["loss"] for entry in shown],
            [(entry["low"], entry["high"]) for entry in shown],
            [figures.NETWORK if entry["matters"] else figures.BASELINE for entry in shown],
            title=f"{metric} worse by, when the column is shuffled",
            texts=[f"{name}: {row[1]} ({row[2]})" for name, row in zip(names, rows, strict=True)],
            zero=True,
        ),
        table=Table(heads, rows),
        notes=_notes(fact, columns, len(shown)),
    )


def _worse(entry: Mapping[str, Any]) -> str:
    return fixed(entry["loss"], decimals((entry["high"] - entry["low"]) / 2))


def _word(entry: Mapping[str, Any]) -> str:
    return "yes" if entry["matters"] else "not seen"


def _claim(columns: Sequence[Mapping[str, Any]], metric: str) -> str:
    used = [entry for entry in columns if entry["matters"]]
    if not used:
        return (
            f"No column by itself is worth anything that could be seen: shuffling one of "
            f"{count(len(columns), 'column')} does not make {metric} worse."
        )
    named = ", ".join(str(entry["column"]) for entry in used[:NAMED])
    rest = len(columns) - len(used)
    text = f"The network rests most on {named}"
    text += f": without {used[0]['column']}, {metric} is {_worse(used[0])} worse"
    return text + (f"; of {count(rest, 'column')} no use is seen." if rest else ".")


def _notes(
    fact: Mapping[str, Any], columns: Sequence[Mapping[str, Any]], shown: int
) -> tuple[str, ...]:
    most = max(int(entry["repeats"]) for entry in columns)
    notes = [
        f"{count(fact['rows'], 'row')} that the champion was not trained on, each column "
        f"shuffled {count(most, 'time')} (Breiman 2001; Fisher, Rudin & Dominici 2019). The "
        f"limits hold for all {count(len(columns), 'column')} together (Bonferroni).",
        "Of columns that say the same, each alone seems worth little, and shuffling makes rows "
        "that do not occur: it tells what this network uses, not what causes the outcome.",
    ]
    once = [entry for entry in columns if int(entry["repeats"]) < most]
    if once:
        notes.append(f"{count(len(once), 'column')} that cost least were shuffled once.")
    if fact.get("cut"):
        notes.append("The time limit cut it: fewer rows, or shufflings, than usual.")
    if len(columns) > shown:
        notes.append(f"{count(len(columns) - shown, 'further column')} not listed.")
    return tuple(notes)
