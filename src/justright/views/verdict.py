"""The closing lines of a study: what a person can act on, one fact a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.core.idea import is_own
from justright.store.base import AbstractStore
from justright.views.cards.more_data import doubling
from justright.views.cards.slices import slice_name
from justright.views.document import verdict_document
from justright.views.ideas import whole_gain_text
from justright.views.important import TOP, Important, important
from justright.views.leads import rate_line, size_line
from justright.views.numbers import count, decimals, fixed, significant
from justright.views.outcome import greater_is_better, metric_title, outcome
from justright.views.reader import Reader

__all__ = ["verdict_document", "verdict_lines"]

WIDTH = 10
"""Characters of the label column."""


def verdict_lines(store: AbstractStore, study: str) -> list[str]:
    """The verdict of a study as lines for a terminal.

    Only what the study knows by now has a line, so a stopped study has fewer.

    Args:
        store: Where the study is kept.
        study: Its name.
    """
    reader = Reader(store, study)
    first = important(reader)
    lines = _data(reader, first)
    for label, text in (
        ("Baselines", _baselines(reader)),
        ("Noise", _noise(reader)),
        ("Size", size_line(reader)),
        ("Rate", rate_line(reader)),
        ("Ideas", _ideas(reader)),
        ("Network", _network(reader)),
        ("Test", _sanity(reader)),
        ("Next", _next(reader, first)),
        ("Clock", _clock(reader)),
        ("Report", str(reader.fact("paths").get("report") or "")),
    ):
        if text:
            lines.append(f"{label:<{WIDTH}}{text}")
    return lines


def data_sentence(reader: Reader) -> str:
    """The table, its target, its task: "20,433 rows × 12 columns → price (regression, RMSE)"."""
    table = reader.fact("table")
    if not table:
        return ""
    targets = [str(target) for target in table.get("target") or ()]
    target = ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")
    classes = len(table.get("classes") or ())
    task = str(table.get("task") or "")
    if classes > 2:
        task += f" into {classes} classes"
    return (
        f"{count(table.get('rows') or 0, 'row')} × {count(table.get('columns') or 0, 'column')}"
        f" → {target} ({task}, {metric_title(reader)})"
    )


def _data(reader: Reader, first: Sequence[Important]) -> list[str]:
    sentence = data_sentence(reader)
    if not sentence:
        return []
    total = len(reader.findings)
    tail = f"   {count(total, 'finding')}" + (", worst first" if total > 1 else "")
    return [
        f"{'Data':<{WIDTH}}{sentence}{tail if total else ''}",
        *(f"{'':<{WIDTH}}! {each.text}" for each in first),
    ]


def _baselines(reader: Reader) -> str:
    result = outcome(reader)
    if result is not None and result.baselines:
        scored = [(m.title, m.score, m.low, m.high) for m in reversed(result.baselines)]
        return " · ".join(
            f"{title} {_score(score, low, high)}" for title, score, low, high in scored
        )
    metric = str(reader.fact("table").get("metric") or "")
    entries = [e for e in reader.entries("baselines") if (e.get("validation") or {}).get(metric)]
    if not entries:
        return ""
    entries.sort(key=lambda e: e["validation"][metric], reverse=not greater_is_better(reader))
    scores = " · ".join(
        f"{e.get('title') or e.get('name')} {significant(e['validation'][metric])}"
        for e in entries
    )
    return f"{scores} (validation)"


def _score(score: float | None, low: float | None, high: float | None) -> str:
    if score is None:
        return "failed"
    if low is None or high is None:
        return significant(score)
    return fixed(score, decimals((high - low) / 2))


def _noise(reader: Reader) -> str:
    noise = reader.fact("noise")
    seed, tie = noise.get("seed_sd"), noise.get("tie_below")
    if seed is None or not isfinite(seed):
        return ""
    which = "trainings" if noise.get("sizes") else "seeds"
    which += " of one network" if noise.get("single") else ""
    which += f" of 1/{part} of the length" if (part := noise.get("part") or 1) > 1 else ""
    text = f"{fixed(seed, decimals(seed))} between {which}"
    return (
        f"{text}: differences under {fixed(tie, decimals(tie))} are ties"
        if tie and isfinite(tie)
        else text
    )


def _ideas(reader: Reader) -> str:
    """How many ideas were tried and kept, and what they brought together."""
    rounds = [
        entry
        for entry in reader.entries("rounds")
        if _word(entry) not in ("", "not run") and not is_own(entry)
    ]
    if not rounds:
        return ""
    kept = [str(entry.get("subject")) for entry in rounds if entry.get("accepted")]
    tried = len({str(entry.get("subject")) for entry in rounds})
    text = f"{count(tried, 'idea')} tried, "
    text += f"kept {', '.join(kept)}" if kept else "none was better on rows it had not seen"
    whole = reader.fact("whole gain")
    if kept and whole.get("low") is not None:
        text += f" · together {whole_gain_text(whole)}"
    return text


def _word(entry: Mapping[str, Any]) -> str:
    return str((entry.get("verdict") or {}).get("word") or "")


def _network(reader: Reader) -> str:
    result = outcome(reader)
    if result is None:
        champion = reader.fact("champion")
        score = (champion.get("validation") or {}).get(reader.fact("table").get("metric"))
        if score is None:
            return ""
        return f"{significant(score)} on validation; the locked test set stays closed"
    network, decisive = result.network, result.decisive
    if network is None:
        return "none could be tested; the baselines stand"
    text = f"{network.text} {'in' if result.repetitions else 'on'} {result.where}"
    if result.taken_off:
        taken = significant(result.taken_off, 2)
        text += f" ({taken} {'less' if result.greater else 'more'} for the choice among ideas)"
    if decisive is None:
        return text
    if decisive.word == "ties with":
        why = f", {decisive.why}" if decisive.why else ""
        return f"{text}: ties with {decisive.title} ({decisive.text}{why})"
    return f"{text}: {decisive.word} {decisive.title} {decisive.text}"


def _sanity(reader: Reader) -> str:
    """The locked test of a small table, or why it has to be the headline."""
    result = outcome(reader)
    if result is None:
        return ""
    if result.reason:
        return (
            f"{count(result.rows, 'row')} can show little, and there is no repeated "
            f"cross-validation: {result.reason}"
        )
    sanity = result.sanity
    if sanity is None or sanity.network is None:
        return ""
    return (
        f"{sanity.network.text} on the {count(sanity.rows, 'row')} of the locked test set: "
        "a sanity check, too few to decide"
    )


def _next(reader: Reader, first: Sequence[Important]) -> str:
    """What to do, without what the findings above have said already."""
    said = {each.action for each in first}
    entries = [e for e in reader.entries("next") if reader.shown(str(e.get("title"))) not in said]
    steps = [
        reader.shown(f"{entry.get('title')}" + (f" ({entry['why']})" if entry.get("why") else ""))
        for entry in entries[:TOP]
    ]
    weak = all(each.code != "weak-slice" for each in first)
    return " · ".join([*steps, *_data_steps(reader, weak=weak)])


def _data_steps(reader: Reader, *, weak: bool) -> list[str]:
    """What the data could bring: more of them, or of those where the network is weakest.

    Args:
        reader: The study.
        weak: Whether to name the weakest slice; not where a finding has done so.
    """
    steps, forecast = [], reader.fact("forecast")
    if forecast.get("word", "unknown") != "unknown":
        steps.append(f"more data {forecast['word']} (doubling: {doubling(forecast)})")
    slices = reader.fact("slices").get("slices") or ()
    worst = next((entry for entry in slices if entry["weak"]), None)
    if weak and worst is not None:
        steps.append(f"weakest slice: {slice_name(reader, worst)}")
    return steps


def _clock(reader: Reader) -> str:
    cut = reader.cut()
    more = f" and {len(cut) - TOP} more" if len(cut) > TOP else ""
    return f"the time limit cut: {', '.join(cut[:TOP])}{more}" if cut else ""
