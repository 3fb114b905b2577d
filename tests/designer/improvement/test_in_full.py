"""The recipe in full is one comparison, named beforehand, where the first network was less."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from justright.core.idea import Verdict
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.improvement.improve import Improver
from justright.designer.improvement.in_full import (
    FORMS,
    LATER,
    MEMBERS_KEY,
    full_steps,
    fuller,
    is_taken,
    longer_move,
)
from justright.designer.improvement.room import LEAST_FACTOR, Room
from justright.designer.request.limits import weight_of
from justright.designer.stages.range_test import RATE_KEY
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe
from justright.training.start import MEMBERS, with_members

NewSession = Callable[..., Session]


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
        ("not better", 0.09, False),  # its metric is undefined on a fold
        ("not run", math.nan, False),
    ],
)
def test_the_recipes_own_length_is_taken_unless_it_looks_worse(
    word: str, gain: float, taken: bool
) -> None:
    assert is_taken(Verdict("longer", word, gain, math.nan, math.nan, 5, {})) == taken


@pytest.mark.parametrize(
    ("word", "best_step", "taken"),
    [
        ("cannot tell", 60, False),
        ("better", 60, True),
        ("cannot tell", 200, False),
        ("cannot tell", 10_000, True),
    ],
)
def test_a_longer_run_that_was_best_within_the_quick_length_has_to_be_better(
    session: Session,
    quick: Champion,
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    best_step: int,
    taken: bool,
) -> None:
    monkeypatch.setattr(Room, "all_steps", lambda *_: 0)  # no time for members
    monkeypatch.setattr(Champion, "best_step", property(lambda _: best_step))
    said = Verdict("longer", word, 0.4, -0.1, 0.9, 5, {})
    monkeypatch.setattr("justright.designer.improvement.improve.judge_in_full", lambda *_: said)
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.01)
    assert (improver.complete(quick).arm.steps > 60) == taken
    (decision,) = (d for d in session.store.ledger.decisions("s") if d.stage == "recipe")
    assert decision.choice.endswith("kept" if taken else "left out")
    assert ("only if it is surely better" in decision.reason) == (best_step <= 200)


def planted(session: Session, rate: float) -> Champion:
    """A champion without members, of fewer steps than its recipe asks for."""
    recipe = replace(plain_recipe(session.blocks.spec, 16, 16, rate=rate), epochs=30.0)
    return trained(session, Arm("start recipe", recipe, 60))


@pytest.fixture
def quick(session: Session) -> Champion:
    """Such a champion, whose rate is sound."""
    return planted(session, 0.05)


def entry_of(session: Session) -> dict[str, Any]:
    """The last comparison that was recorded."""
    entries = session.store.ledger.fact("s", "rounds")
    assert entries is not None
    return entries[-1]


def test_the_recipe_in_full_replaces_its_quick_form(session: Session, quick: Champion) -> None:
    handed_over: list[Champion] = []
    improver = Improver(session, Admission(session, 1.0), handed_over.append, delta=0.01)
    whole = improver.complete(quick)
    assert whole.arm.recipe.shape.members == MEMBERS
    assert whole.arm.steps > LEAST_FACTOR * 60
    assert handed_over == [whole]
    entry = entry_of(session)
    assert entry["accepted"]
    assert entry["subject"].startswith("4 members and ")
    assert entry["verdict"]["difference"] > 0.0
    (decision,) = (d for d in session.store.ledger.decisions("s") if d.stage == "recipe")
    assert decision.choice.endswith("the steps: kept")
    assert decision.measured["gain"] == entry["verdict"]["difference"]


def test_where_members_take_too_long_the_length_alone_is_tried(
    session: Session, quick: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Room, "all_steps", lambda *_: 0)
    handed_over: list[Champion] = []
    improver = Improver(session, Admission(session, 1.0), handed_over.append, delta=0.01)
    longer = improver.complete(quick)
    assert longer.arm.recipe == quick.arm.recipe
    assert longer.arm.steps > LEAST_FACTOR * 60
    assert handed_over == [longer]
    entry = entry_of(session)
    assert entry["accepted"]
    assert entry["slot"] == "own length"
    assert entry["verdict"]["difference"] > 0.0


def test_members_have_to_fit_into_the_time_with_their_final_training(session: Session) -> None:
    recipe = with_members(plain_recipe(session.blocks.spec, 16, 16, rate=0.01))
    room = Room(Admission(session, 1.0))
    assert room.all_steps(Arm("members", recipe, 60), 1.0) == 60
    assert room.all_steps(Arm("members", recipe, 10**8), 1.0) == 0


def test_a_final_training_that_ends_early_leaves_time_for_members(session: Session) -> None:
    recipe = with_members(plain_recipe(session.blocks.spec, 16, 16, rate=0.01))
    room = Room(Admission(session, 1.0))
    most = max(n for n in range(10_000, 10**7, 10_000) if room.all_steps(Arm("m", recipe, n), 1.0))
    assert room.all_steps(Arm("members", recipe, round(1.2 * most)), 1.0) == 0
    assert room.all_steps(Arm("members", recipe, round(1.2 * most)), 0.25)


def test_what_is_in_full_already_is_not_tried_again(session: Session, quick: Champion) -> None:
    recipe = with_members(quick.arm.recipe)
    whole = replace(quick, arm=replace(quick.arm, recipe=recipe))
    assert fuller(session, Admission(session, 1.0), whole, MEMBERS_KEY) is None


@pytest.mark.parametrize("key", FORMS)
@pytest.mark.parametrize("later", LATER)
def test_a_study_that_goes_on_keeps_the_champion_that_was_decided_about(
    session: Session, quick: Champion, key: str, later: str
) -> None:
    admission = Admission(session, 1.0)
    if key == RATE_KEY:
        quick = planted(session, 1e-4)
    session.plan.granted[later] = 1  # what was refused before it is not in a plan that goes on
    assert fuller(session, admission, quick, key) is None
    del session.plan.granted[later]
    assert fuller(session, admission, quick, key) is not None


def test_the_steps_of_the_work_plan_are_repeated(session: Session, quick: Champion) -> None:
    session.plan.granted[f"{MEMBERS_KEY} steps"] = 77
    form = fuller(session, Admission(session, 1.0), quick, MEMBERS_KEY)
    assert form is not None
    assert form.arm.steps == 77


def test_members_that_the_user_does_not_allow_are_not_tried(
    new_session: NewSession, quick: Champion
) -> None:
    one = weight_of(quick.arm.recipe, Inputs(3, 0, (), 1))
    narrow = new_session("narrow", params=one)
    assert fuller(narrow, Admission(narrow, 1.0), quick, MEMBERS_KEY) is None
