"""What an idea is worth: the gain that is expected of it, for its price."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from justright.core.idea import Prediction
from justright.ideas.rule import Move

WEIGHTS = (0.3, 0.4, 0.3)
"""Weights of the 10%, 50% and 90% quantiles in a mean (published: Swanson's rule, Hurst, Brown &
Swanson 2000)."""


def expected_gain(prediction: Prediction) -> float:
    """Gain in units of the metric to expect of trying an idea, which is taken only if it helps.

    >>> expected_gain(Prediction(helps=0.5, gain=(-1.0, 1.0, 2.0), seconds=1.0))
    0.5
    """
    parts = zip(WEIGHTS, prediction.gain, strict=True)
    return prediction.helps * sum(weight * max(gain, 0.0) for weight, gain in parts)


def worth(prediction: Prediction, cost: float) -> float:
    """Expected gain per unit of cost, which every level of complexity adds to once more.

    Published: expected improvement over cost (of the simple rules the best or as good, simulated
    before building); the price of complexity is an assumption.

    Args:
        prediction: What is predicted of the idea.
        cost: Price of trying it, in any unit.
    """
    return expected_gain(prediction) / (max(cost, 1e-9) * (1 + prediction.complexity))


def by_worth(moves: Sequence[Move], cost: Callable[[Move], float]) -> tuple[str, ...]:
    """The slots of moves, by the best worth among the moves of each, best first.

    Args:
        moves: With their predictions.
        cost: Price of a move, in any unit.
    """
    best: dict[str, float] = {}
    for move in moves:
        value = worth(move.idea.prediction, cost(move))
        best[move.idea.slot] = max(best.get(move.idea.slot, 0.0), value)
    return tuple(sorted(best, key=lambda slot: -best[slot]))
