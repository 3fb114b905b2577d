"""Card: what the search tried against the champion, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from justright.core.idea import Prediction, is_own
from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.ideas import blocks_of, stage_of, whole_gain_text
from justright.views.numbers import count, decimals, duration, fixed, significant, span
from justright.views.outcome import metric_title
from justright.views.reader import Reader
from justright.views.table import Column, Table

SHOWN = 24
"""Comparisons in the figure; the table has all."""

NOT_RUN = "not run"
"""Word of an idea that there was no time for."""

COLOURS = {"better": figures.PALETTE[1], "not better": figures.WARNING}


def comparisons(reader: Reader) -> Card | NotApplicable:
    """Every comparison of the search: what was predicted, what was measured, the word."""
    rounds = reader.entries("rounds")
    predictions = {r.idea.title: r.predictions[0] for r in reader.ideas if r.predictions}
    judged = {str(entry.get("subject")) for entry in rounds}
    waiting = [title for title in predictions if title not in judged]
    if not rounds and not waiting:
        return NotApplicable("nothing was compared with the champion yet")
    rows = [_row(entry, predictions.get(str(entry.get("subject")))) for entry in rounds]
    rows += [
        (title, "", NOT_RUN, _forecast(predictions[title]), "–", "–", "–", "–")
        for title in waiting
    ]
    heads = (
        Column("Idea"),
        Column("Stage"),
        Column("Verdict"),
        Column("Predicted"),
        Column("Measured gain", numeric=True),
        Column("95% interval", numeric=True),
        Column("Blocks", numeric=True),
        Column("Cost", numeric=True),
    )
    accepted = frozenset(i for i, entry in enumerate(rounds) if entry.get("accepted"))
    return Card(
        title="Predicted and measured",
        claim=_claim(rounds, len(waiting), reader.fact("whole gain")),
        figure=_figure(rounds, predictions),
        table=Table(heads, tuple(rows), accepted),
        notes=(
            f"Gains are in units of the loss that decides ({metric_title(reader)} is reported), "
            "positive is better, each block a new partition and a new seed for both arms; what "
            "the start recipe asks for was compared once, on the rows of the first network.",
            "Predictions were frozen before the first run: probability that it helps, and the "
            "gain if it does. The pale bar spans their 10% to 90% quantiles.",
            "The cost is the time of one core that the idea's own trainings took.",
        ),
    )


def _verdict(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return entry.get("verdict") or {}


def _claim(rounds: tuple[Mapping[str, Any], ...], waiting: int, whole: Mapping[str, Any]) -> str:
    words = [str(_verdict(entry).get("word")) for entry in rounds]
    waiting += words.count(NOT_RUN)
    words = [word for word in words if word != NOT_RUN]
    kept = [entry for entry in rounds if entry.get("accepted")]
    own, accepted = (
        [str(entry.get("subject")) for entry in kept if is_own(entry) == wanted]
        for wanted in (True, False)
    )
    parts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    claim = f"{count(len(words), 'comparison')} with the champion: {', '.join(parts)}"
    if not words:
        claim = "Nothing was compared with the champion"
    if waiting:
        claim += f"; {count(waiting, 'idea')} had no time"
    if own:
        claim += f". The start recipe got what it asks for: {', '.join(own)}"
    if not accepted:
        return f"{claim}. The champion stayed."
    return f"{claim}. Accepted: {', '.join(accepted)}{_together(whole)}."


def _together(whole: Mapping[str, Any]) -> str:
    """What the accepted ideas brought on blocks that decided nothing."""
    known = whole.get("low") is not None and whole.get("high") is not None
    return f", together {whole_gain_text(whole)}" if known else ""


def _forecast(prediction: Prediction | None) -> str:
    if prediction is None:
        return "–"
    low, middle, high = prediction.gain
    places = decimals((high - low) / 2)
    return f"{prediction.helps:.0%}, gain {fixed(middle, places)} ({span(low, high)})"


def _row(entry: Mapping[str, Any], prediction: Prediction | None) -> tuple[str, ...]:
    verdict = _verdict(entry)
    low, high = verdict.get("low"), verdict.get("high")
    gain = verdict.get("difference")
    if gain is None:
        measured, interval = "–", "–"
    elif low is None or high is None:
        measured, interval = significant(gain), "–"
    else:
        measured, interval = fixed(gain, decimals((high - low) / 2)), span(low, high)
    return (
        str(entry.get("subject", "")),
        stage_of(entry),
        f"{verdict.get('word', '–')}{', accepted' if entry.get('accepted') else ''}",
        _forecast(prediction),
        measured,
        interval,
        blocks_of(verdict),
        duration(entry.get("cost_s")),
    )


def _figure(
    rounds: tuple[Mapping[str, Any], ...], predictions: Mapping[str, Prediction]
) -> figures.Figure | None:
    shown = [e for e in rounds if _verdict(e).get("difference") is not None][-SHOWN:]
    if not shown:
        return None
    verdicts = [_verdict(entry) for entry in shown]
    subjects = [str(entry.get("subject")) for entry in shown]
    figure = figures.intervals(
        subjects,
        [float(v["difference"]) for v in verdicts],
        [
            None if v.get("low") is None or v.get("high") is None else (v["low"], v["high"])
            for v in verdicts
        ],
        [COLOURS.get(str(v.get("word")), figures.BASELINE) for v in verdicts],
        title="gain over the champion (positive is better)",
        texts=[
            f"{subject}: {verdict.get('word')}, gain {significant(verdict['difference'])}"
            for subject, verdict in zip(subjects, verdicts, strict=True)
        ],
        zero=True,
    )
    bars = []
    for index, subject in enumerate(subjects):
        prediction = predictions.get(subject)
        if prediction is not None:
            low, _, high = prediction.gain
            bars.append(
                {
                    "type": "rect",
                    "layer": "below",
                    "x0": low,
                    "x1": high,
                    "y0": index - 0.3,
                    "y1": index + 0.3,
                    "fillcolor": figures.NETWORK,
                    "opacity": 0.2,
                    "line": {"width": 0},
                }
            )
    figure["layout"]["shapes"] = bars
    return figure
