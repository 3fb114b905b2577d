"""The comparison in Markdown: every table, then who is ahead on how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from before_after import constant_of
from field_cases import Case
from field_runs import PEERS, START, result_of
from justright.statistics.intervals import (
    Interval,
    Sample,
    paired_difference,
    score_interval,
    standing,
)
from justright.statistics.metrics import Metric, metric_named

OURS = "justright "

WORDS = {"beats": "better", "ties with": "tie", "loses to": "worse"}
"""What is said of this package against another method."""

MATTERS = 0.01
"""Smallest difference that matters, as a share of the way from the constant to the better of two.
As in a study (assumption)."""

NEAR_CAP = 0.9
"""A peer whose fit took more of its cap was ended by a limit, and might be better with more."""

BOOSTING = tuple(name for name, peer in PEERS.items() if peer.group == "boosting")
OWN_BOOSTING = ("boosting", "lightgbm")
SINGLE = tuple(name for name, peer in PEERS.items() if peer.group == "network")
MANY = tuple(name for name, peer in PEERS.items() if peer.group == "many networks in one")


@dataclass(frozen=True)
class Entry:
    """A method on a table.

    Attributes:
        figures: What its run left: state, seconds, bytes.
        prediction: Of the test rows, where it finished.
        score: With its interval, where it finished.
    """

    figures: Mapping[str, Any]
    prediction: np.ndarray | None = None
    score: Interval | None = None


@dataclass(frozen=True)
class Against:
    """This package against another method on the same test rows.

    Attributes:
        difference: Positive: this package is better.
        word: "better", "tie" or "worse".
    """

    difference: Interval
    word: str

    @property
    def errors(self) -> float:
        """The difference in standard errors; 0 where there is neither."""
        return self.difference.estimate / self.difference.se if self.difference.se > 0 else 0.0


@dataclass(frozen=True)
class Field:
    """All methods on one table.

    Attributes:
        name: Of the table.
        metric: Of the study.
        rows: Test rows.
        entries: By method; a method that was not run is not there.
        against: For each of our own runs, by the other method, where both finished.
    """

    name: str
    metric: str
    rows: int
    entries: Mapping[str, Entry]
    against: Mapping[str, Mapping[str, Against]]


def compared(
    metric: Metric, sample: Sample, ours: np.ndarray, other: np.ndarray, constant: float
) -> Against:
    """Our prediction against another one of the same rows; `constant` is the constant's score."""
    found = paired_difference(metric, sample, ours, other)
    scores = [metric(sample.y, each, sample.weights) for each in (ours, other)]
    word, _ = standing(found, MATTERS * abs(constant - min(scores, key=metric.loss)))
    return Against(found, WORDS[word])


def read_field(case: Case, out: Path, methods: Sequence[str]) -> Field:
    """What is known about a table.

    Raises:
        RuntimeError: If a method predicted other rows.
    """
    metric, sample, rows = metric_named(case.problem.metric), case.sample(), case.splits.test
    entries: dict[str, Entry] = {}
    for method in methods:
        figures = result_of(out, case.name, method)
        if figures is None:
            continue
        entries[method] = Entry(figures)
        if figures["state"] == "done":
            with np.load(out / case.name / f"{method}.npz") as kept:
                if not np.array_equal(kept["rows"], rows):
                    raise RuntimeError(f"{case.name}: {method} predicted other rows")
                prediction = kept["prediction"]
            score = score_interval(metric, sample, prediction)
            entries[method] = Entry(figures, prediction, score)
    constant = metric(sample.y, constant_of(case.problem, rows), sample.weights)
    done = {name: each.prediction for name, each in entries.items() if each.prediction is not None}
    against = {
        ours: {
            other: compared(metric, sample, done[ours], done[other], constant)
            for other in done
            if other != ours
        }
        for ours in done
        if ours.startswith(OURS)
    }
    return Field(case.name, metric.name, len(rows), entries, against)


def best_or_tied(fields: Sequence[Field], ours: str, rivals: Sequence[str]) -> list[bool]:
    """Per table that all had a chance on: no rival is better (one that did not finish is not)."""
    return [
        all(
            field.against[ours][name].word != "worse"
            for name in rivals
            if name in field.against[ours]
        )
        for field in fields
        if ours in field.against and all(_ran(field.entries.get(name)) for name in rivals)
    ]


def _ran(entry: Entry | None) -> bool:
    """Whether a method had its chance: one that failed had not."""
    return entry is not None and entry.figures["state"] in ("done", "did not finish")


def near_boosting(fields: Sequence[Field], ours: str) -> dict[str, float]:
    """Standard errors to the boosting that is better on the test rows, where both were run."""
    found = {}
    for field in fields:
        faced = [field.against.get(ours, {}).get(name) for name in BOOSTING]
        known = [each for each in faced if each is not None]
        if len(known) == len(BOOSTING):
            hardest = min(known, key=lambda each: each.difference.estimate)
            found[field.name] = hardest.errors
    return found


def near_own_boosting(fields: Sequence[Field], ours: str) -> dict[str, float]:
    """The same of a study's own boosting baselines, whose settings it chose by validation.

    Its differences to them come with 95% intervals, taken for 3.92 standard errors here.
    """
    found = {}
    for field in fields:
        figures = field.entries[ours].figures if ours in field.entries else {}
        faced = [
            each["difference"] / ((each["high"] - each["low"]) / 3.92)
            for each in figures.get("comparisons", ())
            if each["against"] in OWN_BOOSTING and (each["high"] or 0) > (each["low"] or 0)
        ]
        if faced:
            found[field.name] = min(faced)
    return found


