"""In which order ideas are tried: stage by stage, or by worth where the time is short."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from justright.core.decision import Decision, Status
from justright.ideas.rule import Move
from justright.ideas.stage import ORDER
from justright.ideas.value import expected_gain, worth

FEW = 2
"""Ideas of the catalogue that are tried where the rows are too few to hold a test (judgement of
simulations before building)."""

Batch = tuple[str, ...]
"""Slots whose ideas are screened beside each other."""


def batches(
    slots: Sequence[str], stages: Mapping[str, str], width: int, *, in_order: bool
) -> tuple[Batch, ...]:
    """Slots in the order in which they are tried, those that are screened together as one.

    Args:
        slots: By worth, best first.
        stages: Stage of each slot.
        width: Slots that are screened together where the order is that of worth.
        in_order: Whether the order is that of the stages.

    >>> stages = {"dropout": "regularisation", "body": "architecture", "mixup": "augmentation"}
    >>> batches(("dropout", "body", "mixup"), stages, 2, in_order=True)
    (('mixup',), ('body',), ('dropout',))
    >>> batches(("dropout", "body", "mixup"), stages, 2, in_order=False)
    (('dropout', 'body'), ('mixup',))
    """
    if not in_order:
        return tuple(tuple(slots[at : at + width]) for at in range(0, len(slots), width))
    found = (tuple(slot for slot in slots if stages[slot] == stage) for stage in ORDER)
    return tuple(batch for batch in found if batch)


def most_promising(moves: Sequence[Move]) -> tuple[Move, ...]:
    """What is worth trying on a small table: length, rate and size, and few ideas beside them.

    Among many ideas that are all compared on the same few rows one looks good by chance.
    """
    others = sorted((m for m in moves if m.lasting), key=lambda m: -worth(m.idea.prediction, 1.0))
    kept = others[:FEW]
    return tuple(move for move in moves if not move.lasting or move in kept)


def stages_of(moves: Sequence[Move]) -> dict[str, str]:
    """Stage of each slot."""
    return {move.idea.slot: move.idea.stage for move in moves}


def still_promising(moves: Sequence[Move], in_hand: Callable[[Move], float]) -> tuple[Move, ...]:
    """Moves of which more is expected than their slot brought since (the stop rule)."""
    return tuple(
        move
        for move in moves
        if in_hand(move) <= 0.0 or expected_gain(move.idea.prediction, in_hand(move)) > 0.0
    )


def order_decision(
    moves: Sequence[Move], *, in_order: bool, drawn: Sequence[str] = ()
) -> Decision:
    """Why ideas are tried in this order.

    Args:
        moves: The ideas.
        in_order: Whether stage by stage.
        drawn: Slots that chance put at their places.
    """
    stages = stages_of(moves).values()
    if in_order:
        return Decision(
            "ideas",
            f"ideas are ordered stage by stage: {', '.join(s for s in ORDER if s in stages)}",
            f"the time that is left is enough for all {len(moves)}",
            "Howard & Gugger 2020, chapter 15; no head-to-head comparison of orders is known",
            Status.PUBLISHED,
        )
    chance = f"; drawn by chance, to learn of them, too: {', '.join(drawn)}" if drawn else ""
    return Decision(
        "ideas",
        "ideas are ordered by expected gain per second, whatever their stage",
        f"the time that is left is not enough for all {len(moves)}{chance}",
        "expected improvement over cost: simulated before building, two to three times the gain "
        "of a random order",
        Status.MEASURED,
    )
