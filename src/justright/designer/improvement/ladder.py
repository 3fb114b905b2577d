"""The ladder that ideas climb: a third of the length, all of it, then fresh blocks.

On the champion's own blocks each idea is trained for a third of its steps, beside the champion at
a third of its own; the best of each slot that looks better there is trained in full, and what is
still ahead is confirmed on blocks that no decision has seen. A third says as much of an idea as
all of the length, and a ninth less (measured: 17 ideas on six tables, rank correlation of one
block's gain with the mean gain in full on four others 0.55, 0.51 and 0.42), so there is no rung
below it. The unit checks and the batch learned by heart, which begin a ladder for somebody's own
network, are passed by every entry of the catalogue in its contract suite (tests/ideas).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from justright.designer.improvement.screening import (
    Screened,
    Tried,
    admitted,
    is_known,
    screen,
    trials_of,
)
from justright.designer.work.admission import PARTS, Admission, confirmed_part, shortened
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.rule import Move

LOWER = PARTS[-1]
"""The part of the length at which ideas are trained first."""

SPARED = 2
"""The lower rung has to be so many times shorter than the upper one to be worth its training
(assumption)."""

PROMISING = 0.3
"""Share of ideas that a rung lets through, where none has an effect (see `screening.HOPE`)."""


@dataclass(frozen=True)
class Climb:
    """How far ideas came on the champion's own blocks.

    Attributes:
        thirds: Trained for a third of the length, best gain first.
        ended: Those of them that were left behind there.
        found: Trained in full, best gain first.
        refused: What there was no time for.
    """

    thirds: tuple[Screened, ...]
    ended: tuple[Screened, ...]
    found: tuple[Screened, ...]
    refused: tuple[Tried, ...]

    def settles(self, each: Screened) -> bool:
        """Whether what was left behind at a third has lost for good.

        If the best of its slot had no result in full, the second may still be the best.
        """
        slot = each.tried.move.idea.slot
        above = [one.tried for one in self.thirds if one not in self.ended]
        best = [one for one in above if one.move.idea.slot == slot]
        return each.gain <= 0.0 or all(any(f.tried is one for f in self.found) for one in best)


def climb(
    session: Session,
    admission: Admission,
    champion: Champion,
    tried: Sequence[Tried],
    hopes: Callable[[Screened], bool],
) -> Climb:
    """Train ideas at a third of their length, and in full what looks promising there.

    Args:
        session: The study at work.
        admission: Says what fits into the time.
        champion: The incumbent.
        tried: The ideas.
        hopes: Whether what a rung showed is promising.
    """

    def trained(run: Sequence[Tried], part: int) -> list[Screened]:
        reserve_s = admission.reserve_s(champion, *(each.arm for each in run))
        return screen(session, champion, run, reserve_s, part)

    plan = session.plan.granted
    lower = [each for each in tried if _begins_below(session, champion, each)]
    run = admitted(session, admission, champion, lower, LOWER)
    seen = trained(run, LOWER)
    if not run or (not seen and _is_no_yardstick(session, champion)):
        lower = []  # a single full training may fit where it does not fit beside a third
    up = best_of_slots([each for each in seen if hopes(each)])
    waiting = [each.tried for each in up] + [each for each in tried if each not in lower]
    found = trained(admitted(session, admission, champion, waiting), 1)
    ended = tuple(each for each in seen if each not in up)
    done = [each.tried for each in (*ended, *found)]
    keys = [(each, each.screen_key(LOWER), each.screen_key(1)) for each in tried]
    return Climb(
        thirds=tuple(seen),
        ended=ended,
        found=tuple(found),
        refused=tuple(
            each
            for each, third, whole in keys
            if each not in done and 0 in (plan.get(third), plan.get(whole))
        ),
    )


def _begins_below(session: Session, champion: Champion, each: Tried) -> bool:
    """Whether an idea begins at a third; not if a plan has granted all of its length already."""
    plan = session.plan.granted
    passed = each.screen_key(LOWER) not in plan and plan.get(each.screen_key(1))
    return has_lower_rung(each.arm, champion.arm) and not passed


def _is_no_yardstick(session: Session, champion: Champion) -> bool:
    """Whether the champion itself failed, or has no score, at a third of its length."""
    known = is_known(session, champion.arm, LOWER)
    return known and not isfinite(session.measure(trials_of(session, champion.arm, LOWER)))


def best_of_slots(found: Sequence[Screened]) -> list[Screened]:
    """The first of each slot: ideas of one slot exclude each other."""
    best = {each.tried.move.idea.slot: each for each in reversed(found)}
    return [each for each in found if best[each.tried.move.idea.slot] is each]


def has_lower_rung(arm: Arm, champion: Arm) -> bool:
    """Whether a third of an arm's length says something, and costs little beside all of it.

    Another length does not show at a third of both: there the longer one always looks better.

    >>> from justright.recipe.recipe import Recipe
    >>> old = Arm("", Recipe(), 1500)
    >>> has_lower_rung(old, old), has_lower_rung(Arm("", Recipe(), 3000), old)
    (True, False)
    """
    return arm.steps == champion.steps and SPARED * shortened(arm, LOWER).steps <= arm.steps


def climb_s(admission: Admission, tried: Tried, champion: Arm) -> float:
    """Worker-seconds that an idea is expected to take: on the champion's own blocks, and both on
    fresh ones if it is promising.
    """
    costs, fewest = admission.costs, admission.looks[-1]
    part = confirmed_part(tried.weight)
    fresh = sum(costs.work(shortened(each, part), fewest, 1) for each in (tried.arm, champion))
    return _first_s(admission, tried.arm, champion) + PROMISING * fresh


def _first_s(admission: Admission, arm: Arm, champion: Arm) -> float:
    """Worker-seconds that an idea is expected to take on the champion's own blocks."""
    costs, blocks = admission.costs, len(admission.session.blocks.first)
    whole = costs.work(arm, blocks, 1)
    if not has_lower_rung(arm, champion):
        return whole
    return costs.work(shortened(arm, LOWER), blocks, 1) + PROMISING * whole


def arm_of(champion: Arm, move: Move) -> Arm:
    """What a move leads to from a champion."""
    base, title = champion.subject, move.idea.title
    subject = title if base == "start recipe" else f"{base}, {title}"
    return Arm(subject, move.recipe, round(champion.steps * move.length))


def tries_s(admission: Admission, tried: Sequence[Tried], champion: Champion) -> float:
    """Wall seconds in which all ideas are screened, and the promising ones confirmed.

    Args:
        admission: Prices work.
        tried: Around the champion.
        champion: The incumbent.
    """
    session, costs, fewest = admission.session, admission.costs, admission.looks[-1]
    first, old = session.blocks.first, shortened(champion.arm, LOWER)
    arms = [each.arm for each in tried]
    work = sum(_first_s(admission, arm, champion.arm) for arm in arms)
    below = any(has_lower_rung(arm, champion.arm) for arm in arms)
    if below and not is_known(session, champion.arm, LOWER):
        work += costs.work(old, len(first), 1)
    parts = [(each.arm, confirmed_part(each.weight)) for each in tried]
    confirms = sum(
        costs.both(shortened(arm, part), shortened(champion.arm, part), fewest, 0)
        for arm, part in parts
    )
    encoding = sum(session.blocks.encoding_s(first, arm.recipe.preprocessing) for arm in arms)
    return costs.wall(work, 0.0) + PROMISING * confirms + encoding
