"""Card: predicted against actual values on the locked test set."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from statistics import fmean, median
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.coverage import coverage_notes, coverage_table
from justright.views.numbers import count, significant
from justright.views.reader import Reader

PANELS = 4
"""Targets drawn of a regression with several."""

BINS = 20
"""Groups of rows when single rows may not be shown."""

Pairs = list[tuple[float, float]]


def regression(reader: Reader) -> Card | NotApplicable:
    """Predicted against actual values, and residuals; grouped where rows may not be shown."""
    if reader.fact("table").get("classes"):
        return NotApplicable("the target is a class")
    sample = reader.fact("test").get("sample") or {}
    targets = [str(target) for target in reader.fact("table").get("target") or ("target",)]
    series = [
        _pairs(sample.get("y") or (), sample.get("prediction") or (), index)
        for index in range(len(targets))
    ]
    if not series[0]:
        opened = bool(reader.fact("test"))
        return NotApplicable(
            "rows of the data are kept out" if opened else "the test set was not opened yet"
        )
    shown, total = len(series[0]), int(reader.fact("test").get("rows") or len(series[0]))
    notes = ["The line is where predictions would equal what was measured."]
    if shown < total:
        notes.append(f"{count(shown)} of {count(total, 'test row')} are drawn.")
    if not reader.examples:
        series = [_grouped(pairs) for pairs in series]
        notes.append(
            f"Single rows are not shown; each point is the mean of about 1/{BINS} of them."
        )
    if len(targets) > PANELS:
        notes.append(f"The first {PANELS} of {count(len(targets), 'target')} are drawn.")
    pairs = _pairs(sample["y"], sample["prediction"], 0)
    figure = _two_panels(series[0]) if len(targets) == 1 else _many(series[:PANELS], targets)
    notes += coverage_notes(reader)
    return Card(
        "Predictions", _claim(pairs, targets), figure, coverage_table(reader), tuple(notes)
    )


def _value(entry: Any, index: int) -> float:
    value = entry[index] if isinstance(entry, Sequence) and not isinstance(entry, str) else entry
    return float("nan") if value is None else float(value)


def _pairs(actual: Sequence[Any], predicted: Sequence[Any], index: int) -> Pairs:
    both = ((_value(a, index), _value(p, index)) for a, p in zip(actual, predicted, strict=True))
    return [(a, p) for a, p in both if isfinite(a) and isfinite(p)]


def _claim(pairs: Pairs, targets: Sequence[str]) -> str:
    off = median(abs(p - a) for a, p in pairs)
    bias = fmean(p - a for a, p in pairs)
    spread = (fmean((p - a - bias) ** 2 for a, p in pairs) / len(pairs)) ** 0.5
    leaning = "no tendency to either side is visible"
    if abs(bias) > 2 * spread:  # two standard errors: about a 95% interval (published: textbook)
        leaning = (
            f"on average they are {significant(abs(bias), 2)} too {'high' if bias > 0 else 'low'}"
        )
    name = f" of {targets[0]}" if len(targets) > 1 else ""
    return f"Half of the predictions{name} are off by less than {significant(off, 3)}; {leaning}."


def _grouped(pairs: Pairs) -> Pairs:
    """Means of groups of neighbours by prediction, so that no point is a row."""
    ordered = sorted(pairs, key=lambda pair: pair[1])
    size = max(len(ordered) // BINS, 5)
    groups = [ordered[i : i + size] for i in range(0, len(ordered), size)]
    return [(fmean(a for a, _ in g), fmean(p for _, p in g)) for g in groups if len(g) >= 5]


def _dots(x: list[float], y: list[float], panel: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_round(v) for v in x],
        "y": [_round(v) for v in y],
        "xaxis": f"x{panel}",
        "yaxis": f"y{panel}",
        "marker": {
            "color": figures.NETWORK,
            "size": 5 if len(x) > 100 else 9,
            "opacity": max(0.25, min(0.8, 150 / max(len(x), 1))),
        },
        "hovertemplate": hover,
    }


def _round(value: float) -> float:
    return float(f"{value:.5g}")  # a page of 2,000 points needs no 17 digits


def _line(low: float, high: float, panel: str, flat: bool = False) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [low, high],
        "y": [0, 0] if flat else [low, high],
        "xaxis": f"x{panel}",
        "yaxis": f"y{panel}",
        "line": {"color": figures.WARNING, "width": 1.4},
        "hoverinfo": "skip",
    }


def _two_panels(pairs: Pairs) -> figures.Figure:
    actual, predicted = [a for a, _ in pairs], [p for _, p in pairs]
    residuals = [a - p for a, p in pairs]
    low, high = min(actual + predicted), max(actual + predicted)
    hover = "predicted %{x:.4g}<br>actual %{y:.4g}<extra></extra>"
    narrow = {
        "xaxis.domain": [0, 1],
        "yaxis.domain": [0.57, 1],
        "xaxis2.domain": [0, 1],
        "yaxis2.domain": [0, 0.42],
        "height": 640,
    }
    return {
        "data": [
            _dots(predicted, actual, "", hover),
            _line(low, high, ""),
            _dots(predicted, residuals, "2", hover.replace("actual", "residual")),
            _line(min(predicted), max(predicted), "2", flat=True),
        ],
        "layout": figures.layout(
            height=400,
            narrow=narrow,
            xaxis=figures.axis("predicted", domain=[0, 0.45], nticks=6),
            yaxis=figures.axis("actual", nticks=6),
            xaxis2=figures.axis("predicted", domain=[0.55, 1], anchor="y2", nticks=6),
            yaxis2=figures.axis("actual − predicted", anchor="x2", nticks=6),
        ),
    }


def _many(series: Sequence[Pairs], targets: Sequence[str]) -> figures.Figure:
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    width = 1 / len(series)
    rows: dict[str, Any] = {"height": 330 * len(series)}
    for index, pairs in enumerate(series):
        panel = "" if index == 0 else str(index + 1)
        actual, predicted = [a for a, _ in pairs], [p for _, p in pairs]
        low, high = min(actual + predicted), max(actual + predicted)
        data.append(
            _dots(predicted, actual, panel, "predicted %{x:.4g}<br>actual %{y:.4g}<extra></extra>")
        )
        data.append(_line(low, high, panel))
        domain = [index * width, (index + 0.78) * width]
        title = f"{figures.plain(targets[index], limit=22)}, predicted"
        axes[f"xaxis{panel}"] = figures.axis(title, domain=domain, anchor=f"y{panel}", nticks=5)
        axes[f"yaxis{panel}"] = figures.axis(
            "actual" if index == 0 else "", anchor=f"x{panel}", nticks=5
        )
        rows[f"xaxis{panel}.domain"] = [0, 1]
        rows[f"yaxis{panel}.domain"] = [1 - (index + 0.74) * width, 1 - index * width]
    return {"data": data, "layout": figures.layout(height=340, narrow=rows, **axes)}
