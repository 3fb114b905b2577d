"""Card: how the losses of training and of validation rows go with the size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.cards.size_search import EARLY, in_full, weights_axis
from justright.views.describe import shape_text
from justright.views.numbers import significant
from justright.views.reader import Reader

Row = Mapping[str, Any]


def size_fit(reader: Reader) -> Card | NotApplicable:
    """Loss against weights of the sizes that had their full length, training beside validation."""
    found = reader.fact("size")
    rows = [row for row in found.get("rows") or () if _has_both(row)]
    if len(rows) < 2:
        return NotApplicable("fewer than two sizes had their full length")
    return Card(
        title="Size: training and validation",
        claim=f"{_claim(rows)}, trained {in_full(found)}. {able_sentence(found)}",
        figure=_figure(rows),
        notes=(
            "Both are the proper loss, on a sample of the training rows and on all validation "
            "rows, means over the same blocks.",
            "Where the training loss falls and the validation loss does not, the larger network "
            "learns rows by heart; where both still fall, a larger one may be better.",
            "Able to overfit: the training loss lies below the lowest validation loss of any size "
            "by more than two standard errors, and the size's own validation loss was no lower at "
            "the end of its run than before. A gap between the two losses alone does not say so. "
            "Sizes are trained without members; the champion's state is judged by its own curves.",
        ),
    )


def able_sentence(found: Mapping[str, Any]) -> str:
    """Whether the sizes are able to overfit, which says that they are large enough."""
    if able := found.get("able"):
        return f"{shape_text({'hidden': able})} is the lightest size able to overfit."
    return (
        "No size was able to overfit in this length: longer training may learn more from these "
        "rows, or they hold no more."
    )


def _has_both(row: Row) -> bool:
    """Whether a size had its full length, and has both losses."""
    losses = (row.get("train"), row.get("proper"))
    known = all(isinstance(loss, int | float) and isfinite(loss) for loss in losses)
    return known and row.get("word") not in (*EARLY, "failed")


def _claim(rows: Sequence[Row]) -> str:
    first, last = rows[0], rows[-1]
    train, proper = (
        f"{significant(first[key])} to {significant(last[key])}" for key in ("train", "proper")
    )
    return (
        f"From {first['name']} to {last['name']} the loss of training rows goes from {train}, "
        f"that of validation rows from {proper}"
    )


def _figure(rows: Sequence[Row]) -> figures.Figure:
    lines = (
        ("training rows", "train", figures.BASELINE),
        ("validation rows", "proper", figures.NETWORK),
    )
    return {
        "data": [_line(rows, *line) for line in lines],
        "layout": figures.layout(
            height=320,
            showlegend=True,
            xaxis=weights_axis(rows),
            yaxis=figures.axis("mean loss", nticks=6),
        ),
    }


def _line(rows: Sequence[Row], title: str, key: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "x": [row["weights"] for row in rows],
        "y": [row[key] for row in rows],
        "line": {"color": colour, "width": 1.5},
        "marker": {"color": colour, "size": 8},
        "text": [
            figures.plain(f"{row['name']}, {title}: {significant(row[key], 4)}") for row in rows
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
