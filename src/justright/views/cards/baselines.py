"""Card: the methods that are not deep."""

from __future__ import annotations

from math import isfinite, log10

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.labels import label_positions
from justright.views.metrics import columns_of, title_of
from justright.views.numbers import count, duration, significant
from justright.views.outcome import greater_is_better, metric_title
from justright.views.reader import Reader
from justright.views.table import Column, Table


def baselines(reader: Reader) -> Card | NotApplicable:
    """Scores of the baselines beside the champion, on the same validation rows."""
    entries = reader.entries("baselines")
    if not entries:
        return NotApplicable("no baseline was measured yet")
    metric, greater = str(reader.fact("table").get("metric") or ""), greater_is_better(reader)
    methods = [
        (
            str(entry.get("title") or entry.get("name")),
            dict(entry.get("validation") or {}),
            entry.get("seconds"),
            str(entry.get("reason") or entry.get("state") or ""),
            False,
        )
        for entry in entries
    ]
    champion = reader.fact("champion")
    if champion.get("validation"):
        subject = str(champion.get("subject") or "champion")
        scores = dict(champion["validation"])
        methods.append((f"network ({subject})", scores, champion.get("seconds"), "", True))
    scored = [m for m in methods if isinstance(m[1].get(metric), int | float)]
    scored = [m for m in scored if isfinite(m[1][metric])]
    scored.sort(key=lambda m: m[1][metric], reverse=greater)
    missing = [m for m in methods if m not in scored]
    shown = columns_of((m[1] for m in methods), first=metric)[:5]
    rows = tuple(
        (
            title,
            *(significant(scores.get(name)) for name in shown),
            duration(seconds),
            "" if note == "done" else note,
        )
        for title, scores, seconds, note, _ in [*scored, *missing]
    )
    heads = tuple(Column(title_of(name), numeric=True) for name in shown)
    table = Table(
        (Column("Method"), *heads, Column("Seconds", numeric=True), Column("Note")),
        rows,
        frozenset(i for i, m in enumerate(scored) if m[4]),
    )
    return Card(
        title="Baselines",
        claim=_claim(scored, len(entries), metric, metric_title(reader)),
        figure=_figure(scored, metric, metric_title(reader), greater),
        table=table,
        notes=(
            "Scores on the validation rows, which also chose early stopping and the champion: "
            "they flatter. The verdict compares on the locked test set.",
        ),
    )


def _claim(scored: list[tuple], planned: int, metric: str, title: str) -> str:
    only = [m for m in scored if not m[4]]
    if not only:
        return f"None of {count(planned, 'baseline')} gave a score."
    best = only[0]
    claim = f"The best of {count(planned, 'baseline')} is {best[0]} with {title} "
    claim += significant(best[1][metric])
    network = next((m for m in scored if m[4]), None)
    if network is not None:
        claim += f"; the champion network has {significant(network[1][metric])}"
    return claim + " on the same validation rows."


def _figure(scored: list[tuple], metric: str, title: str, greater: bool) -> figures.Figure | None:
    """Score against the seconds it took: what each method buys and costs."""
    timed = [m for m in scored if m[2]]
    if len(timed) < 2:
        return None
    times = [float(m[2]) for m in timed]
    values = [float(m[1][metric]) for m in timed]
    low, high = min(times) / 1.6, max(times) * 6  # room for the names on the right
    names = [figures.plain(m[0], limit=34) for m in timed]
    tall = max(values) - min(values) or 1.0
    points = [
        (log10(seconds / low) / log10(high / low), (max(values) - value) / tall)
        for seconds, value in zip(times, values, strict=True)
    ]
    data = [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [seconds],
            "y": [value],
            "text": [name],
            "textposition": position,
            "cliponaxis": False,
            "marker": {"color": figures.NETWORK if own[4] else figures.BASELINE, "size": 10},
            "hovertemplate": "%{text}: %{y:.4g} in %{x:.2g} s<extra></extra>",
        }
        for own, seconds, value, name, position in zip(
            timed, times, values, names, label_positions(points, names), strict=True
        )
    ]
    better = "greater" if greater else "less"
    return {
        "data": data,
        "layout": figures.layout(
            height=330,
            xaxis=figures.axis(
                "seconds to train",
                type="log",
                range=[log10(low), log10(high)],
                **figures.log_ticks(low, high),
            ),
            yaxis=figures.axis(f"{title}, {better} is better", nticks=6),
        ),
    }
