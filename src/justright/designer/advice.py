"""What to try next: from what was not tried, what was seen, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.core.finding import Finding, Severity
from justright.designer.options import time_text
from justright.sizing.shapes import name_of

MOST = 5
"""Suggestions."""

NAMED = 3
"""Ideas named in one of them."""


def next_steps(
    rounds: Sequence[Mapping[str, Any]],
    test: Mapping[str, Any] | None,
    findings: Sequence[Finding],
    limit_s: float,
    *,
    size: Mapping[str, Any] | None = None,
    seeds: Mapping[str, Any] | None = None,
    whole: bool = True,
) -> list[dict[str, str]]:
    """Suggestions, most useful first, each with its reason.

    Args:
        rounds: The fact "rounds": moves with their verdicts.
        test: The fact "test", or None if the test set was not opened.
        findings: What the audit saw.
        limit_s: The time limit that was given.
        size: The fact "size"; None if there is none.
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
    if size and size.get("time"):
        title = f"--time {size['time']} may be enough to test {name_of(size['untested'])}"
        steps.append({"title": title, "why": "larger sizes were not compared"})
    waiting = [entry["subject"] for entry in rounds if entry["verdict"]["word"] == "not run"]
    unclear = [entry["subject"] for entry in rounds if entry["verdict"]["word"] == "cannot tell"]
    more = f"--time {time_text(3 * limit_s)}"
    if waiting:
        why = "no time was left for it"
        steps.append({"title": f"{more} would test {few_of(waiting)}", "why": why})
    if test is not None and not rounds:
        steps.append({"title": f"{more} would test ideas", "why": "no time was left for any"})
    if unclear:
        why = "too few blocks to tell"
        steps.append({"title": f"{more} would settle {few_of(unclear)}", "why": why})
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
