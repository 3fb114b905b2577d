"""The most important findings of a study, whoever saw them, each with its cost and its action.

Audit, sanity checks, health, slices, labels, drift and the state of the champion's training stand
in one row here, ordered by what they cost: a share of the loss on rows that were not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from justright.core.finding import COST, Finding, Severity
from justright.views.outcome import greater_is_better
from justright.views.reader import Reader

TOP = 3
"""Findings shown; the rest stand in the report (assumption: what somebody acts on)."""

MATERIAL = 0.01
"""Share of the loss below which a finding that is no warning is not worth a line (assumption: that
of the tolerance)."""

LATER = 0.5
"""Of what the last doubling of the length brought the next one brings this share (assumption: a
loss that falls as a power of the length with an exponent of 1)."""

_GRAVE = {
    "broken": Severity.CRITICAL,
    "underfitting": Severity.WARNING,
    "overfitting": Severity.WARNING,
    "compute-bound": Severity.WARNING,
    "noise-limited": Severity.WARNING,
}
"""States of the champion that are a finding; the others are as they should be, or not known."""


@dataclass(frozen=True)
class Important:
    """A finding that is worth a line of its own.

    Attributes:
        code: Stable short name.
        severity: How bad it is.
        message: What was seen.
        action: What was done about it, or what to do.
        cost: Share of the loss that it stands for at most, 0 to 1; None = not known.
    """

    code: str
    severity: Severity
    message: str
    action: str
    cost: float | None = None

    @property
    def text(self) -> str:
        """The finding, its cost and its action in one line."""
        cost = f" (up to {self.cost:.0%} of the loss)" if self.cost else ""
        return f"{self.message}{cost}" + (f" → {self.action}" if self.action else "")


def important(reader: Reader, most: int = TOP) -> tuple[Important, ...]:
    """What matters most, first; nothing where there is nothing.

    A critical finding puts the score itself in doubt, so it comes before those that cost some of
    it; then those of known cost, the dearest first; then warnings whose cost nobody knows.

    Args:
        reader: The study.
        most: At most so many.
    """
    found = [_of_finding(reader, finding) for finding in reader.findings]
    found += _of_state(reader.fact("state"))
    worth = [each for each in found if _worth_a_line(each)]
    return tuple(sorted(worth, key=_rank)[:most])


def _worth_a_line(each: Important) -> bool:
    return each.severity is not Severity.NOTE or (each.cost or 0.0) >= MATERIAL


def _rank(each: Important) -> tuple[bool, float]:
    return each.severity is not Severity.CRITICAL, inf if each.cost is None else -each.cost


def _of_finding(reader: Reader, finding: Finding) -> Important:
    cost = finding.numbers.get(COST)
    if finding.code == "drift":
        cost = _drop(reader)
    return Important(finding.code, finding.severity, finding.message, finding.action, cost)


def _drop(reader: Reader) -> float | None:
    """How much worse the test rows came out than the validation rows, as a share of the loss."""
    test = reader.fact("test")
    drop, before = test.get("drop"), test.get("validation_score")
    if drop is None or not before or greater_is_better(reader) or before + drop <= 0.0:
        return None
    return max(drop / (before + drop), 0.0)


def _of_state(state: Mapping[str, Any]) -> list[Important]:
    word = str(state.get("state") or "")
    if word not in _GRAVE:
        return []
    message = f"the champion's training is {word}: {state.get('reason')}"
    action, cost = str(state.get("action") or ""), _state_cost(word, state.get("numbers") or {})
    return [Important(word, _GRAVE[word], message, action, cost)]


def _state_cost(word: str, numbers: Mapping[str, float]) -> float | None:
    """What the curves say could be gained; None where they say nothing."""
    loss = numbers.get("validation") or 0.0
    could = {
        "overfitting": numbers.get("rise"),
        "compute-bound": LATER * numbers.get("fall", 0.0),
        "underfitting": loss - numbers.get("baseline", loss),
    }.get(word)
    return could / loss if could and loss > 0.0 and could > 0.0 else None
