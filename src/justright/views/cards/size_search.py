"""Cards: which sizes are just right, and the map of all sizes that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.describe import shape_text, weights_text
from justright.views.numbers import compact, count, significant
from justright.views.outcome import greater_is_better
from justright.views.reader import Reader
from justright.views.table import Column, Table

_COLOURS: Mapping[str, str] = {
    "just right": figures.NETWORK,
    "cannot tell": figures.PALETTE[0],
    "worse": figures.WARNING,
    "given up": figures.BASELINE,
    "no time": figures.REFERENCE,
}

_GOOD, _BAD, _INK = "#8db6ee", "#f3dfb4", "#14181d"
"""Cells of the map bring their own paper, so their ink is the same on light and dark pages."""

EARLY = ("given up", "no time")

SHORTER = (
    "Sizes without their full length stand with their score at that length on the blocks they "
    "had: it does not compare with the score of a full length. “Given up” could not come within "
    "reach of the best any more; for “no time” there was none left."
)

Row = Mapping[str, Any]


def size_search(reader: Reader) -> Card | NotApplicable:
    """Score against weights, with what may be said about each size."""
    found = reader.fact("size")
    rows = _rows(found, reader)
    if not rows:
        return NotApplicable(str(found.get("reason") or "no time for a size search"))
    metric = str(reader.fact("table").get("metric_title") or "loss")
    heads = (
        Column("Size"),
        Column("Weights", numeric=True),
        Column("Length", numeric=True),
        Column("Blocks", numeric=True),
        Column(metric, numeric=True),
        Column("Behind the best (95%)", numeric=True),
        Column("Word"),
    )
    table = Table(
        heads,
        tuple(_cells(row) for row in rows),
        frozenset(i for i, row in enumerate(rows) if row["hidden"] == found.get("chosen")),
    )
    return Card(
        title="Right size",
        claim=_claim(found),
        figure=_against_weights(rows),
        table=table,
        notes=_notes(found, rows),
    )


def size_map(reader: Reader) -> Card | NotApplicable:
    """Depth × width: the loss of every uniform size that was tried."""
    found = reader.fact("size")
    rows = [row for row in _rows(found, reader) if len(set(row["hidden"])) == 1]
    depths = sorted({len(row["hidden"]) for row in rows})
    widths = sorted({row["hidden"][0] for row in rows})
    if len(depths) < 2 or len(widths) < 2:
        return NotApplicable("too few sizes were tried for a map")
    full = [row for row in rows if row["word"] not in EARLY]
    claim = f"{count(len(rows), 'uniform size')} were tried, none {in_full(found)}."
    if full:
        best = min(full, key=lambda row: row["loss"])
        claim = (
            f"Of {count(len(full), 'uniform size')} trained {in_full(found)}, {best['name']} has "
            f"the best score, {significant(best['score'])}; the choice is by what matters, not "
            "by it."
        )
    return Card(
        title="Size map",
        claim=claim,
        figure=_map(rows, depths, widths, greater=greater_is_better(reader)),
        notes=(
            "Below a score stand its 95% limits beside the best one's, for sizes that had their "
            "full length.",
            SHORTER,
        ),
    )


def in_full(found: Mapping[str, Any]) -> str:
    """How long the sizes were trained that are judged."""
    return str(found.get("length") or "in full")


def _rows(found: Mapping[str, Any], reader: Reader) -> list[Row]:
    """The sizes that have a loss, with the score that people know beside it."""
    sign = -1.0 if greater_is_better(reader) else 1.0
    return [
        {**row, "score": sign * row["loss"], "ends": _ends(row, sign)}
        for row in found.get("rows") or ()
        if row.get("loss") is not None and isfinite(row["loss"])
    ]


def _ends(row: Row, sign: float) -> tuple[float, float] | None:
    """Where the score may lie beside the best one's, as far as blocks tell."""
    limits = [row.get(key) for key in ("difference", "low", "high")]
    if any(each is None for each in limits):
        return None
    first, second = (
        sign * (row["loss"] + row[end] - row["difference"]) for end in ("low", "high")
    )
    return min(first, second), max(first, second)


def _claim(found: Mapping[str, Any]) -> str:
    sentence = str(found.get("sentence") or "")
    weighed = f" ({text})" if (text := weights_text(found)) else ""
    return f"{sentence[:1].upper()}{sentence[1:]}{weighed}."


def _cells(row: Row) -> tuple[str, ...]:
    share = float(row.get("share") or 0.0)
    length = "full" if share > 0.99 else f"1/{1 / share:.0f}" if share else "–"
    behind = "–"
    if row.get("difference") is not None:
        behind = significant(row["difference"], 2)
        if row.get("low") is not None and row["low"] != row["high"]:
            behind += f" ({significant(row['low'], 2)} to {significant(row['high'], 2)})"
    return (
        row["name"],
        compact(row["weights"]),
        length,
        str(row.get("blocks")),
        significant(row["score"], 4),
        behind,
        row["word"],
    )