def summary(fields: Sequence[Field], ours: str) -> list[str]:
    """How often this package is ahead, in lines of Markdown."""
    lines = [f"### {ours} against the field", ""]
    for title, rivals in (("single networks", SINGLE), ("these and TabM", (*SINGLE, *MANY))):
        kept = best_or_tied(fields, ours, rivals)
        names = ", ".join(rivals)
        lines.append(f"- best or tied among {title} ({names}): {_share(kept)}")
    for title, near in (
        (f"the better of {' and '.join(BOOSTING)}", near_boosting(fields, ours)),
        ("its own boosting baselines", near_own_boosting(fields, ours)),
    ):
        within = [errors >= -1.0 for errors in near.values()]
        behind = [f"{name} ({errors:.1f})" for name, errors in near.items() if errors < -2.0]
        lines.append(f"- within 1 SE of {title}: {_share(within)}")
        lines.append(f"- more than 2 SE behind: {', '.join(behind) or 'nowhere'}")
    lost = [
        f"{field.name} to {name} ({each.errors:.1f} SE)"
        for field in fields
        for name, each in field.against.get(ours, {}).items()
        if name in PEERS and name not in BOOSTING and each.errors < -2.0
    ]
    lines.append(f"- more than 2 SE behind others: {', '.join(lost) or 'nowhere'}")
    slight = [
        f"{field.name} to {name}"
        for field in fields
        for name, each in field.against.get(ours, {}).items()
        if name in PEERS and each.word == "tie" and each.difference.high < 0
    ]
    lines += [f"- ties that are surely behind, by little: {', '.join(slight) or 'none'}", ""]
    rows = [_counts(fields, ours, name) for name in (START, *PEERS)]
    rows = [row for row in rows if row[1]]
    head = ("against", "tables", "better", "tie", "worse", "did not finish", "failed")
    return [*lines, *_table(head, rows), ""]


def report(cases: Sequence[Case], out: Path) -> str:
    """Everything in Markdown."""
    found = {path.stem for case in cases for path in (out / case.name).glob(f"{OURS}*.json")}
    own = sorted(found, key=lambda name: (len(name), name))
    methods = [*own, START, *PEERS]
    fields = [read_field(case, out, methods) for case in cases]
    lines = [line for name in own for line in summary(fields, name)]
    head = ("table", "metric", "test rows", *methods)
    rows = [
        [
            field.name, field.metric, f"{field.rows:,}",
            *(_score(field.entries.get(name), brief=True) for name in methods),
        ]
        for field in fields
    ]  # fmt: skip
    lines += ["### Scores", "", *_table(head, rows), ""]
    for field in fields:
        lines += _of_table(field, own)
    return "\n".join(lines)


def _of_table(field: Field, own: Sequence[str]) -> list[str]:
    words = [word for name in own for word in (f"{name} is ahead by (95%)", "word")]
    costs = ("fit s", "of them processor", "predict s", "kB")
    rows = []
    for method, entry in field.entries.items():
        faced = [field.against.get(name, {}).get(method) for name in own]
        cells = [cell for each in faced for cell in _pair(each)]
        rows.append([method, _score(entry), *cells, *_costs(entry.figures)])
    title = f"### {field.name}: {field.metric}, {field.rows:,} test rows"
    return [title, "", *_table(("method", "score (95%)", *words, *costs), rows), ""]


def _score(entry: Entry | None, *, brief: bool = False) -> str:
    if entry is None:
        return "–"
    if entry.score is None:
        return str(entry.figures["state"])
    score = entry.score
    if brief:
        return f"{score.estimate:.4g}"
    return f"{score.estimate:.4g} ({score.low:.4g} to {score.high:.4g})"


def _pair(against: Against | None) -> tuple[str, str]:
    if against is None:
        return "–", "–"
    found = against.difference
    return f"{found.estimate:+.2g} ({found.low:+.2g} to {found.high:+.2g})", against.word


def _costs(figures: Mapping[str, Any]) -> list[str]:
    # a study is timed as a command, so all of its processor time is the fit's
    used = figures.get("processor_s", figures["all_processor_s"])
    seconds = figures.get("fit_s", figures["seconds"])
    limited = figures.get("method") in PEERS and seconds > NEAR_CAP * figures["cap_s"]
    return [
        f"{seconds:.1f}" + " (its limit)" * limited,
        f"{used:.1f}",
        f"{figures['predict_s']:.2f}" if "predict_s" in figures else "–",
        f"{figures['bytes'] / 1000:,.0f}" if "bytes" in figures else "–",
    ]


def _counts(fields: Sequence[Field], ours: str, other: str) -> list[Any]:
    both = [each for each in fields if ours in each.against and other in each.entries]
    words = [each.against[ours][other].word for each in both if other in each.against[ours]]
    states = [str(each.entries[other].figures["state"]) for each in both]
    counted = [words.count(word) for word in WORDS.values()]
    return [other, len(both), *counted, states.count("did not finish"), states.count("failed")]


def _share(kept: Sequence[bool]) -> str:
    if not kept:
        return "not run yet"
    return f"{sum(kept)} of {len(kept)} ({sum(kept) / len(kept):.0%})"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
