"""The race of schedules, as one decision: how the rate falls, and whether the end is averaged.

Every schedule that differs from the champion's is an idea of one slot: all are trained beside each
other on the champion's own blocks, with its seeds, for a third of the length or all of it. The
best of several looks too good where it was chosen, so only the comparison on fresh blocks that
follows can make it champion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.core.decision import Decision, Status
from justright.designer.improvement.idea_decisions import fresh_blocks
from justright.designer.improvement.ladder import Climb
from justright.designer.improvement.screening import Screened
from justright.designer.work.session import Champion, Session
from justright.ideas.catalogue.schedule import RULE, SCHEDULES
from justright.statistics.metrics import metric_named


def record_race(
    session: Session, champion: Champion, seen: Climb, overtaken: Sequence[Screened]
) -> None:
    """Record which schedule won, and what came of it; nothing where none was raced.

    Args:
        session: The study at work.
        champion: Against whom they were raced.
        seen: What was tried beside the champion, schedules or not; each was judged since.
        overtaken: What is tried again around a new champion: no race ends with that.
    """
    raced = _schedules(seen.thirds) or _schedules(seen.found)
    if not raced or any(raced[0].tried is each.tried for each in overtaken):
        return
    title = raced[0].tried.move.idea.title
    entries = session.store.ledger.fact(session.name, "rounds") or []
    entry = next(e for e in reversed(entries) if e["subject"] == title)
    verdict, own = entry["verdict"], champion.arm.recipe.schedule.name
    before = SCHEDULES.get(own, own)
    if entry["accepted"]:
        choice = f"{title} instead of {before}"
    else:
        choice = f"{before} stay{'' if before.endswith('s') else 's'}"
    score = metric_named(session.metric).loss  # turned twice: the score
    measured = {before: score(raced[0].base)}
    measured |= {each.tried.move.idea.title: score(each.rival.loss) for each in raced}
    fresh = verdict["evidence"].get("stage") != "screening" and verdict["blocks"] > 0
    if fresh:
        measured["gain on fresh blocks"] = verdict["difference"]
    decision = Decision(
        RULE.slot,
        choice,
        _reason(raced, len(champion.trials), verdict, fresh=fresh),
        f"{RULE.source}; compared on these data",
        Status.MEASURED,
        measured,
    )
    session.store.ledger.decide(session.name, decision)
    session.watch.headline(f"schedule: {choice}")


def _schedules(found: Sequence[Screened]) -> list[Screened]:
    return [each for each in found if each.tried.move.idea.slot == RULE.slot]


def _reason(
    raced: Sequence[Screened], blocks: int, verdict: Mapping[str, Any], *, fresh: bool
) -> str:
    """What the race showed, and the comparison after it."""
    first = raced[0]
    length = "" if first.part == 1 else " at a third of the length"
    others = (
        f"of {len(raced)} raced on {blocks} block{'s' if blocks > 1 else ''}{length}, "
        f"{first.tried.move.idea.title} came first"
    )
    if fresh:
        where = fresh_blocks(verdict["blocks"], verdict["evidence"])
        return f"{others}; {where} say: {verdict['word']}"
    if verdict["word"] == "not run":
        return f"{others}; there was no time to compare it on fresh blocks"
    return f"{others}, and did not look better by enough to be compared on fresh blocks"
