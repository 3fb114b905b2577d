"""How the state of a training changes what is expected of ideas."""

from __future__ import annotations

from justright.diagnosis.states import State

FACTOR = 2.0
"""What the odds are multiplied or divided by (assumption; the ledger of outcomes corrects it)."""

TOO_MUCH, TOO_LITTLE = (State.OVERFITTING,), (State.UNDERFITTING, State.COMPUTE_BOUND)
"""States in which the network fits the training rows too closely, or not closely enough."""


def tilted(helps: float, fights: int, state: State) -> float:
    """The probability that an idea helps, given what the training suffers from.

    Args:
        helps: Without knowing the state.
        fights: 1 if the idea fights overfitting, -1 if it lets the network fit more closely.
        state: Of the champion's training.

    >>> round(tilted(0.2, 1, State.OVERFITTING), 3), round(tilted(0.2, 1, State.UNDERFITTING), 3)
    (0.333, 0.111)
    >>> tilted(0.2, 0, State.OVERFITTING), tilted(0.2, 1, State.UNKNOWN)
    (0.2, 0.2)
    """
    towards = fights * ((state in TOO_MUCH) - (state in TOO_LITTLE))
    if not towards:
        return helps
    odds = helps / (1 - helps) * FACTOR**towards
    return odds / (1 + odds)
