"""A rate that is far off is exchanged before anything rests on it; a sound one is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conftest import NewSession
from justright.core.decision import Decision
from justright.designer.improvement.improve import Improver
from justright.designer.improvement.room import Room
from justright.designer.stages.range_test import FAR, RATE_KEY, far_rate
from justright.designer.stages.rate import find_rate
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.rule import Leads
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe
from justright.training.start import MEMBERS

SOUND = 0.06
"""Within the factor of what the test suggests on this table."""


def champion_at(session: Session, rate: float) -> Champion:
    """A trained one, of a recipe that had all its steps."""
    recipe = replace(plain_recipe(session.blocks.spec, 16, 16, rate=rate), epochs=1.0)
    return trained(session, Arm("start recipe", recipe, 120))


def complete(session: Session, champion: Champion) -> tuple[Champion, list[Champion]]:
    """What the stage makes of a champion, and what it handed over on the way."""
    saved: list[Champion] = []
    improver = Improver(session, Admission(session, 1.0), saved.append, delta=0.01)
    return improver.complete(champion), saved


def told(session: Session) -> list[Decision]:
    return [each for each in session.store.ledger.decisions("s") if each.stage == "rate"]


def range_tests(session: Session) -> int:
    return sum(trial.spec.kind == "range test" for trial in session.store.trials.list("s"))


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_a_rate_far_off_is_exchanged_and_the_rest_follows(session: Session, factor: float) -> None:
    planted = champion_at(session, factor * SOUND)
    found, saved = complete(session, planted)
    rate = found.arm.recipe.optimiser.rate
    assert SOUND / FAR < rate < SOUND * FAR
    assert saved[0].arm.recipe.optimiser.rate == rate
    assert saved[0].loss < planted.loss
    assert found.arm.recipe.shape.members == MEMBERS  # tried after it, as in every study
    (decision,) = told(session)
    assert decision.choice.endswith(": kept")
    assert "mistake" in decision.reason
    assert decision.measured["gain"] > 0.0
    entries = session.store.ledger.fact("s", "rounds") or []
    assert [entry["slot"] for entry in entries] == ["rate", "members"]


def test_a_sound_rate_costs_a_test_and_stays(session: Session) -> None:
    sound = champion_at(session, SOUND)
    count = len(session.store.trials.list("s"))
    assert far_rate(session, sound, Admission(session, 1.0)) is None
    assert len(session.store.trials.list("s")) == count + 1
    (decision,) = told(session)
    assert "not far off" in decision.choice
    assert SOUND / FAR < decision.measured["suggested"] < SOUND * FAR


def test_the_race_that_follows_does_not_test_again(session: Session) -> None:
    sound = champion_at(session, SOUND)
    far_rate(session, sound, Admission(session, 1.0))
    find_rate(session, sound, Admission(session, 1.0), Leads())
    assert (session.store.ledger.fact("s", "rate") or {})["race"]
    assert range_tests(session) == 1


def test_without_time_for_a_race_the_test_is_told(session: Session) -> None:
    sound = champion_at(session, SOUND)
    far_rate(session, sound, Admission(session, 1.0))
    session.plan.granted["rate"] = 0
    find_rate(session, sound, Admission(session, 1.0), Leads())
    reason = (session.store.ledger.fact("s", "rate") or {})["reason"]
    assert reason.startswith("there was no time for a race; the range test alone suggests 0.0")


def test_where_it_is_refused_nothing_is_said(new_session: NewSession) -> None:
    session = new_session(plan=WorkPlan(repeat=True))
    planted = champion_at(session, 0.01 * SOUND)
    found, _ = complete(session, planted)
    assert found.arm.recipe.optimiser.rate == planted.arm.recipe.optimiser.rate
    assert not range_tests(session)
    assert not told(session)


def test_a_repetition_exchanges_it_without_a_clock(new_session: NewSession) -> None:
    session = new_session()
    found, _ = complete(session, champion_at(session, 0.01 * SOUND))
    granted = {key: amount for key, amount in session.plan.granted.items() if "own" in key}
    assert granted[f"{RATE_KEY} test"] == 1
    again = new_session(name="s", plan=WorkPlan(granted, repeat=True))
    repeated, _ = complete(again, champion_at(again, 0.01 * SOUND))
    assert repeated.arm == found.arm
    assert repeated.loss == found.loss


def test_the_test_gives_way_to_members_that_there_is_time_for(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members are worth more on most tables than the check of a rate that is seldom wrong."""
    planted = champion_at(session, 0.01 * SOUND)
    monkeypatch.setattr(Room, "all_steps", lambda self, arm, _: 0 if self.kept_s else arm.steps)
    found, _ = complete(session, planted)
    assert not range_tests(session)
    assert found.arm.recipe.optimiser.rate == planted.arm.recipe.optimiser.rate
    entries = session.store.ledger.fact("s", "rounds") or []
    assert [entry["slot"] for entry in entries] == ["members"]