def _notes(found: Mapping[str, Any], rows: Sequence[Row]) -> tuple[str, ...]:
    delta = significant(found.get("delta") or 0.0)
    notes = [
        f"Differences below {delta} do not matter. “Just right” was shown to be less than that "
        "behind any other size compared (one-sided, 90%, pair by pair); “worse” is more than that "
        "behind the best, and the 95% interval excludes no difference.",
        "All sizes learn at the same constant rate from the same blocks (partition and seed); "
        "intervals hold for all sizes together.",
    ]
    if (part := int(found.get("part") or 1)) > 1:
        notes.append(
            f"There was time for 1/{part} of the network's own length only, and “full” means "
            "that: large sizes gain more from the rest of it than small ones. What was chosen is "
            "compared with the network at hand before it replaces it."
        )
    if (members := int(found.get("members") or 1)) > 1:
        notes.append(
            "Sizes were compared as one network each, to save time; weights, bytes and "
            f"milliseconds are those of a network with {members} members, which share the body."
        )
    most = max(int(row.get("blocks") or 0) for row in rows)
    if not found.get("confirmed"):
        notes.append("There was no time to confirm this on blocks that chose nothing.")
    elif any(row["word"] not in EARLY and row.get("blocks") != most for row in rows):
        notes.append(
            f"Only sizes with {most} blocks were compared again after the choice; the others "
            "stand with what was seen before it."
        )
    if any(row["word"] in EARLY for row in rows):
        notes.append(SHORTER)
    if found.get("untested"):
        notes.append(_untested(found))
    notes += [
        f"{row['name']} failed: {row.get('reason') or 'no result'}."
        for row in found.get("rows") or ()
        if row.get("word") == "failed"
    ]
    return tuple(notes)


def _untested(found: Mapping[str, Any]) -> str:
    """What there was no time for, and when there would be."""
    text = f"Not tested: {shape_text({'hidden': found['untested']})} and larger"
    if found.get("time"):
        text += f"; --time {found['time']} may be enough, at today's prices"
    return f"{text}."


def _against_weights(rows: Sequence[Row]) -> figures.Figure:
    some = [(word, [row for row in rows if row["word"] == word]) for word in _COLOURS]
    return {
        "data": [_points(of_word, word) for word, of_word in some if of_word],
        "layout": figures.layout(
            height=360,
            showlegend=True,
            xaxis=weights_axis(rows),
            yaxis=figures.axis("mean validation score", nticks=6),
        ),
    }


def weights_axis(rows: Sequence[Row]) -> dict[str, Any]:
    """A logarithmic axis for the weights of some sizes."""
    weights = [row["weights"] for row in rows]
    ticks = figures.log_ticks(min(weights) / 1.5, max(weights) * 1.5)
    ticks["ticktext"] = [compact(value) for value in ticks["tickvals"]]
    return figures.axis("weights", type="log", **ticks)


def _points(rows: Sequence[Row], word: str) -> dict[str, Any]:
    ends = [row["ends"] or (row["score"], row["score"]) for row in rows]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": word,
        "x": [row["weights"] for row in rows],
        "y": [row["score"] for row in rows],
        "marker": {"size": 10, "color": _COLOURS[word]},
        "text": [figures.plain(f"{row['name']}: {_cells(row)[4]}") for row in rows],
        "hovertemplate": "%{text}<extra></extra>",
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [
                max(high - row["score"], 0.0) for row, (_, high) in zip(rows, ends, strict=True)
            ],
            "arrayminus": [
                max(row["score"] - low, 0.0) for row, (low, _) in zip(rows, ends, strict=True)
            ],
            "color": _COLOURS[word],
            "thickness": 1.5,
            "width": 0,
        },
    }


def _cell_text(row: Row | None) -> str:
    """A size's score; below it its 95% limits beside the best one's, where it was judged."""
    if row is None:
        return ""
    text = significant(row["score"], 3)
    if row["ends"] is None or row["ends"][0] == row["ends"][1]:
        return text
    low, high = (significant(end, 3) for end in row["ends"])
    return f"{text}<br>{low} to {high}"


def _map(
    rows: Sequence[Row], depths: Sequence[int], widths: Sequence[int], *, greater: bool
) -> figures.Figure:
    known = {(len(row["hidden"]), row["hidden"][0]): row for row in rows}
    cells = [[known.get((depth, width)) for width in widths] for depth in depths]
    return {
        "data": [
            {
                "type": "heatmap",
                "x": [str(width) for width in widths],
                "y": [str(depth) for depth in depths],
                "z": [[cell["score"] if cell else None for cell in line] for line in cells],
                "text": [[_cell_text(cell) for cell in line] for line in cells],
                "texttemplate": "%{text}",
                "colorscale": [[0.0, _GOOD], [1.0, _BAD]],
                "reversescale": greater,
                "textfont": {"color": _INK},
                "showscale": False,
                "hovertemplate": "%{y} × %{x}: %{z:.4g}<extra></extra>",
                "xgap": 2,
                "ygap": 2,
            }
        ],
        "layout": figures.layout(
            height=120 + 54 * len(depths),
            xaxis=figures.axis("units of each layer", type="category", showgrid=False),
            yaxis=figures.axis("layers", type="category", showgrid=False),
        ),
    }
