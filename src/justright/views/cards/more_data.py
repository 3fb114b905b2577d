"""Card: whether more data would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from statistics import fmean
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, decimals, fixed, significant, span
from justright.views.outcome import greater_is_better, metric_title
from justright.views.reader import Reader
from justright.views.table import Column, Table


def more_data(reader: Reader) -> Card | NotApplicable:
    """The loss over the number of rows, and what twice as many are expected to bring."""
    fact = reader.fact("forecast")
    if not fact:
        return NotApplicable("no time was left to train on parts of the rows")
    sign = -1.0 if greater_is_better(reader) else 1.0
    scores = [[sign * loss for loss in own] for own in zip(*fact["losses"], strict=True)]
    rows, title = [int(n) for n in fact["rows"]], metric_title(reader)
    known = fact["word"] != "unknown"
    table = Table(
        (Column("Training rows", numeric=True), Column(f"Mean {title}", numeric=True)),
        tuple((count(n), significant(fmean(own), 4)) for n, own in zip(rows, scores, strict=True)),
    )
    return Card(
        title="More data",
        claim=_claim(fact, rows[-1], title),
        figure=_figure(fact, rows, scores, title, sign if known else 0.0),
        table=table,
        notes=_notes(fact),
    )


def doubling(fact: Mapping[str, Any]) -> str:
    """The gain of a doubling with its interval: "−0.015, 90% interval −0.020 to −0.010"."""
    places = decimals((fact["high"] - fact["low"]) / 2)
    interval = span(-fact["high"], -fact["low"])
    return f"{fixed(-fact['gain'], places)}, 90% interval {interval}"


def _claim(fact: Mapping[str, Any], rows: int, title: str) -> str:
    if fact["word"] == "unknown":
        return f"Whether more data would help is unknown: {fact['why']}."
    text = f"More data {fact['word']}: {fact['why']}"
    return (
        f"{text}. Loss ({title}) expected to change by {doubling(fact)}, from "
        f"{count(rows)} to {count(2 * rows, 'training row')}."
    )


def _notes(fact: Mapping[str, Any]) -> tuple[str, ...]:
    part = int(fact.get("part") or 1)
    length = f", trained for 1/{part} of its length," if part > 1 else ""
    return (
        f"The champion's recipe{length} on nested subsets of the training rows of "
        f"{count(fact['blocks'], 'block')}, each row seen as often; the validation rows are the "
        "same.",
        f"L(n) = L∞ + a n^−β (Hestness et al. 2017), β {significant(fact['beta'], 2)} "
        f"({span(fact['beta_low'], fact['beta_high'])}). Less than "
        f"{significant(fact['delta'], 2)} does not matter. Nothing is said where β may be 0, "
        "unless even the last doubling brought less than that.",
    )


def _figure(
    fact: Mapping[str, Any],
    rows: Sequence[int],
    scores: Sequence[Sequence[float]],
    title: str,
    sign: float,
) -> figures.Figure:
    means = [fmean(own) for own in scores]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [n for n, own in zip(rows, scores, strict=True) for _ in own],
        "y": [score for own in scores for score in own],
        "marker": {"color": figures.BASELINE, "size": 7, "opacity": 0.6},
        "hovertemplate": "%{x:,} rows: %{y:.4g}<extra></extra>",
    }
    curve = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(rows),
        "y": means,
        "line": {"color": figures.NETWORK, "width": 2},
        "marker": {"size": 10},
        "hovertemplate": "mean of %{x:,} rows: %{y:.4g}<extra></extra>",
    }
    data = [points, curve]
    last = 2 * rows[-1] if sign else rows[-1]
    if sign:
        data.append(_expected(fact, rows[-1], means[-1], sign))
    ticks = [*rows, 2 * rows[-1]] if sign else list(rows)
    x = figures.axis(
        "training rows",
        type="log",
        tickvals=ticks,
        ticktext=[f"{n:,}" for n in ticks],
        range=_log_range(rows[0], last),
    )
    y = figures.axis(f"validation {title}")
    return {"data": data, "layout": figures.layout(height=380, width=640, xaxis=x, yaxis=y)}


def _expected(fact: Mapping[str, Any], rows: int, mean: float, sign: float) -> dict[str, Any]:
    ends = sorted(mean - sign * fact[name] for name in ("low", "high"))
    there = mean - sign * fact["gain"]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [rows, 2 * rows],
        "y": [mean, there],
        "line": {"color": figures.WARNING, "width": 2, "dash": "dot"},
        "marker": {"size": [0, 10], "color": figures.WARNING},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [0, max(ends[1] - there, 0.0)],
            "arrayminus": [0, max(there - ends[0], 0.0)],
            "color": figures.WARNING,
            "thickness": 2,
            "width": 0,
        },
        "hovertemplate": "expected with %{x:,} rows: %{y:.4g}<extra></extra>",
    }


def _log_range(low: float, high: float) -> list[float]:
    return [log10(low) - 0.08, log10(high) + 0.08]
