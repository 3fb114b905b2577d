"""What probabilities and intervals were worth on the test rows: notes, and a card for numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.coverage import coverage_notes
from justright.views.numbers import count, decimals, fixed, significant, span, with_interval
from justright.views.reader import Reader
from justright.views.table import Column, Table


def reliability_notes(reader: Reader) -> tuple[str, ...]:
    """Brier score, calibration error against chance, and what the temperature did."""
    found = reader.fact("reliability")
    if not found:
        return ()
    error, perfect, most = (100 * found[key] for key in ("error", "perfect", "most"))
    beyond = "which is more than chance makes" if error > most else "which chance may make"
    said = [
        f"On {count(found['rows'], 'test row')}: Brier score {_ends(found['brier'])} (Brier "
        "1950).",
        f"Expected calibration error {error:.1f} percentage points, {beyond}: a perfect "
        f"forecaster would show {perfect:.1f} on average on so many rows, and {most:.1f} in "
        "one of twenty cases (Naeini, Cooper & Hauskrecht 2015; Bröcker & Smith 2007).",
    ]
    before, after = found["log_loss"]
    gain, low, high = found["gain"]
    if before != after and None not in (low, high) and isfinite(high - low):
        places = decimals((high - low) / 2)
        said.append(
            f"The temperature changed the log-loss of the test rows from {significant(before)} to "
            f"{significant(after)}: {fixed(gain, places)} better (95% interval {span(low, high)})."
        )
    return tuple(said)


def interval_calibration(reader: Reader) -> Card | NotApplicable:
    """Coverage of the intervals on the test rows, by thirds of the predicted value."""
    levels = [each for each in reader.fact("intervals").get("levels") or () if each.get("thirds")]
    if not levels:
        opened = bool(reader.fact("test"))
        return NotApplicable(
            "no intervals were measured" if opened else "the test set was not opened yet"
        )
    targets = [str(name) for name in reader.fact("table").get("target") or ()]
    parts = [
        (each["level"], targets[place] if place < len(targets) else "", third)
        for each in levels
        for place, own in enumerate(each["thirds"])
        for third in own
    ]
    missed = [part for part in parts if _off(part[0], part[2])]
    several = len(levels[0]["thirds"]) > 1
    return Card(
        title="Calibration",
        claim=_claim(levels, parts, missed, several),
        figure=None if several else _figure(parts),
        table=_table(parts, missed, several),
        notes=(
            "Intervals have one width for all rows: right on average, they may be too narrow "
            "where values are large and too wide where they are small. 95% intervals of the "
            "shares; red where they leave out the level aimed at.",
            *coverage_notes(reader),
        ),
    )


Part = tuple[float, str, Mapping[str, Any]]


def _off(level: float, third: Mapping[str, Any]) -> bool:
    """Whether the share of rows inside is surely another than aimed at."""
    low, high = third["low"], third["high"]
    return None not in (low, high) and not low <= level <= high


def _claim(
    levels: Sequence[Mapping[str, Any]],
    parts: Sequence[Part],
    missed: Sequence[Part],
    several: bool,
) -> str:
    shown = min(levels, key=lambda each: abs(each["level"] - 0.9))
    shares = ", ".join(f"{share:.1%}" for share in shown["coverage"])
    text = f"Intervals of {shown['level']:.0%} hold {shares} of the test rows"
    if not missed:
        third = "each target and third" if several else "each third"
        return f"{text}, and in {third} of the predictions what was aimed at, within chance."
    level, target, worst = max(missed, key=lambda part: abs(part[2]["coverage"] - part[0]))
    of = f" of {target}" if several else ""
    kind = "narrow" if worst["coverage"] < level else "wide"
    return (
        f"{text}, but they are too {kind} in the {worst['third']} third of the predictions{of}: "
        f"those of {level:.0%} hold {worst['coverage']:.1%} there "
        f"({len(missed)} of {count(len(parts), 'share')} are off beyond chance)."
    )


def _label(part: Part) -> str:
    return f"{part[0]:.0%}, {part[2]['third']} third"


def _table(parts: Sequence[Part], missed: Sequence[Part], several: bool) -> Table:
    heads = [Column("Target")] if several else []
    heads += [
        Column("Interval", numeric=True),
        Column("Third of the predictions"),
        Column("Test rows inside", numeric=True),
        Column("95% interval of that", numeric=True),
        Column("Rows", numeric=True),
    ]
    rows = [
        (
            *([target] if several else []),
            f"{level:.0%}",
            str(third["third"]),
            f"{third['coverage']:.1%}",
            _span(third),
            count(third["rows"]),
        )
        for level, target, third in parts
    ]
    strong = frozenset(place for place, part in enumerate(parts) if part in missed)
    return Table(tuple(heads), tuple(rows), strong)


def _figure(parts: Sequence[Part]) -> figures.Figure:
    off = [_off(level, third) for level, _, third in parts]
    figure = figures.intervals(
        [_label(part) for part in parts],
        [third["coverage"] for _, _, third in parts],
        [
            None if None in (third["low"], third["high"]) else (third["low"], third["high"])
            for _, _, third in parts
        ],
        [figures.WARNING if each else figures.NETWORK for each in off],
        title="share of the test rows inside; the line is what was aimed at",
        texts=[f"{_label(part)}: {part[2]['coverage']:.1%}" for part in parts],
    )
    figure["layout"]["shapes"] = [
        {
            "type": "line",
            "x0": level,
            "x1": level,
            "y0": place - 0.4,
            "y1": place + 0.4,
            "line": {"color": figures.BASELINE, "width": 2},
        }
        for place, (level, _, _) in enumerate(parts)
    ]
    figure["layout"]["xaxis"]["tickformat"] = ".0%"
    return figure


def _span(third: Mapping[str, Any]) -> str:
    low, high = third["low"], third["high"]
    known = None not in (low, high) and isfinite(high - low)
    return f"{low:.1%} to {high:.1%}" if known else "unknown"


def _ends(found: Sequence[float | None]) -> str:
    value, low, high = found
    return significant(value) if value is None else with_interval(value, low, high)
