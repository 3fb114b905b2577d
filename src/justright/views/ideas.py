"""The ideas of a study as lines for a terminal: what was predicted, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.core.idea import Idea, Verdict, is_own, length_of
from justright.store.base import AbstractStore
from justright.store.records import IdeaRecord
from justright.views.numbers import count, decimals, duration, fixed, significant, span
from justright.views.outcome import metric_title
from justright.views.reader import Reader

HEADS = (
    "idea",
    "stage",
    "predicted",
    "verdict",
    "measured gain",
    "blocks",
    "price (expected)",
)

LEFT = ("idea", "stage", "predicted", "expected price", "worth it until")

STOP = (
    "Worth it until its slot has brought so much (reservation value, Weitzman 1979); ideas stop "
    "where nothing more is expected of them."
)


def idea_lines(store: AbstractStore, study: str) -> list[str]:
    """Every idea: tried ones in their order, then the others, what comes next first.

    Args:
        store: Where the study is kept.
        study: Its name.
    """
    reader = Reader(store, study)
    records = {record.idea.title: record for record in reader.ideas}
    entries = [e for e in reader.entries("rounds") if _word(e) != "not run"]
    if not records:
        return ["no idea was written down yet"]
    lines: list[str] = []
    if entries:
        rows = [_tried(entry, records.get(str(entry.get("subject")))) for entry in entries]
        lines += [_claim(entries), *_table(HEADS, rows)]
    tried = {str(entry.get("subject")) for entry in entries}
    left = [record.idea for title, record in records.items() if title not in tried]
    return lines + (_left_lines(reader, left) if left else [])


def _left_lines(reader: Reader, left: Sequence[Idea]) -> list[str]:
    """What was not tried, in the order in which more time would try it, and what that brings."""
    more, until = reader.fact("more time") or {}, _reservations(reader)
    order = [str(each["title"]) for each in more.get("ideas") or ()]

    def place(idea: Idea) -> tuple[float, float]:
        known = order.index(idea.title) if idea.title in order else len(order)
        return known, -idea.prediction.helps * idea.prediction.gain[1]

    rows = [
        (
            idea.title,
            idea.stage or idea.slot,
            _forecast(idea),
            duration(_price(idea)),
            until.get(idea.title, "–"),
        )
        for idea in sorted(left, key=place)
    ]
    heading = f"{count(len(left), 'idea')} not tried, what comes next first:"
    lines = [heading, *_table(LEFT, rows)]
    lines += [STOP] if until else []
    return lines + ([more_time_text(more, metric_title(reader))] if order else [])


def more_time_text(more: Mapping[str, Any], metric: str) -> str:
    """What a longer study would get done of the ideas that had no time, from the fact of it.

    >>> more_time_text({"time": "15m", "ideas": [{}, {}], "tested": 0}, "RMSE")
    '2 ideas had no time, and --time 15m may not do for any'
    """
    ideas = len(more.get("ideas") or ())
    if not more["tested"]:
        return f"{count(ideas, 'idea')} had no time, and --time {more['time']} may not do for any"
    return (
        f"--time {more['time']} would test {more['tested']} of {count(ideas, 'idea')} that had no "
        f"time; together they are expected to bring {significant(more['expected'], 2)} {metric} "
        "at most"
    )


def one_idea_lines(store: AbstractStore, study: str, title: str) -> list[str]:
    """All that is known of one idea: its patch, prediction, source, verdicts.

    Args:
        store: Where the study is kept.
        study: Its name.
        title: The idea's; all ideas of this title are told.
    """
    lines: list[str] = []
    for record in Reader(store, study).ideas:
        if record.idea.title != title:
            continue
        idea = record.idea
        changes = ", ".join(f"{path} = {value}" for path, value in idea.patch.items())
        lines += [
            f"{idea.title} ({idea.stage or idea.slot}, slot {idea.slot})",
            f"  changes   {changes}",
            f"  predicted {_forecast(idea)}, complexity {idea.prediction.complexity}, "
            f"price {duration(_price(idea))}",
            f"  source    {idea.source}",
        ]
        lines += [f"  verdict   {verdict_text(verdict)}" for verdict in record.verdicts]
        if not record.verdicts:
            lines.append("  verdict   not run")
    return lines


def verdict_text(verdict: Verdict) -> str:
    """A verdict in one line.

    >>> verdict_text(Verdict("GELU", "better", 0.0123, 0.004, 0.02, 8, {}))
    'GELU: better, gain 0.012 (95% interval 0.004 to 0.020) on 8 blocks'
    """
    if not isfinite(verdict.difference):
        reason, third = (verdict.evidence.get(key) for key in ("reason", "gain at a third"))
        if third is not None:
            reason = f"{reason}; gain {significant(third)} at a third of the length"
        return f"{verdict.subject}: {verdict.word}" + (f" ({reason})" if reason else "")
    gain = significant(verdict.difference)
    interval = ""
    if isfinite(verdict.low) and isfinite(verdict.high):
        gain = fixed(verdict.difference, decimals((verdict.high - verdict.low) / 2))
        interval = f" (95% interval {span(verdict.low, verdict.high)})"
    where = " of screening" if verdict.evidence.get("stage") == "screening" else ""
    where += f", at {length}" if (length := length_of(verdict.evidence)) else ""
    return (
        f"{verdict.subject}: {verdict.word}, gain {gain}{interval} on "
        f"{count(verdict.blocks, 'block')}{where}"
    )


def whole_gain_text(whole: Mapping[str, Any]) -> str:
    """What the accepted ideas brought on blocks that decided nothing, from the fact of it.

    >>> whole_gain_text({"difference": 30.0, "low": 10.0, "high": 50.0, "blocks": 8})
    '30 better than the start recipe in full (gain 10 to 50, on 8 blocks that decided nothing)'
    """
    gain, low, high = whole["difference"], whole["low"], whole["high"]
    word, places = ("better" if gain > 0 else "worse"), decimals((high - low) / 2)
    blocks = whole.get("blocks") or 0
    size = f"{fixed(abs(gain), places)} {word}"
    where = f"on {count(blocks, 'block')} that decided nothing"
    where += f", at {length}" if (length := length_of(whole.get("evidence") or {})) else ""
    return f"{size} than the start recipe in full (gain {span(low, high)}, {where})"


def _claim(entries: Sequence[Mapping[str, Any]]) -> str:
    own, kept = (
        [str(e["subject"]) for e in entries if e.get("accepted") and is_own(e) == wanted]
        for wanted in (True, False)
    )
    text = f"kept {', '.join(kept)}" if kept else "no idea was kept"
    text += f"; the start recipe got what it asks for: {', '.join(own)}" if own else ""
    return f"{count(len(entries), 'comparison')} with the champion, {text}:"


def stage_of(entry: Mapping[str, Any]) -> str:
    """The stage of an entry of the fact "rounds"; what the start recipe asks for is no idea."""
    return "start recipe" if is_own(entry) else str(entry.get("stage") or entry.get("slot") or "")


def blocks_of(verdict: Mapping[str, Any]) -> str:
    """On how many blocks a verdict rests, and at which part of the length.

    >>> blocks_of({"blocks": 3, "evidence": {"part of the length": 1 / 3}})
    '3 at 1/3 of the length'
    """
    length = length_of(verdict.get("evidence") or {})
    return f"{verdict.get('blocks', '–')}" + (f" at {length}" if length else "")


def _word(entry: Any) -> str:
    return str((entry.get("verdict") or {}).get("word") or "")


def _forecast(idea: Idea) -> str:
    low, middle, high = idea.prediction.gain
    places = decimals((high - low) / 2)
    helps, said = idea.prediction.helps, idea.prediction.said
    likely = f"{helps:.0%}" + ("" if said is None else f" (said {said:.0%})")
    return f"{likely}, gain {fixed(middle, places)} ({span(low, high)})"


def _reservations(reader: Reader) -> dict[str, str]:
    """Reservation values of the ideas that are left, by title, where they are known."""
    ideas = (reader.fact("more time") or {}).get("ideas") or ()
    known = {str(each["title"]): each.get("until") for each in ideas}
    return {
        title: significant(value, 2) if value >= 0.0 else "not worth it"
        for title, value in known.items()
        if value is not None
    }


def _price(idea: Idea) -> float | None:
    return idea.prediction.seconds or None


def _tried(entry: Any, record: IdeaRecord | None) -> tuple[str, ...]:
    verdict = entry["verdict"]
    gain, low, high = (verdict.get(key) for key in ("difference", "low", "high"))
    measured = "–" if gain is None else significant(gain)
    if gain is not None and low is not None and high is not None:
        places = decimals((high - low) / 2)
        measured = f"{fixed(gain, places)} ({span(low, high)})"
    return (
        str(entry.get("subject")),
        stage_of(entry),
        _forecast(record.idea) if record else "–",
        _word(entry) + (", kept" if entry.get("accepted") else ""),
        measured,
        blocks_of(verdict),
        f"{duration(entry.get('cost_s'))} ({duration(_price(record.idea) if record else None)})",
    )


def _table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
    cells = [tuple(heads), *rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    return [
        "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
