"""Card: how large the network is, and which other shapes were tried."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import isfinite
from statistics import fmean
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.describe import shape_text
from justright.views.numbers import bytes_text, compact, count, significant
from justright.views.reader import Reader, validation_loss
from justright.views.table import Column, Table


def sizes(reader: Reader) -> Card | NotApplicable:
    """The network's shape, weights, bytes and speed, beside the other shapes tried."""
    network = reader.fact("network")
    if not network:
        return NotApplicable("no network was chosen yet")
    chosen = shape_text(network.get("shape") or {})
    tried = _tried(reader)
    claim = f"The network is {chosen}"
    if network.get("parameters"):
        claim += f" with {compact(network['parameters'])} weights"
    if network.get("bytes"):
        claim += f" in {bytes_text(network['bytes'])}"
    if network.get("ms_per_row"):
        each = significant(network["ms_per_row"], 2)
        claim += f" and predicts a row in {each} ms (of a batch of 1,000, on one core)"
    if network.get("ms_to_answer"):
        claim += f", one row by itself in {significant(network['ms_to_answer'], 2)} ms"
    if len(tried) > 1:
        claim += f"; {count(len(tried), 'shape')} were trained"
    rows = tuple(
        (shape, count(len(losses)), significant(fmean(losses), 4), significant(min(losses), 4))
        for shape, losses in tried.items()
    )
    heads = (
        Column("Shape"),
        Column("Trainings", numeric=True),
        Column("Mean validation loss", numeric=True),
        Column("Lowest", numeric=True),
    )
    strong = frozenset(i for i, shape in enumerate(tried) if shape == chosen)
    return Card(
        title="Size",
        claim=f"{claim}.",
        figure=_figure(tried, chosen) if len(tried) > 1 else None,
        table=Table(heads, rows, strong) if rows else None,
        notes=(
            "These shapes were trained with different lengths, rates and partitions, so their "
            "losses do not compare sizes: the card of the right size does.",
        ),
    )


def _tried(reader: Reader) -> Mapping[str, list[float]]:
    """Validation losses by shape, the smallest network first."""
    shapes: dict[str, tuple[float, list[float]]] = {}
    for trial in reader.trials:
        shape, loss = trial.spec.recipe.get("shape"), validation_loss(trial)
        if trial.spec.kind != "network" or not isinstance(shape, Mapping):
            continue
        if isfinite(loss):
            entry = shapes.setdefault(shape_text(shape), (_weights(shape), []))
            entry[1].append(loss)
    ordered = sorted(shapes.items(), key=lambda item: item[1][0])
    return {shape: losses for shape, (_, losses) in ordered}


def _weights(shape: Mapping[str, Any]) -> float:
    """Weights between hidden layers, enough to order shapes by size."""
    hidden = [int(width) for width in shape.get("hidden") or ()]
    return sum(a * b for a, b in pairwise(hidden)) + sum(hidden)


def _figure(tried: Mapping[str, list[float]], chosen: str) -> figures.Figure:
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [str(index)] * len(losses),
            "y": figures.finite(losses),
            "marker": {
                "size": 9,
                "opacity": 0.75,
                "color": figures.NETWORK if shape == chosen else figures.BASELINE,
            },
            "hovertemplate": f"{figures.plain(shape)}: %{{y:.4g}}<extra></extra>",
        }
        for index, (shape, losses) in enumerate(tried.items())
    ]
    names = [str(index) for index in range(len(tried))]
    return {
        "data": data,
        "layout": figures.layout(
            height=300,
            xaxis=figures.axis(
                "shape, smallest first",
                type="category",
                tickmode="array",
                tickvals=names,
                ticktext=[figures.plain(shape) for shape in tried],
                range=[-0.6, len(names) - 0.4],
                showgrid=False,
                fixedrange=True,
            ),
            yaxis=figures.axis("validation loss", nticks=6),
        ),
    }
