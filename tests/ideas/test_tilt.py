"""The state of the training changes what is expected of ideas, and so what is tried first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_catalogue import ALL

from justright.diagnosis.states import State
from justright.ideas.registry import propose_moves


def helps(state: State, number: int) -> dict[str, float]:
    at = replace(ALL[number], state=state)
    return {move.idea.title: move.idea.prediction.helps for move in propose_moves(at)}


@pytest.mark.parametrize("number", range(len(ALL[:9])))
def test_what_fights_overfitting_is_likelier_where_there_is_some(number: int) -> None:
    usual, over = helps(State.UNKNOWN, number), helps(State.OVERFITTING, number)
    under, short = helps(State.UNDERFITTING, number), helps(State.COMPUTE_BOUND, number)
    assert usual.keys() == over.keys() == under.keys()
    assert under == short
    for title in ("dropout 0.3", "mixup 0.2"):
        assert over[title] > usual[title] > under[title]
    for title in ("no dropout", "dropout on the last layer only", "no decay", "3 × longer"):
        assert over[title] < usual[title] < under[title]
    assert all(0.0 < each < 1.0 for each in (*over.values(), *under.values()))


def test_other_states_change_nothing() -> None:
    usual = helps(State.UNKNOWN, 1)
    for state in (State.ABLE, State.JUST_RIGHT, State.NOISE_LIMITED, State.BROKEN):
        assert helps(state, 1) == usual
