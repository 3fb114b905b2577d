"""The longer run is named beforehand, and only where the clock had shortened the first."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from justright.core.idea import Verdict
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.admission import Admission
from justright.designer.improve import Improver
from justright.designer.lengthen import LEAST_FACTOR, full_steps, is_taken, longer_move
from justright.designer.session import Arm, Champion, Session, results
from justright.recipe.recipe import Recipe
from justright.testing.recipes import plain_recipe


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


@pytest.mark.parametrize(
    ("word", "gain", "taken"),
    [
        ("better", 0.4, True),
        ("cannot tell", 0.4, True),  # the recipe asks for this length: the cut has to be shown
        ("cannot tell", -0.1, False),
        ("not better", -0.4, False),
        ("not run", math.nan, False),
    ],
)
def test_the_recipes_own_length_is_taken_unless_it_looks_worse(
    word: str, gain: float, taken: bool
) -> None:
    assert is_taken(Verdict("longer", word, gain, math.nan, math.nan, 5, {})) == taken


def test_an_own_length_that_is_not_surely_better_replaces_the_cut_one(session: Session) -> None:
    recipe = replace(plain_recipe(session.blocks.spec, 16, 16, rate=0.01), epochs=30.0)
    arm = Arm("start recipe", recipe, 60)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    handed_over: list[Champion] = []
    improver = Improver(session, Admission(session, 1.0), handed_over.append, delta=0.01)
    longer = improver.lengthen(Champion(arm, own, session.measure(own)))
    assert longer.arm.steps > LEAST_FACTOR * 60
    assert handed_over == [longer]
    entries = session.store.ledger.fact("s", "rounds")
    assert entries is not None
    (entry,) = entries
    assert entry["accepted"]
    assert entry["verdict"]["difference"] > 0.0
