"""In which order a round tries its ideas, as the work plan keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from justright.core.seeds import child_seed
from justright.designer.improvement.batches import Batch, batches, order_decision, stages_of
from justright.designer.improvement.ladder import climb_s, tries_s
from justright.designer.improvement.screening import Tried
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session
from justright.ideas.rule import Move
from justright.ideas.value import by_worth, explored

IN_ORDER, BY_WORTH = 1, 2
"""Whether a round goes stage by stage, in the work plan."""


def order_of(
    session: Session,
    admission: Admission,
    champion: Champion,
    tried: Sequence[Tried],
    number: int,
    in_hand: Callable[[Move], float],
) -> tuple[Batch, ...]:
    """What is tried one after the other: by stages, or by worth where there is no time for all.

    Prices follow the clock, so the order that they led to is part of the work plan.

    Args:
        session: The study at work.
        admission: Prices work.
        champion: The incumbent.
        tried: What has no answer yet.
        number: Of the round.
        in_hand: What the slot of a move brought since its gain was predicted.
    """
    plan, key = session.plan, f"round {number} order"
    moves = [each.move for each in tried]
    stages = stages_of(moves)
    slots = sorted(stages)
    if not plan.choice(key):
        prices = {each.move.idea.title: climb_s(admission, each, champion.arm) for each in tried}
        ordered = by_worth(moves, lambda move: prices[move.idea.title], in_hand)
        plan.choose(key, [slots.index(slot) for slot in ordered])
    places = plan.choice(key) or range(len(slots))
    ranked = [slots[place] for place in places if place < len(slots)]
    ranked += [slot for slot in slots if slot not in ranked]  # of a newer catalogue

    def propose() -> int:
        whole = tries_s(admission, tried, champion)
        return IN_ORDER if whole <= admission.left(champion) else BY_WORTH

    in_order, drawn = plan.grant(f"{key} kind", propose) == IN_ORDER, ()
    if not in_order:
        seed = child_seed(session.blocks.seed, "places", session.blocks.rows, number)
        ranked, drawn = explored(ranked, np.random.default_rng(seed))
    if moves:
        decision = order_decision(moves, in_order=in_order, drawn=drawn)
        session.store.ledger.decide(session.name, decision)
    return batches(ranked, stages, session.crew.capacity, in_order=in_order)
