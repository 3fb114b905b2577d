"""The race of schedules, as one decision: how the rate falls, and whether the end is averaged.

Every schedule that differs from the champion's is an idea of one slot: all are trained beside each
other on the champion's own blocks, with its seeds. The best of several looks too good where it was
chosen, so only the comparison on fresh blocks that follows can make it champion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from justright.core.decision import Decision, Status
from justright.designer.screening import Screened
from justright.designer.session import Champion, Session
from justright.ideas.catalogue.schedule import RULE, SCHEDULES
from justright.statistics.metrics import metric_named


def record_race(
    session: Session, champion: Champion, found: Sequence[Screened], overtaken: Sequence[Screened]
) -> None:
    """Record which schedule won, and what came of it; nothing where none was raced.

    Args:
        session: The study at work.
        champion: Against whom they were raced.
        found: What was screened, schedules or not, best gain first; each was judged since.
        overtaken: What is tried again around a new champion: no race ends with that.
    """
    raced = [each for each in found if each.tried.move.idea.slot == RULE.slot]
    if not raced or raced[0] in overtaken:
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
    measured = {before: score(champion.loss)}
    measured |= {each.tried.move.idea.title: score(each.rival.loss) for each in raced}
    fresh = verdict["evidence"].get("stage") != "screening" and verdict["blocks"] > 0
    if fresh:
        measured["gain on fresh blocks"] = verdict["difference"]
    decision = Decision(
        RULE.slot,
        choice,
        _reason(title, len(raced), len(champion.trials), verdict, fresh=fresh),
        f"{RULE.source}; compared on these data",
        Status.MEASURED,
        measured,
    )
    session.store.ledger.decide(session.name, decision)
    session.watch.headline(f"schedule: {choice}")


def _reason(
    title: str, raced: int, blocks: int, verdict: Mapping[str, Any], *, fresh: bool
) -> str:
    """What the race showed, and the comparison after it.

    >>> _reason("1cycle", 4, 5, {"word": "better", "blocks": 8}, fresh=True)
    'of 4 raced on 5 blocks, 1cycle came first; 8 fresh blocks say: better'
    """
    others = f"of {raced} raced on {blocks} block{'s' if blocks > 1 else ''}, {title} came first"
    if fresh:
        return f"{others}; {verdict['blocks']} fresh blocks say: {verdict['word']}"
    if verdict["word"] == "not run":
        return f"{others}; there was no time to compare it on fresh blocks"
    return f"{others}, and did not look better by enough to be compared on fresh blocks"
