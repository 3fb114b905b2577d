"""Card: how much a score moves when nothing changes but the seed or the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean, stdev
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, decimals, fixed, significant
from justright.views.outcome import greater_is_better
from justright.views.reader import Reader
from justright.views.table import Column, Table


def noise(reader: Reader) -> Card | NotApplicable:
    """The same recipe, or several sizes of it, trained again: each score, and how far apart."""
    found = reader.fact("noise")
    lines = _lines(found, reader)
    if sum(len(scores) for scores in lines.values()) < 2:
        return NotApplicable("no recipe was trained twice")
    metric = str(reader.fact("table").get("metric_title") or "loss")
    heads = (
        Column("Rows"),
        Column("Trainings", numeric=True),
        Column(f"Mean {metric}", numeric=True),
        Column("Spread", numeric=True),
    )
    rows = tuple(
        (
            name,
            str(len(scores)),
            significant(fmean(scores), 4),
            significant(stdev(scores), 2) if len(scores) > 1 else "–",
        )
        for name, scores in lines.items()
    )
    return Card(
        title="Noise",
        claim=_claim(found),
        figure=_figure(lines, metric),
        table=Table(heads, rows),
        notes=_notes(found),
    )


def _lines(found: Mapping[str, Any], reader: Reader) -> dict[str, list[float]]:
    """Scores of every split that has several, and of all the others together."""
    sign = -1.0 if greater_is_better(reader) else 1.0
    known: dict[int, list[float]] = {}
    for place, loss in found.get("losses") or ():
        if loss is not None and isfinite(loss):
            known.setdefault(place, []).append(sign * loss)
    where, what = ("block", "size") if found.get("sizes") else ("split", "seed")
    lines = {
        f"{where} {place + 1}, {count(len(scores), what)}": scores
        for place, scores in sorted(known.items())
        if len(scores) > 1
    }
    single = [scores[0] for _, scores in sorted(known.items()) if len(scores) == 1]
    if single:
        lines[f"{count(len(single), where)}, a {what} each"] = single
    return lines


def _known(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return fixed(value, decimals(value)) if value and isfinite(value) else ""


def _claim(found: Mapping[str, Any]) -> str:
    seed, split, tie = (_known(found, key) for key in ("seed_sd", "split_sd", "tie_below"))
    ends = f"; means that differ by less than {tie} are a tie." if tie else "."
    if sizes := found.get("sizes"):
        text = f"Over {count(len(sizes), 'size')} on the same blocks, neither size nor block "
        text += f"explains {seed or '0'} of a training's score (standard deviation)"
        return text + (f"; blocks differ by {split} on top of it" if split else "") + ends
    recipe = f"The same recipe ({found['subject']})" if found.get("subject") else "The same recipe"
    if seed:
        text = f"{recipe} with another seed scores {seed} apart (standard deviation)"
        text += f", with other rows {split} on top of it" if split else ""
    elif split:
        text = f"{recipe} scores {split} apart with another seed and other rows"
    else:
        text = f"{recipe} scores the same again with another seed"
    return text + ends


def _notes(found: Mapping[str, Any]) -> tuple[str, ...]:
    notes = [_what(found)]
    if _known(found, "tie_below"):
        blocks = count(int(found.get("blocks") or 0), "training")
        notes.append(
            f"A tie is of two recipes with {blocks} each on the same splits, at 95%; a comparison "
            "of its own has its own blocks and interval."
        )
    if found.get("sizes"):
        notes.append(f"The spread rests on {count(int(found['df']), 'degree')} of freedom.")
    elif not found.get("df"):
        notes.append(
            "No split has two seeds, so that seeds and rows cannot be told apart: ties are "
            "rather too wide than too narrow."
        )
    else:
        notes.append(
            f"The spread between seeds rests on {count(int(found['df']), 'degree')} of freedom."
        )
    return tuple(notes)


def _what(found: Mapping[str, Any]) -> str:
    """What differs between the trainings."""
    if sizes := found.get("sizes"):
        names = ", ".join(map(str, sizes))
        part = found.get("part") or 1
        length = f", trained for 1/{part} of the length" if part > 1 else ""
        length += ", as one network without members" if found.get("single") else ""
        return (
            f"The runs of the size search: {names}{length}; each is moved by what its size is "
            "better or worse in the mean, and a block is other rows and another seed, or the seed "
            "alone where all blocks share their rows."
        )
    return "Nothing but the seed, or the rows and the seed, differs between these trainings."


def _figure(lines: Mapping[str, Sequence[float]], metric: str) -> figures.Figure:
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(scores),
                "y": [name] * len(scores),
                "marker": {"color": figures.NETWORK, "size": 10, "opacity": 0.7},
                "text": [f"{name}: {significant(score, 4)}" for score in scores],
                "hovertemplate": "%{text}<extra></extra>",
            }
            for name, scores in lines.items()
        ],
        "layout": figures.layout(
            height=90 + 34 * len(lines),
            xaxis=figures.axis(f"validation {metric}", nticks=7),
            yaxis=figures.axis(type="category", autorange="reversed", showgrid=False),
        ),
    }
