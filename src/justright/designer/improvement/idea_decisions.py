"""What became of ideas, as stored decisions: what was compared, and what a first look left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from justright.core.decision import Decision, Status
from justright.core.idea import Verdict, length_of
from justright.designer.improvement.advice import few_of
from justright.designer.improvement.screening import Screened
from justright.designer.work.session import Champion, Session
from justright.ideas.catalogue.schedule import RULE as SCHEDULE
from justright.ideas.rule import Move

STAGE = "ideas"


def record_compared(session: Session, move: Move, verdict: Verdict, *, accepted: bool) -> None:
    """Record an idea that was trained beside the champion on fresh blocks.

    Schedules are told as one race (`schedule_race`), and what had no time is no decision.

    Args:
        session: The study at work.
        move: The idea.
        verdict: The word on it.
        accepted: Whether it is part of the champion now.
    """
    if not verdict.blocks or move.idea.slot == SCHEDULE.slot:
        return
    where = fresh_blocks(verdict.blocks, verdict.evidence)
    measured = {"gain": verdict.difference, "low": verdict.low, "high": verdict.high}
    measured |= {"predicted probability": move.idea.prediction.helps}
    measured |= {"predicted gain": move.idea.prediction.gain[1]}
    decision = Decision(
        STAGE,
        f"{move.idea.title}: {'kept' if accepted else 'left out'}",
        f"beside the champion, {where} say: {verdict.word}",
        move.idea.source,
        Status.MEASURED,
        {name: value for name, value in measured.items() if isfinite(value)},
    )
    session.store.ledger.decide(session.name, decision)


def fresh_blocks(blocks: int, evidence: Mapping[str, Any]) -> str:
    """On what a confirmation rests, for people.

    >>> fresh_blocks(3, {"part of the length": 1 / 3})
    '3 fresh blocks, both at 1/3 of the length,'
    """
    length = length_of(evidence)
    return f"{blocks} fresh blocks" + (f", both at {length}," if length else "")


def record_screening(session: Session, champion: Champion, left: Sequence[Screened]) -> None:
    """Record which ideas a first look left out, with their gains there.

    Args:
        session: The study at work.
        champion: Beside whose trials they were looked at.
        left: What did not look better by enough, best gain first.
    """
    if not left:
        return
    titles = [each.tried.move.idea.title for each in left]
    blocks = len(champion.trials)
    decision = Decision(
        STAGE,
        f"left out after a first look: {few_of(titles)}",
        f"on the champion's own {blocks} block{'s' if blocks != 1 else ''} {_further(left[0])}",
        "half a standard deviation of a paired difference: benchmarks/statistics.py",
        Status.MEASURED,
        {title: each.gain for title, each in zip(titles, left, strict=True)},
    )
    session.store.ledger.decide(session.name, decision)


def _further(left: Screened) -> str:
    """What an idea was not good enough for."""
    if left.part > 1:
        return "not better by enough, or not the best of its slot, at a third of the length"
    return "not better by enough to be compared on fresh ones"
