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

from justright.designer.admission import PARTS, Admission, shortened
from justright.designer.screening import Screened, Tried, admitted, screen
from justright.designer.session import Arm, Champion, Session
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
        refused: What there was no time for, with its gain at a third if it has one.
    """

    thirds: tuple[Screened, ...]
    ended: tuple[Screened, ...]
    found: tuple[Screened, ...]
    refused: tuple[tuple[Tried, float | None], ...]


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
    lower = [each for each in tried if has_lower_rung(each.arm, champion.arm)]
    run = admitted(session, admission, champion, lower, LOWER)
    reserve_s = admission.reserve_s(champion, *(each.arm for each in tried))
    seen = screen(session, champion, run, reserve_s, LOWER)
    up = [each for each in best_of_slots(seen) if hopes(each)]
    waiting = [each.tried for each in up] + [each for each in tried if each not in run]
    whole = admitted(session, admission, champion, waiting)
    gains = {each.tried.own: each.gain for each in up}
    return Climb(
        thirds=tuple(seen),
        ended=tuple(each for each in seen if each not in up),
        found=tuple(screen(session, champion, whole, reserve_s)),
        refused=tuple((each, gains.get(each.own)) for each in waiting if each not in whole),
    )


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


def first_s(admission: Admission, arm: Arm, champion: Arm) -> float:
    """Worker-seconds that an idea is expected to take on the champion's own blocks."""
    costs, blocks = admission.costs, len(admission.session.blocks.first)
    whole = costs.work(arm, blocks)
    if not has_lower_rung(arm, champion):
        return whole
    return costs.work(shortened(arm, LOWER), blocks) + PROMISING * whole


def tries_s(admission: Admission, moves: Sequence[Move], champion: Arm) -> float:
    """Wall seconds in which all moves are screened, and the promising ones confirmed.

    Args:
        admission: Prices work.
        moves: Around the champion.
        champion: The incumbent.
    """
    fewest, first = admission.looks[-1], admission.session.blocks.first
    old, work, confirms, encoding = shortened(champion, LOWER), 0.0, 0.0, 0.0
    for move in moves:
        arm = Arm("", move.recipe, round(champion.steps * move.length))
        work += first_s(admission, arm, champion)
        encoding += admission.session.blocks.encoding_s(first, arm.recipe.preprocessing)
        both = admission.costs.both(shortened(arm, LOWER), old, fewest, 0)
        confirms += PROMISING * both
    return admission.costs.wall(work, 0.0) + confirms + encoding
