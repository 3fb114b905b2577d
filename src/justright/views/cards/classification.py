"""Cards: which classes are taken for which, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.cards.reliability import interval_calibration, reliability_notes
from justright.views.coverage import coverage_notes, temperature_note
from justright.views.numbers import count
from justright.views.reader import Reader
from justright.views.table import Column, Table

CLASSES = 20
"""Classes drawn in the confusion matrix, the most frequent ones."""

PAIRS = 10
"""Confused pairs listed."""


def confusion(reader: Reader) -> Card | NotApplicable:
    """The confusion matrix on the locked test set, and the pairs most often confused."""
    document = reader.fact("test").get("confusion")
    if not document:
        classes = reader.fact("table").get("classes")
        return NotApplicable(
            "the test set was not opened yet" if classes else "the target is a number"
        )
    labels = [str(label) for label in document["labels"]]
    matrix = [[int(cell) for cell in row] for row in document["matrix"]]
    total = sum(map(sum, matrix))
    right = sum(matrix[i][i] for i in range(len(labels)))
    pairs = sorted(
        ((matrix[i][j], i, j) for i in range(len(labels)) for j in range(len(labels)) if i != j),
        reverse=True,
    )
    pairs = [pair for pair in pairs[:PAIRS] if pair[0]]
    claim = (
        f"{right / total:.1%} of {count(total, 'test row')} get the right class" if total else ""
    )
    if pairs:
        wrong, actual, predicted = pairs[0]
        claim += (
            f"; the most frequent mistake is {labels[actual]} taken for {labels[predicted]} "
            f"({count(wrong, 'row')})"
        )
    rows = tuple(
        (labels[i], labels[j], count(number), f"{number / max(sum(matrix[i]), 1):.0%}")
        for number, i, j in pairs
    )
    heads = (
        Column("Actual"),
        Column("Predicted"),
        Column("Rows", numeric=True),
        Column("Share of the actual class", numeric=True),
    )
    notes = ["Colour: share of the rows of the actual class. Number: rows."]
    if len(labels) > CLASSES:
        notes.append(f"The {CLASSES} most frequent of {len(labels)} classes are drawn.")
    return Card(
        title="Confusion",
        claim=f"{claim}." if claim else "There are no test rows.",
        figure=_matrix(labels, matrix),
        table=Table(heads, rows) if len(labels) > 2 and rows else None,
        notes=tuple(notes),
    )


def calibration(reader: Reader) -> Card | NotApplicable:
    """Predicted probabilities against observed frequencies on the locked test set."""
    test = reader.fact("test")
    bins = [
        entry
        for entry in test.get("calibration") or ()
        if entry.get("count") and None not in (entry["predicted"], entry["observed"])
    ]
    if not bins:
        if reader.fact("table").get("classes"):
            return NotApplicable("the test set was not opened yet")
        return interval_calibration(reader)
    rows = sum(int(entry["count"]) for entry in bins)
    gaps = [abs(entry["predicted"] - entry["observed"]) * entry["count"] for entry in bins]
    error = sum(gaps) / rows
    signed = sum((e["predicted"] - e["observed"]) * e["count"] for e in bins) / rows
    binary = len(reader.fact("table").get("classes") or ()) == 2
    what = "The positive class" if binary else "The class predicted"
    if abs(signed) > 0.01:  # a percentage point; assumption: less is of no practical meaning
        side = "more" if signed > 0 else "less"
        points = f"{100 * abs(signed):.1f} percentage points"
        said = f"{what} gets {points} {side} probability than it deserves"
    else:
        said = f"{what} gets the probability that it deserves on average"
    table = Table(
        (
            Column("Probability", numeric=True),
            Column("Predicted", numeric=True),
            Column("Observed", numeric=True),
            Column("95% interval of that", numeric=True),
            Column("Rows", numeric=True),
        ),
        tuple(
            (
                f"{entry['low']:.2f} to {entry['high']:.2f}",
                f"{entry['predicted']:.3f}",
                f"{entry['observed']:.3f}",
                "{:.3f} to {:.3f}".format(*wilson(entry["observed"], entry["count"])),
                count(entry["count"]),
            )
            for entry in bins
        ),
    )
    return Card(
        title="Calibration",
        claim=(
            f"{said}; per bin, probabilities are off by {100 * error:.1f} percentage points "
            f"on average ({len(bins)} bins)."
        ),
        figure=_reliability(bins, rows),
        table=table,
        notes=(
            "On the line, a probability of 0.7 comes true in 70% of the rows. Bars: 95% interval "
            "of the observed frequency (Wilson 1927). The area of a point grows with its rows.",
            *reliability_notes(reader),
            *temperature_note(reader),
            *coverage_notes(reader),
        ),
    )


def _matrix(labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> figures.Figure:
    order = sorted(range(len(labels)), key=lambda i: -sum(matrix[i]))[:CLASSES]
    order.sort()
    cells = [[matrix[i][j] for j in order] for i in order]
    shares = [[matrix[i][j] / max(sum(matrix[i]), 1) for j in order] for i in order]
    names = [str(index) for index in range(len(order))]
    ticks = {
        "type": "category",
        "tickmode": "array",
        "tickvals": names,
        "ticktext": [figures.plain(labels[i], limit=18) for i in order],
        "showgrid": False,
        "ticklabelstandoff": 6,
        "fixedrange": True,
    }
    heat = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "text": [[f"{cell:,}" for cell in row] for row in cells],
        "texttemplate": "%{text}" if len(order) <= 12 else "",
        "colorscale": [[0, "rgba(59,118,214,0.04)"], [1, "rgba(59,118,214,0.78)"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{text} rows, %{z:.1%} of the actual class<extra></extra>",
    }
    side = 120 + 44 * len(order) if len(order) <= 6 else 140 + 30 * len(order)
    return {
        "data": [heat],
        "layout": figures.layout(
            height=side,
            width=200 + 90 * len(order) if len(order) <= 6 else None,
            xaxis=figures.axis("predicted", **ticks),
            yaxis=figures.axis("actual", autorange="reversed", **ticks),
        ),
    }


def wilson(share: float, rows: int) -> tuple[float, float]:
    """95% interval of a frequency (Wilson 1927).

    >>> [round(end, 3) for end in wilson(0.5, 100)]
    [0.404, 0.596]
    """
    z = 1.96
    centre = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z * (share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5
    half /= 1 + z * z / rows
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _reliability(bins: Sequence[Mapping[str, Any]], rows: int) -> figures.Figure:
    ranges = [wilson(float(e["observed"]), int(e["count"])) for e in bins]
    observed = [float(entry["observed"]) for entry in bins]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [float(entry["predicted"]) for entry in bins],
        "y": observed,
        "marker": {
            "color": figures.NETWORK,
            "opacity": 0.9,
            "size": [6 + 22 * (int(entry["count"]) / rows) ** 0.5 for entry in bins],
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [max(high - o, 0) for (_, high), o in zip(ranges, observed, strict=True)],
            "arrayminus": [max(o - low, 0) for (low, _), o in zip(ranges, observed, strict=True)],
            "color": figures.NETWORK,
            "thickness": 1.4,
            "width": 0,
        },
        "text": [count(entry["count"], "row") for entry in bins],
        "hovertemplate": "predicted %{x:.3f}, observed %{y:.3f}<br>%{text}<extra></extra>",
    }
    return {
        "data": [figures.diagonal(), points],
        "layout": figures.layout(
            height=420,
            width=560,
            xaxis=figures.axis("predicted probability", range=[-0.02, 1.02]),
            yaxis=figures.axis("observed frequency", range=[-0.02, 1.02]),
        ),
    }
