"""Card: all recipes tried, every training's curves in one chart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from justright.core.trial import Trial, TrialState
from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.describe import recipe_text
from justright.views.numbers import count, duration, significant
from justright.views.reader import TRAIN_CURVES, VALIDATION_CURVES, Reader, validation_loss
from justright.views.table import Column, Table
from justright.views.thinning import thin

CURVES = 60
"""Trainings drawn; the champion, the best and the worst are always among them."""

POINTS = 60
"""Points of a drawn curve; lowest and highest values are kept."""

ROWS = 100
"""Trainings listed, the best first."""

NAMED = len(figures.PALETTE)
"""Recipes with a colour of their own; the others share one."""

DEEPEST = 10.0
"""The scale ends where a training loss is this factor below the lowest validation loss: below lies
only what was learned by heart, and it would press the validation curves together (assumption)."""


@dataclass(frozen=True)
class Line:
    """A training with its curves: steps and losses."""

    trial: Trial
    train: tuple[list[float], list[float]]
    validation: tuple[list[float], list[float]]


def recipes(reader: Reader) -> Card | NotApplicable:
    """Train and validation curves of every training, the champion in front."""
    trials = [trial for trial in reader.trials if trial.spec.kind == "network"]
    started = [trial for trial in trials if trial.state is not TrialState.PLANNED]
    if not started:
        return NotApplicable("no network was trained yet")
    champion = str(reader.fact("champion").get("subject") or "")
    ranked = sorted(started, key=validation_loss)
    drawn = _choose(ranked, champion)
    lines = [_line(reader, trial) for trial in drawn]
    lines = [line for line in lines if line.train[0] or line.validation[0]]
    notes = [
        "Both panels share their scale, cut where curves begin and where training rows are "
        "learned by heart: a double click shows all of them, a click on a name hides it."
    ]
    if len(drawn) < len(started):
        notes.append(
            f"{len(drawn)} of {count(len(started), 'training')} are drawn: the champion's, the "
            "best, the worst, and an even choice between."
        )
    if len(lines) < len(drawn):
        notes.append(f"{count(len(drawn) - len(lines), 'training')} left no curve.")
    if len(ranked) > ROWS:
        notes.append(f"The table lists the best {ROWS}, then whatever failed.")
    return Card(
        title="All recipes tried",
        claim=_claim(trials, ranked, champion),
        figure=_figure(lines, champion) if lines else None,
        table=_table(ranked, champion),
        notes=tuple(notes),
    )


def _claim(trials: list[Trial], ranked: list[Trial], champion: str) -> str:
    states = Counter(str(trial.state) for trial in trials)
    subjects = len({trial.spec.subject for trial in trials})
    listed = ", ".join(f"{number} {state}" for state, number in states.most_common())
    claim = f"{count(len(trials), 'training')} of {count(subjects, 'recipe')}: {listed}"
    best = ranked[0]
    loss = validation_loss(best)
    if isfinite(loss):
        claim += f"; the lowest validation loss is {significant(loss)} ({best.spec.subject}"
        claim += ", the champion)" if best.spec.subject == champion else ")"
        if best.spec.subject != champion and champion:
            claim += f"; the champion is {champion}"
    return f"{claim}."


def _choose(ranked: list[Trial], champion: str) -> list[Trial]:
    if len(ranked) <= CURVES:
        return ranked
    first = [i for i, trial in enumerate(ranked) if trial.spec.subject == champion][: CURVES // 3]
    judged = [i for i, trial in enumerate(ranked) if isfinite(validation_loss(trial))]
    worst = max(judged, default=0)
    keep = {0, worst, *first}
    free = CURVES - len(keep)
    keep.update(round(i * (len(ranked) - 1) / max(free - 1, 1)) for i in range(free))
    return [ranked[i] for i in sorted(keep)]


def _line(reader: Reader, trial: Trial) -> Line:
    train = reader.curve(trial.spec.id, TRAIN_CURVES)
    validation = reader.curve(trial.spec.id, VALIDATION_CURVES)
    return Line(trial, thin(*train, POINTS), thin(*validation, POINTS))


def _groups(lines: list[Line], champion: str) -> list[tuple[str, str, list[Line]]]:
    """Lines by recipe as (title, colour, lines), drawn from back to front."""
    by_subject: dict[str, list[Line]] = {}
    for line in lines:  # best first, so subjects come in the order of their best training
        by_subject.setdefault(line.trial.spec.subject, []).append(line)
    front = by_subject.pop(champion, None)
    named = list(by_subject.items())[:NAMED]
    others = [line for _, group in list(by_subject.items())[NAMED:] for line in group]
    groups = [
        (subject, figures.PALETTE[index], group) for index, (subject, group) in enumerate(named)
    ]
    if others:
        groups.append(("other recipes", figures.REFERENCE, others))
    groups.reverse()
    if front:
        groups.append((champion, figures.NETWORK, front))
    return groups


def _joined(lines: list[Line], curve: str) -> dict[str, Any]:
    """Curves of one recipe as one trace, with gaps between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for line in lines:
        steps, values = getattr(line, curve)
        spec = line.trial.spec
        label = figures.plain(f"{spec.subject} · {spec.partition} · seed {spec.seed % 10_000}")
        x += [*steps, None]
        y += [*figures.finite(values), None]
        text += [label] * (len(steps) + 1)
    return {"x": x, "y": y, "text": text}


