"""What is left at the end: what there was no time for before is made up for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from justright.designer.improvement.improve import Improver
from justright.designer.improvement.rest import LEAST_TO_TRY, Rest
from justright.designer.stages.finish import Final, finish
from justright.designer.stages.rate import find_rate
from justright.designer.timing.clock import Clock
from justright.designer.timing.work_plan import ANOTHER_FINAL, LATE, WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.rule import Leads
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]

HOPELESS = 1e-5

OTHERS = {
    f"round {number}/{idea}": 0
    for number in ("1", "1.2")
    for idea in (
        "length/screen 3 × longer",
        "rate/screen rate ÷ 3",
        "rate/screen rate × 3",
        "numbers/screen cosines of numbers",
        "members/screen 8 members",
    )
}
"""Ideas that take long, and are not what these tests are about."""


def begun(new_session: NewSession) -> tuple[Session, Champion]:
    """A study whose champion learns nothing at its rate, and whose rounds are over."""
    session = new_session(plan=WorkPlan())
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=HOPELESS)
    arm = Arm("start recipe", recipe, 150)
    return session, trained(session, arm)


@pytest.fixture(name="study")
def a_study(new_session: NewSession) -> tuple[Session, Champion]:
    return begun(new_session)


def used(session: Session, champion: Champion) -> tuple[Champion, Final]:
    """What `Rest` makes of the time that is left, with a size that is known already."""
    admission = Admission(session, 0.0)
    improver = Improver(session, admission, lambda _: None, delta=0.01)
    improver.follow(Leads(size=(16, 16), blocks=10))
    final = finish(session, champion, admission)
    return Rest(session, improver, admission, 0.01).use(champion, final)


@dataclass(frozen=True)
class Raced:
    """A study whose race of rates was refused at first, and run in the end."""

    session: Session
    champion: Champion
    better: Champion
    final: Final


@pytest.fixture(scope="module")
def raced(shared_session: NewSession) -> Raced:
    session, champion = begun(shared_session)
    session.plan.granted |= {"rate": 0, "round 1/rate/confirm": 5} | OTHERS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("justright.designer.improvement.improve.MOST_ROUNDS", 1)
        return Raced(session, champion, *used(session, champion))


def test_a_race_that_was_refused_is_run_and_its_rate_is_taken_up(raced: Raced) -> None:
    assert raced.session.plan.granted[f"{LATE}rate"] > 0
    assert raced.better.arm.recipe.optimiser.rate > 100 * HOPELESS
    assert raced.final.arm.recipe == raced.better.arm.recipe
    fact = raced.session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["peak"] > 100 * HOPELESS


def test_a_race_that_was_run_is_not_run_again(study: tuple[Session, Champion]) -> None:
    session, champion = study
    session.plan.granted["rate"] = 5
    better, _ = used(session, champion)
    assert f"{LATE}rate" not in session.plan.granted
    assert better is champion


def test_a_study_that_goes_on_races_where_it_did_before(raced: Raced) -> None:
    again = replace(raced.session, plan=raced.session.plan.reopened(600.0))
    assert "rate" not in again.plan.granted
    assert find_rate(again, raced.champion, Admission(again, 0.0), Leads()) == Leads()
    assert again.plan.granted["rate"] == 0


def test_where_no_round_can_follow_no_rate_is_raced(
    study: tuple[Session, Champion], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, champion = study
    session.plan.granted["rate"] = 0
    monkeypatch.setattr("justright.designer.improvement.improve.MOST_ROUNDS", 0)
    assert used(session, champion)[0] is champion
    assert f"{LATE}rate" not in session.plan.granted


@pytest.mark.parametrize(
    ("factor", "kept"), [(LEAST_TO_TRY - 0.5, False), (LEAST_TO_TRY + 0.5, True)]
)
def test_time_for_another_final_training_is_kept_where_a_size_could_still_be_tried(
    factor: float, kept: bool, study: tuple[Session, Champion]
) -> None:
    session, champion = study
    training_s = Admission(session, 0.0).finish_s(champion.arm)
    work_s = factor * max(training_s, 1.0)
    limit_s = session.clock.limit_s
    clock = Clock(time.time() - limit_s + session.clock.report_s + work_s, limit_s)
    arm = replace(champion.arm, steps=round(champion.arm.steps * max(1.0, 1.0 / training_s)))
    late = replace(session, clock=clock)
    admission = Admission(late, 0.0)
    rest = Rest(late, Improver(late, admission, lambda _: None, 0.01), admission, 0.01)
    assert rest._searching(replace(champion, arm=arm)).finishing == kept
    del session.plan.granted[ANOTHER_FINAL]
    small = replace(admission, repeats=True)
    rest = replace(rest, admission=small)
    assert rest._searching(replace(champion, arm=arm)) == small
