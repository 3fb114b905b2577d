"""The longer run is named beforehand, and only where the clock had shortened the first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.lengthen import full_steps, longer_move
from justright.designer.session import Arm, Champion, Session
from justright.recipe.recipe import Recipe


def champion(best_step: int, steps: int) -> Champion:
    spec = TrialSpec("network", "start recipe", "champion", {}, "p", 0, steps)
    trial = Trial(spec, TrialState.DONE, {"best_step": best_step, "scores": {"rmse": 1.0}})
    return Champion(Arm("start recipe", Recipe(epochs=64.0), steps), (trial,), 1.0)


def session_with(rows: int) -> Session:
    """As much of a session as is asked for: a first block of so many training rows."""
    block = SimpleNamespace(train=np.arange(rows))
    blocks = SimpleNamespace(first=(0,), block=lambda number, spec: block)
    return cast(Session, cast(Any, SimpleNamespace(blocks=blocks)))


@pytest.mark.parametrize(
    ("best_step", "steps", "wanted"),
    [
        (400, 400, 1600),  # cut by the clock, and still improving: 64 epochs of 6,400 rows
        (100, 400, 0),     # was best early: more steps are not what it lacks
        (1600, 1600, 0),   # had its own length
        (1400, 1400, 0),   # nearly so
    ],
)  # fmt: skip
def test_only_a_shortened_run_that_still_improves_is_lengthened(
    best_step: int, steps: int, wanted: int
) -> None:
    assert full_steps(session_with(6_400), champion(best_step, steps)) == wanted


def test_the_longer_run_is_the_same_recipe() -> None:
    first = champion(400, 400)
    move, arm = longer_move(first, 1_000)
    assert arm.recipe == move.recipe == first.arm.recipe
    assert arm.steps == 1_000
    assert move.idea.title == "2.5 × the steps"
