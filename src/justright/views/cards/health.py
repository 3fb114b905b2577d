"""Card: what gradients and layers did during the champion's training, against known ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from justright.core.finding import Finding
from justright.core.trial import Trial, TrialState
from justright.diagnosis.health import examine
from justright.diagnosis.ranges import CALIBRATED, RANGES, Level, Range
from justright.diagnosis.view import HEALTH, Training
from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import MINUS, capital, count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table

LAYERED = ("activation_std", "activation_mean", "dead_share", "saturated_share", "update_ratio")
"""Quantities of each layer, in the order in which they are shown."""

SHARES = frozenset({"dead_share", "saturated_share", "clipped_share"})
"""Quantities that are written as percentages."""

LONG = 10_000
"""From here on a value is written with an exponent, or it would not fit its cell."""

COLOURS: Mapping[Level, str] = {
    Level.HEALTHY: "rgba(59,118,214,0.16)",
    Level.WARN: "rgba(217,139,43,0.62)",
    Level.ALARM: "rgba(210,66,47,0.85)",
}

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """One quantity of one layer, or of the whole network.

    Attributes:
        quantity: Its name in `RANGES`.
        where: The layer, or what else it is of.
        points: Steps and values.
    """

    quantity: str
    where: str
    points: Points

    @property
    def range(self) -> Range:
        """What is known about the quantity."""
        return RANGES[self.quantity]

    @property
    def worst(self) -> Level:
        """The worst level that a point lies in."""
        order = list(Level)
        return max((self.range.level(v) for _, v in self.points), key=order.index)

    @property
    def label(self) -> str:
        """For the axis."""
        return f"{self.range.title} · {self.where}" if self.where else self.range.title


def health(reader: Reader) -> Card | NotApplicable:
    """A map of layer × step, coloured by range, of the champion's first training."""
    champion = str(reader.fact("champion").get("subject") or "")
    trial, training = _first(reader, champion)
    if trial is None:
        return NotApplicable("no training was watched")
    lines = _lines(training)
    if not lines:
        return NotApplicable("the training ended before its health was known")
    found = examine(training)
    notes = [
        "Activations are those of the same training rows, before the first step and at every "
        "evaluation; gradients and steps are means since the evaluation before.",
        "Blue lies within its range, amber outside, red where it is alarming.",
        f"Measured ranges are those of {CALIBRATED} (benchmarks/health.py).",
    ]
    notes += [f"{capital(finding.message)} → {finding.action}." for finding in found[1:]]
    return Card(
        title="Health",
        claim=_claim(champion, training, lines, found),
        figure=_figure(lines),
        table=_table(lines),
        notes=tuple(notes),
    )


def _first(reader: Reader, champion: str) -> tuple[Trial | None, Training]:
    """The first training of the champion's recipe that was watched."""
    for trial in reader.trials:
        if trial.spec.kind != "network" or trial.spec.subject != champion:
            continue
        curves = reader.curves(trial.spec.id, HEALTH)
        if curves:
            return trial, Training(
                curves,
                str(_part(trial.spec.recipe, "shape").get("activation") or ""),
                _number(_part(trial.spec.recipe, "optimiser").get("clip")),
                trial.reason if trial.state is TrialState.FAILED else "",
            )
    return None, Training({})