def _figure(lines: list[Line], champion: str) -> figures.Figure:
    data: list[dict[str, Any]] = []
    groups = _groups(lines, champion)
    for rank, (subject, colour, group) in enumerate(groups):
        strong = subject == champion
        for panel, curve in (("", "train"), ("2", "validation")):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "xaxis": f"x{panel}",
                    "yaxis": f"y{panel}",
                    **_joined(group, curve),
                    "name": figures.plain(subject, limit=28) + (" (champion)" if strong else ""),
                    "legendgroup": str(rank),
                    "showlegend": panel == "2",
                    "legendrank": 1000 - rank,
                    "opacity": 1.0 if strong else 0.6,
                    "line": {"color": colour, "width": 2.6 if strong else 1.2},
                    "hovertemplate": "%{text}<br>step %{x:,}: %{y:.4g}<extra></extra>",
                }
            )
    narrow = {
        "xaxis.domain": [0, 1],
        "yaxis.domain": [0.56, 1],
        "xaxis2.domain": [0, 1],
        "yaxis2.domain": [0, 0.42],
        "yaxis2.showticklabels": True,
        "height": 620,
    }
    ticks = _scale(lines)
    return {
        "data": data,
        "layout": figures.layout(
            height=420,
            narrow=narrow,
            showlegend=True,
            xaxis=figures.axis("training rows · step", domain=[0, 0.485], nticks=6),
            yaxis=figures.axis("loss", **ticks),
            xaxis2=figures.axis(
                "validation rows · step", domain=[0.515, 1], anchor="y2", nticks=6
            ),
            yaxis2=figures.axis(anchor="x2", matches="y", showticklabels=False, **ticks),
        ),
    }


def _scale(lines: list[Line]) -> dict[str, Any]:
    """A scale that shows where recipes differ: the first, steep part of curves is cut off."""
    values = [v for line in lines for v in (*line.train[1], *line.validation[1]) if isfinite(v)]
    late = sorted(
        v
        for line in lines
        for v in line.validation[1][len(line.validation[1]) // 5 :]
        if isfinite(v)
    )
    if not late:
        return {"nticks": 6}
    low, high = min(values), late[int(0.98 * (len(late) - 1))]
    if late[0] > 0:
        low = max(low, late[0] / DEEPEST)
    if low > 0 and high > low:
        low, high = low / (high / low) ** 0.04, high * (high / low) ** 0.04
        return {"type": "log", "range": [log10(low), log10(high)], **figures.log_ticks(low, high)}
    room = 0.04 * (high - low)
    return {"range": [low - room, high + room], "nticks": 6}


def _table(ranked: list[Trial], champion: str) -> Table:
    unfinished = [trial for trial in ranked[ROWS:] if trial.state is not TrialState.DONE]
    shown = [*ranked[:ROWS], *unfinished[:ROWS]]
    heads = (
        Column("Recipe"),
        Column("What it is"),
        Column("Stage"),
        Column("Partition"),
        Column("Validation loss", numeric=True),
        Column("Best step", numeric=True),
        Column("Steps", numeric=True),
        Column("Time", numeric=True),
        Column("State"),
    )
    rows = tuple(_row(trial) for trial in shown)
    strong = frozenset(i for i, t in enumerate(shown) if champion and t.spec.subject == champion)
    return Table(heads, rows, strong)


def _row(trial: Trial) -> tuple[str, ...]:
    loss, best = validation_loss(trial), trial.result.get("best_step")
    state = str(trial.state) + (f": {trial.reason}" if trial.reason else "")
    return (
        trial.spec.subject,
        recipe_text(trial.spec.recipe),
        trial.spec.stage,
        trial.spec.partition,
        significant(loss, 4) if isfinite(loss) else "–",
        count(best) if isinstance(best, int) else "–",
        count(trial.spec.steps),
        duration(trial.result.get("seconds")),
        state,
    )
