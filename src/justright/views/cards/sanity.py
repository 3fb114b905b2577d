"""Card: whether the network is put together rightly, and in which state its training is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table

NOT_PASSED = ("failed", "warning")

FIGURES = ("constant", "baseline", "train", "validation", "gap", "rise", "fall", "delta")
"""What a state rests on, in the order in which it is shown."""


def sanity(reader: Reader) -> Card | NotApplicable:
    """The checks with figure, expected range and verdict; the champion's state with its reason."""
    found, state = reader.fact("sanity"), reader.fact("state")
    checks = [check for check in found.get("checks") or () if isinstance(check, Mapping)]
    if not checks and not state.get("state"):
        return NotApplicable(str(found.get("reason") or "no network was checked yet"))
    strong = frozenset(i for i, check in enumerate(checks) if check.get("word") in NOT_PASSED)
    return Card(
        title="Sanity and state",
        claim=f"{_checks_claim(found, checks)}{_state_claim(state)}.",
        table=_table(checks, strong) if checks else None,
        notes=(*_action_notes(checks), *_state_notes(state), *_checked_notes(found)),
    )


def _checks_claim(found: Mapping[str, Any], checks: list[Mapping[str, Any]]) -> str:
    if not checks:
        return f"No sanity checks: {found.get('reason') or 'they were not made'}"
    passed = sum(check.get("word") == "passed" for check in checks)
    bad = [str(check.get("title")) for check in checks if check.get("word") in NOT_PASSED]
    claim = f"{passed} of {count(len(checks), 'sanity check')} passed"
    return f"{claim}, but not: {', '.join(bad)}" if bad else claim


def _state_claim(state: Mapping[str, Any]) -> str:
    word = state.get("state")
    if not word:
        return ""
    if word == "cannot tell":
        return "; the curves do not tell the champion's state"
    return f"; the champion's state: {word}"


def _table(checks: list[Mapping[str, Any]], strong: frozenset[int]) -> Table:
    heads = ("Check", "Measured", "Expected", "Verdict", "Source")
    rows = tuple(
        (
            capital(str(check.get("title"))),
            str(check.get("figure")),
            str(check.get("expected")),
            str(check.get("word")),
            f"{check.get('source')} (limits: {check.get('status')})",
        )
        for check in checks
    )
    return Table(tuple(Column(head) for head in heads), rows, strong)


def _action_notes(checks: list[Mapping[str, Any]]) -> list[str]:
    return [
        f"{capital(str(check.get('title')))}: {check['action']}."
        for check in checks
        if check.get("action")
    ]


def _state_notes(state: Mapping[str, Any]) -> list[str]:
    """Why the champion is in its state, what to do, and the figures behind it."""
    if not state.get("state"):
        return []
    subject = f" of {state['subject']}" if state.get("subject") else ""
    notes = [f"State{subject}: {state['state']}, for {state.get('reason')}."]
    if state.get("action"):
        notes.append(f"What to do: {state['action']}.")
    numbers = state.get("numbers") or {}
    told = [f"{name} {significant(numbers[name])}" for name in FIGURES if name in numbers]
    if told:
        runs = count(numbers.get("runs", 1), "run")
        notes.append(f"Proper losses at the end of {runs}: {', '.join(told)}.")
    return notes


def _checked_notes(found: Mapping[str, Any]) -> list[str]:
    if not found.get("checks"):
        return []
    subject = f" with {found['subject']}" if found.get("subject") else ""
    return [
        f"Checked{subject}. In training mode batch normalisation and mixup let rows hear of each "
        "other on purpose; rows are to be apart in evaluation mode."
    ]
