"""Card: where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, duration
from justright.views.reader import Reader
from justright.views.table import Column, Table


def time(reader: Reader) -> Card | NotApplicable:
    """Seconds per stage, against the limit."""
    stages = reader.entries("stages")
    if not stages:
        return NotApplicable("no stage has ended yet")
    clock = reader.fact("clock")
    total = sum(float(entry.get("seconds") or 0.0) for entry in stages)
    used = float(clock.get("used_s") or total)
    longest = max(stages, key=lambda entry: float(entry.get("seconds") or 0.0))
    limit = clock.get("limit_s")
    claim = f"{duration(used)} were used" + (f" of {duration(limit)} allowed" if limit else "")
    claim += f"; {longest.get('name')} took the most, {duration(longest.get('seconds'))}."
    rows = tuple(
        (
            str(entry.get("name")),
            duration(entry.get("seconds")),
            f"{100 * float(entry.get('seconds') or 0.0) / used:.0f}%" if used else "–",
            "" if entry.get("state") == "done" else str(entry.get("state") or ""),
        )
        for entry in stages
    )
    heads = (
        Column("Stage"),
        Column("Time", numeric=True),
        Column("Share", numeric=True),
        Column("State"),
    )
    truncated = reader.cut()
    notes = (f"The time limit cut: {', '.join(truncated)}.",) if truncated else ()
    granted = reader.fact("plan").get("granted") or {}
    refused = sum(1 for amount in granted.values() if amount == 0)
    if granted:
        notes += (
            f"The work plan holds {count(len(granted), 'amount')} of work, {refused} of them "
            "refused for lack of time; it is written before the work is done, so it can be "
            "repeated exactly.",
        )
    return Card("Time", claim, _figure(stages), Table(heads, rows), notes)


def _figure(stages: tuple[Mapping[str, Any], ...]) -> figures.Figure:
    seconds = [float(entry.get("seconds") or 0.0) for entry in stages]
    names = [str(index) for index in range(len(stages))]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": figures.finite(seconds),
        "y": names,
        "marker": {"color": figures.REFERENCE},
        "text": [duration(value) for value in seconds],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    labels = [figures.plain(entry.get("name"), limit=34) for entry in stages]
    return {
        "data": [bar],
        "layout": figures.layout(
            height=70 + 28 * len(stages),
            bargap=0.45,
            xaxis=figures.axis("seconds", range=[0, max(seconds, default=1.0) * 1.15 or 1.0]),
            yaxis=figures.axis(
                type="category",
                tickmode="array",
                tickvals=names,
                ticktext=labels,
                range=[len(names) - 0.5, -0.5],
                showgrid=False,
                fixedrange=True,
            ),
        ),
    }
