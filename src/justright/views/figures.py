"""Plotly figures as plain dicts: one look, no plotly import, no user text taken as markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, isfinite, log10
from typing import Any

# Middle tones that stay legible on white and on near-black paper, apart for colour-blind readers
# (after Okabe & Ito 2008). Text, axes and grid take their colours from the page.
NETWORK = "#3b76d6"
BASELINE = "#8b929c"
REFERENCE = "#b3b9c2"
WARNING = "#d2642f"
PALETTE = ("#d98b2b", "#2b9c76", "#9a6fc4", "#c45d7c", "#3a9cb8", "#93872f", "#7a6a5d")

Figure = dict[str, Any]


def plain(value: object, *, limit: int = 60) -> str:
    """User text for a label: Plotly reads a few tags in labels, so they are disarmed.

    >>> plain("<a href='javascript:x'>price</a>")
    "&lt;a href='javascript:x'&gt;price&lt;/a&gt;"
    """
    text = " ".join(str(value).split())
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def finite(values: Sequence[float | None]) -> list[float | None]:
    """Numbers for JSON: what is not finite becomes a gap."""
    return [None if v is None or not isfinite(v) else float(v) for v in values]


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """An axis with a thin grid and no box; `more` goes to Plotly as it is."""
    return {
        "title": {"text": title, "standoff": 10, "font": {"size": 13}},
        "automargin": True,
        "zeroline": False,
        "separatethousands": True,
        "showline": False,
        "ticks": "",
        "gridcolor": "rgba(128,136,148,0.22)",
        "linecolor": "rgba(128,136,148,0.6)",
        **more,
    }


def layout(
    *, height: int, width: int | None = None, narrow: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The common layout.

    Args:
        height: In pixels.
        width: At most so many pixels; None = as wide as the page.
        narrow: Changes for pages narrower than 600 pixels, applied by the page.
        more: Axes and anything else of Plotly's layout.
    """
    return {
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, -apple-system, Segoe UI, sans-serif", "size": 13},
        "hoverlabel": {
            "bgcolor": "#22262c",
            "bordercolor": "#22262c",
            "font": {"color": "#f2f4f7", "size": 13},
            "align": "left",
        },
        "hovermode": "closest",
        "showlegend": False,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "meta": {"narrow": dict(narrow or {}), "width": width},
        **more,
    }


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks of a logarithmic axis at 1, 2 and 5 times powers of ten, written out.

    >>> log_ticks(0.09, 0.6)["ticktext"]
    ['0.1', '0.2', '0.5']
    """
    first, last = floor(log10(low)) - 1, ceil(log10(high)) + 1
    wide = high > 1000 * low
    factors = (1,) if wide else (1, 2, 5) if high > 5 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)
    values = [f * 10.0**power for power in range(first, last) for f in factors]
    values = [value for value in values if low <= value <= high]
    return {"tickvals": values, "ticktext": [f"{value:.3g}" for value in values]}


def diagonal() -> Figure:
    """The line on which what was predicted as a share is what was seen."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"color": WARNING, "width": 1.4},
        "hoverinfo": "skip",
    }


def intervals(
    labels: Sequence[str],
    values: Sequence[float],
    ranges: Sequence[tuple[float, float] | None],
    colours: Sequence[str],
    *,
    title: str,
    texts: Sequence[str],
    zero: bool = False,
) -> Figure:
    """Points with their intervals, one line each, the first on top.

    Args:
        labels: Name of each line; user text, disarmed here.
        values: The points.
        ranges: Low and high end of each interval; None = unknown.
        colours: Colour of each point.
        title: Of the value axis.
        texts: What to say when pointing at it.
        zero: Draw the line at zero.
    """
    names = [f"{i}" for i in range(len(labels))]  # equal labels must not share a line
    data = []
    for name, value, ends, colour, text in zip(names, values, ranges, colours, texts, strict=True):
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers",
            "x": finite([value]),
            "y": [name],
            "marker": {"color": colour, "size": 10},
            "text": [plain(text, limit=160)],
            "hovertemplate": "%{text}<extra></extra>",
        }
        if ends is not None and isfinite(ends[0]) and isfinite(ends[1]):
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": [max(ends[1] - value, 0.0)],
                "arrayminus": [max(value - ends[0], 0.0)],
                "color": colour,
                "thickness": 2,
                "width": 0,
            }
        data.append(trace)
    ticks = {
        "type": "category",
        "tickmode": "array",
        "tickvals": names,
        "ticktext": [plain(label, limit=34) for label in labels],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "fixedrange": True,
    }
    value_axis = axis(title, zeroline=zero, zerolinecolor="rgba(128,136,148,0.8)", nticks=7)
    return {
        "data": data,
        "layout": layout(height=84 + 34 * len(names), xaxis=value_axis, yaxis=axis(**ticks)),
    }
