"""What to try next: from what was not tried, what was seen, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.core.finding import Finding, Severity
from justright.core.idea import is_own
from justright.sizing.shapes import name_of

MOST = 5
"""Suggestions."""

NAMED = 3
"""Ideas named in one of them."""


def next_steps(
    rounds: Sequence[Mapping[str, Any]],
    test: Mapping[str, Any] | None,
    findings: Sequence[Finding],
    *,
    more: Mapping[str, Any],
    seeds: Mapping[str, Any] | None = None,
    whole: bool = True,
) -> list[dict[str, str]]:
    """Suggestions, most useful first, each with its reason.

    Args:
        rounds: The fact "rounds": moves with their verdicts.
        test: The fact "test", or None if the test set was not opened.
        findings: What the audit saw.
        more: The fact "more time".
        seeds: The fact "seeds": what an ensemble would gain; None if that is not known.
        whole: Whether the study was to go to its end.
    """
    steps = [
        {"title": finding.action, "why": finding.message}
        for finding in findings
        if finding.severity is Severity.CRITICAL
    ]
    if test is None and not whole:
        title = "the same command without --only, under another --name, trains the network"
        steps.append({"title": title, "why": "only the size was asked for"})
    elif test is None:
        steps.append({"title": "run the same command again", "why": "it goes on where it stopped"})
    if more["size_time"]:
        title = f"--time {more['size_time']} may be enough to test {name_of(more['untested'])}"
        steps.append({"title": title, "why": "larger sizes were not compared"})
    ideas = [entry for entry in rounds if not is_own(entry)]
    unclear = [e["subject"] for e in ideas if e["verdict"]["word"] == "cannot tell"]
    longer = f"--time {more['time']}"
    tested = [entry["title"] for entry in more["ideas"] if entry["fits"]]
    if tested:
        left = f"{len(tested)} of {len(more['ideas'])} ideas without time so far"
        why = f"{left}; together expected to bring {more['expected']:.2g} at most"
        steps.append({"title": f"{longer} would test {few_of(tested)}", "why": why})
    elif more["ideas"]:
        names = few_of([entry["title"] for entry in more["ideas"]])
        priced = all(entry["core_seconds"] is not None for entry in more["ideas"])
        title = f"more than {longer} would test {names}"
        title = title if priced else f"{longer} may be enough to test {names}"
        why = "each takes longer" if priced else "what it takes is not known"
        steps.append({"title": title, "why": f"no time was left for it, and {why}"})
    if test is not None and not ideas and not more["ideas"]:
        steps.append({"title": f"{longer} would test ideas", "why": "no time was left for any"})
    if unclear:
        why = "too few blocks to tell"
        steps.append({"title": f"{longer} would settle {few_of(unclear)}", "why": why})
    if test and test.get("word") == "loses to":
        why = f"it beats the network by {abs(_decisive(test)):.3g}"
        steps.append({"title": f"use {test['against']} for now", "why": why})
    if seeds:
        title = f"--ensemble {seeds['networks']} would gain about {seeds['gain']:.2g}"
        why = f"judged by {seeds['seeds']} seeds on {seeds['rows']:,} rows held out"
        steps.append({"title": f"{title} in {seeds['metric']}", "why": why})
    return steps[:MOST]


def few_of(titles: Sequence[str]) -> str:
    """The first few titles, and how many more there are.

    >>> few_of(["GELU", "GELU", "Mish"]), few_of(["a", "b", "c", "d", "e"])
    ('GELU, Mish', 'a, b, c and 2 more')
    """
    names = list(dict.fromkeys(titles))
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _decisive(test: Mapping[str, Any]) -> float:
    comparisons = (test.get("headline") or {}).get("comparisons") or test["comparisons"]
    against = (c for c in comparisons if c["title"] == test["against"])
    return float(next(against)["difference"])