def _part(recipe: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = recipe.get(name)
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _lines(training: Training) -> list[Line]:
    """Everything that was measured, layer by layer, then of the whole network."""
    found = [
        Line(name, f"layer {place}", points)
        for name in LAYERED
        for place, points in enumerate(training.layers(name), start=1)
    ]
    found += [
        Line("gradient_ratio", f"layer {place}", points)
        for place, points in enumerate(training.ratios(), start=1)
    ]
    found.append(Line("gradient_spike", "", _over(training, "gradient_peak", "gradient")))
    if training.start_loss > 0:
        rises = [(step, loss / training.start_loss) for step, loss in _points(training, "loss")]
        found.append(Line("loss_rise", "", rises))
    found.append(Line("clipped_share", "", _points(training, "clipped_share")))
    return [line for line in found if line.points]


def _points(training: Training, name: str) -> list[tuple[float, float]]:
    steps = training.curves.get(name, ((), ()))[0]
    return list(zip(map(float, steps), training.values(name), strict=True))


def _over(training: Training, above: str, below: str) -> list[tuple[float, float]]:
    """The ratio of two curves where the lower one is positive."""
    known = dict(_points(training, below))
    ratios = [(s, v / known[s]) for s, v in _points(training, above) if known.get(s, 0.0) > 0]
    return [(step, ratio) for step, ratio in ratios if isfinite(ratio)]


def _claim(
    champion: str, training: Training, lines: Sequence[Line], found: Sequence[Finding]
) -> str:
    if found:
        return f"In the first training of {champion}, {found[0].message} → {found[0].action}."
    levels = [line.range.level(value) for line in lines for _, value in line.points]
    outside = sum(level is not Level.HEALTHY for level in levels)
    whose = f"of its {count(len(training.layers('activation_std')), 'hidden layer')} and steps"
    text = f"The first training of {champion} is sound: "
    if not outside:
        return f"{text}all {len(levels)} figures {whose} lie in their usual ranges."
    lie = "lies" if outside == 1 else "lie"
    return (
        f"{text}{outside} of {len(levels)} figures {whose} {lie} outside the usual range, and "
        "no check objects."
    )


def _shown(quantity: str, value: float) -> str:
    """A value as short as a cell allows."""
    if not isfinite(value):
        return "∞" if value > 0 else "not finite"
    if quantity in SHARES:
        return f"{value:.0%}"
    if abs(value) >= LONG:
        return f"{value:.0e}".replace("-", MINUS)
    return significant(value, 2)


def _figure(lines: Sequence[Line]) -> figures.Figure:
    steps = sorted({step for line in lines for step, _ in line.points})
    names = [str(place) for place in range(len(lines))]
    rank = {level: place for place, level in enumerate(Level)}
    levels: list[list[int | None]] = []
    texts: list[list[str]] = []
    for line in lines:
        known = dict(line.points)
        levels.append([rank[line.range.level(known[s])] if s in known else None for s in steps])
        texts.append([_shown(line.quantity, known[s]) if s in known else "" for s in steps])
    heat = {
        "type": "heatmap",
        "x": [count(int(step)) for step in steps],
        "y": names,
        "z": levels,
        "zmin": 0,
        "zmax": 2,
        "text": texts,
        "texttemplate": "%{text}",
        "textfont": {"size": 11},
        "customdata": [[_bounds(line)] * len(steps) for line in lines],
        "colorscale": _scale(),
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "hovertemplate": "%{text} by step %{x}, usually %{customdata}<extra></extra>",
    }
    usual = {"type": "category", "showgrid": False, "fixedrange": True}
    return {
        "data": [heat],
        "layout": figures.layout(
            height=90 + 25 * len(lines),
            xaxis=figures.axis("by step", **usual),
            yaxis=figures.axis(
                **usual,
                autorange="reversed",
                tickmode="array",
                tickvals=names,
                ticktext=[figures.plain(line.label) for line in lines],
                ticklabelstandoff=6,
            ),
        ),
    }


def _scale() -> list[list[Any]]:
    """Three flat colours over 0 to 2."""
    scale: list[list[Any]] = []
    for place, colour in enumerate(COLOURS.values()):
        scale += [[place / 3, colour], [(place + 1) / 3, colour]]
    return scale


def _bounds(line: Line, *, alarm: bool = False) -> str:
    low, high = line.range.alarm if alarm else line.range.warn
    if not isfinite(high):
        return "any"
    if line.quantity in SHARES:
        return f"up to {high:.0%}"
    return (f"up to {high:g}" if low <= 0 else f"{low:g} to {high:g}").replace("-", MINUS)


def _table(lines: Sequence[Line]) -> Table:
    """One row a quantity, over all layers and steps."""
    heads = (
        Column("Quantity"),
        Column("Lowest", numeric=True),
        Column("Highest", numeric=True),
        Column("Usual"),
        Column("No alarm"),
        Column("Source"),
    )
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.quantity, []).append(line)
    rows = tuple(_row(name, own) for name, own in groups.items())
    strong = [any(line.worst is Level.ALARM for line in own) for own in groups.values()]
    return Table(heads, rows, frozenset(place for place, is_so in enumerate(strong) if is_so))


def _row(quantity: str, lines: Sequence[Line]) -> tuple[str, ...]:
    known, values = RANGES[quantity], [value for line in lines for _, value in line.points]
    return (
        known.title,
        _shown(quantity, min(values)),
        _shown(quantity, max(values)),
        _bounds(lines[0]),
        _bounds(lines[0], alarm=True),
        f"{known.status}: {known.source}",
    )
