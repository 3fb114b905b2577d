"""Card: what the hidden layers say before the first step and at the end of a training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from justright.diagnosis.view import HEALTH
from justright.store.records import Histogram
from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table

NAME = f"{HEALTH}activation/"

HEIGHT = 0.85
"""Of the distance between two layers that the highest peak takes."""


def activations(reader: Reader) -> Card | NotApplicable:
    """The distribution of each hidden layer's outputs, of the champion's first training."""
    champion = str(reader.fact("champion").get("subject") or "")
    layers = _layers(reader, champion)
    if not layers:
        return NotApplicable("no training was watched")
    return Card(
        title="Activations",
        claim=_claim(champion, layers),
        figure=_figure(layers),
        table=_table(layers),
        notes=(
            "Outputs of every unit for the same training rows. Each layer is scaled to its "
            "highest peak; the grey line is the untrained network.",
        ),
    )


def _layers(reader: Reader, champion: str) -> list[Sequence[Histogram]]:
    """The histograms of each hidden layer, by step."""
    for trial in reader.trials:
        if trial.spec.kind == "network" and trial.spec.subject == champion:
            found = reader.histograms(trial.spec.id, NAME)
            if found:
                return [found[name] for name in sorted(found, key=int)]
    return []


def _claim(champion: str, layers: Sequence[Sequence[Histogram]]) -> str:
    steps = {histogram.step for own in layers for histogram in own}
    what = f"the outputs of {count(len(layers), 'hidden layer')} of {champion}"
    if len(steps) < 2:
        return f"This is how {what} are distributed."
    grown = [_spread(own[-1]) / max(_spread(own[0]), 1e-12) for own in layers]
    words = " and ".join(f"{factor:.2g}" for factor in sorted({min(grown), max(grown)}))
    between = f"between {words} times" if min(grown) < max(grown) else f"{words} times"
    return f"Training made {what} {between} as wide as they were."


def _middles(histogram: Histogram) -> np.ndarray:
    return (histogram.edges[:-1] + histogram.edges[1:]) / 2


def _spread(histogram: Histogram) -> float:
    """Standard deviation, taking every value to lie in the middle of its bin."""
    middles, share = _middles(histogram), _shares(histogram)
    mean = float(share @ middles)
    return float(np.sqrt(share @ np.square(middles - mean)))


def _shares(histogram: Histogram) -> np.ndarray:
    return histogram.counts / max(int(histogram.counts.sum()), 1)


def _figure(layers: Sequence[Sequence[Histogram]]) -> figures.Figure:
    """One ridge a layer, the first on top."""
    data = []
    for place, own in enumerate(layers):
        for histogram in own:
            last = histogram is own[-1] and histogram.step > 0
            density = histogram.counts / np.diff(histogram.edges)
            height = HEIGHT * density / max(float(density.max()), 1e-12)
            colour = figures.NETWORK if last else figures.BASELINE
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": figures.finite(_middles(histogram).tolist()),
                    "y": figures.finite((height - place).tolist()),
                    "customdata": figures.finite(_shares(histogram).tolist()),
                    "line": {"color": colour, "width": 2, "shape": "hvh"},
                    "hovertemplate": f"layer {place + 1} after {count(histogram.step, 'step')}: "
                    "%{customdata:.1%} near %{x:.3g}<extra></extra>",
                }
            )
    ticks = list(range(len(layers)))
    return {
        "data": data,
        "layout": figures.layout(
            height=110 + 90 * len(layers),
            xaxis=figures.axis("output of a unit"),
            yaxis=figures.axis(
                tickmode="array",
                tickvals=[-place for place in ticks],
                ticktext=[f"layer {place + 1}" for place in ticks],
                showgrid=True,
                fixedrange=True,
            ),
        ),
    }


def _table(layers: Sequence[Sequence[Histogram]]) -> Table:
    heads = ("Layer", "After step", "Lowest", "Highest", "Spread", "In the fullest bin")
    rows = [
        (
            str(place),
            f"{histogram.step:,}",
            significant(float(histogram.edges[0]), 3),
            significant(float(histogram.edges[-1]), 3),
            significant(_spread(histogram), 3),
            f"{float(_shares(histogram).max()):.0%}",
        )
        for place, own in enumerate(layers, start=1)
        for histogram in own
    ]
    return Table(tuple(Column(head, numeric=True) for head in heads), tuple(rows), frozenset())
