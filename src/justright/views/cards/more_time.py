"""Card: what more time would bring, as far as it was foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.describe import shape_text
from justright.views.ideas import more_time_text
from justright.views.numbers import duration, significant
from justright.views.outcome import metric_title
from justright.views.reader import Reader
from justright.views.table import Column, Table


def more_time(reader: Reader) -> Card | NotApplicable:
    """Ideas and sizes that there was no time for, with expected gain and price."""
    fact = reader.fact("more time")
    if not fact:
        return NotApplicable("the study has not come to its end")
    ideas: Sequence[Mapping[str, Any]] = list(fact.get("ideas") or ())
    if not ideas and not fact.get("size_time"):
        return NotApplicable("nothing was left out for lack of time")
    metric = metric_title(reader)
    heads = (
        Column("Left out"),
        Column("Competes for"),
        Column("Helps with", numeric=True),
        Column(f"Expected gain ({metric})", numeric=True),
        Column("Worth it until", numeric=True),
        Column("Time of one core", numeric=True),
        Column(f"With --time {fact['time']}"),
    )
    rows = [_row(each) for each in ideas]
    if fact.get("size_time"):
        name = shape_text({"hidden": fact["untested"]})
        rows.insert(0, (f"size {name}", "size", "–", "–", "–", "–", f"--time {fact['size_time']}"))
    strong = frozenset(place for place, row in enumerate(rows) if row[-1] == "tested")
    return Card(
        title="What more time would bring",
        claim=_claim(fact, metric),
        table=Table(heads, tuple(rows), strong),
        notes=(
            "An expectation, not a measurement: the predictions were frozen before anything was "
            "tried, and the same say what is tried first. Expected gain: probability that it "
            "helps × mean of the gain if it does.",
            "Ideas that compete for the same thing exclude each other: the best of each is "
            "counted. The others are added up, which is the most that they can bring together. "
            "The time holds screening and confirming.",
            "Worth it until: once what it competes for has brought so much, trying it is not "
            "worth its seconds any more (Weitzman 1979); a second costs what the last idea that "
            "fits into the longer study is expected to bring in one.",
        ),
    )


def _claim(fact: Mapping[str, Any], metric: str) -> str:
    size = ""
    if fact.get("size_time"):
        name = shape_text({"hidden": fact["untested"]})
        size = f"--time {fact['size_time']} may be enough to test sizes from {name}"
    if not fact.get("ideas"):
        return f"No idea was left out; {size}."
    text = more_time_text(fact, metric)
    return f"{text}; {size}." if size else f"{text}."


def _row(each: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(each["title"]),
        str(each["slot"]),
        f"{each['helps']:.0%}",
        significant(each["expected"], 2),
        _until(each),
        duration(each["core_seconds"]),
        "tested" if each["fits"] else "no",
    )


def _until(each: Mapping[str, Any]) -> str:
    value = each.get("until")
    return "–" if value is None else significant(value, 2) if value >= 0.0 else "not worth it"
