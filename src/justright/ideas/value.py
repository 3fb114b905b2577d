"""What an idea is worth: the gain that is expected of it beyond what is in hand, for its price."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from justright.core.idea import Prediction
from justright.ideas.rule import Move

WEIGHTS = (0.3, 0.4, 0.3)
"""Weights of the 10%, 50% and 90% quantiles in a mean (published: Swanson's rule, Hurst, Brown &
Swanson 2000)."""


EXPLORED = 0.125
"""Share of the places of an order by worth that chance fills: what is never tried because little
is expected of it never shows that the expectation was wrong (published advice: a tenth to a
seventh of the budget; the middle is an assumption)."""


def nothing(_: Move) -> float:
    """What slots brought before anything was accepted."""
    return 0.0


def expected_gain(prediction: Prediction, in_hand: float = 0.0) -> float:
    """Gain in units of the metric to expect of trying an idea, which is taken only if it helps.

    Args:
        prediction: What is predicted of the idea.
        in_hand: What its slot brought since the prediction: only what goes beyond is a gain.

    >>> expected_gain(Prediction(helps=0.5, gain=(-1.0, 1.0, 2.0), seconds=1.0))
    0.5
    >>> expected_gain(Prediction(helps=0.5, gain=(-1.0, 1.0, 2.0), seconds=1.0), in_hand=1.0)
    0.15
    """
    parts = zip(WEIGHTS, prediction.gain, strict=True)
    least = max(in_hand, 0.0)
    return prediction.helps * sum(weight * max(gain - least, 0.0) for weight, gain in parts)


def worth(prediction: Prediction, cost: float, in_hand: float = 0.0) -> float:
    """Expected gain per unit of cost, which every level of complexity adds to once more.

    Published: expected improvement over cost (of the simple rules the best or as good, simulated
    before building); the price of complexity is an assumption.

    Args:
        prediction: What is predicted of the idea.
        cost: Price of trying it, in any unit.
        in_hand: What its slot brought since the prediction.
    """
    return expected_gain(prediction, in_hand) / (max(cost, 1e-9) * (1 + prediction.complexity))


def reservation(prediction: Prediction, price: float) -> float:
    """The gain in hand from which on an idea is not worth its price any more (Weitzman 1979).

    It solves helps · E[(gain - r)+] = price; below zero where not even the first gain is.

    Args:
        prediction: What is predicted of the idea.
        price: Of trying it, in units of the metric.

    >>> certain = Prediction(helps=1.0, gain=(2.0, 2.0, 2.0), seconds=1.0)
    >>> round(reservation(certain, 0.5), 9)
    1.5
    """
    if prediction.helps <= 0.0:
        return float("-inf")
    weight = total = value = 0.0
    gains = sorted(zip(prediction.gain, WEIGHTS, strict=True), reverse=True)
    for place, (gain, share) in enumerate(gains):
        weight, total = weight + share, total + share * gain
        value = (total - price / prediction.helps) / weight
        if place + 1 == len(gains) or value >= gains[place + 1][0]:
            break
    return value


def by_worth(
    moves: Sequence[Move],
    cost: Callable[[Move], float],
    in_hand: Callable[[Move], float] = nothing,
) -> tuple[str, ...]:
    """The slots of moves, by the best worth among the moves of each, best first.

    Args:
        moves: With their predictions.
        cost: Price of a move, in any unit.
        in_hand: What the slot of a move brought since its gain was predicted.
    """
    best: dict[str, float] = {}
    for move in moves:
        slot = move.idea.slot
        value = worth(move.idea.prediction, cost(move), in_hand(move))
        best[slot] = max(best.get(slot, 0.0), value)
    return tuple(sorted(best, key=lambda slot: -best[slot]))


def explored(
    slots: Sequence[str], generator: np.random.Generator
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """An order in which chance has filled a share of the places out of turn, and what it drew.

    Args:
        slots: By worth, best first.
        generator: Where chance comes from.
    """
    waiting, order, drawn = list(slots), [], []
    while waiting:
        place = 0
        if generator.random() < EXPLORED and len(waiting) > 1:
            place = 1 + int(generator.integers(len(waiting) - 1))
            drawn.append(waiting[place])
        order.append(waiting.pop(place))
    return tuple(order), tuple(drawn)
