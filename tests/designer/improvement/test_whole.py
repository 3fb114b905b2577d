"""What the ideas brought together is measured on blocks that nobody used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from conftest import table
from justright.designer.delivery.repeats import MOST_REPETITIONS, _Prices
from justright.designer.improvement.whole import measure_whole_gain
from justright.designer.timing.clock import Clock, report_reserve
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]
USED = 40


def champion(session: Session, subject: str, rate: float) -> Champion:
    arm = Arm(subject, plain_recipe(session.blocks.spec, 16, 16, rate=rate), 200)
    return trained(session, arm)


@pytest.fixture(name="study", params=[400, 26_000])
def a_study(new_session: NewSession, request: pytest.FixtureRequest) -> Session:
    plan = WorkPlan({"whole gain/confirm part": 1, "whole gain/confirm": 5}, repeat=True)
    return new_session(plan=plan, frame=table(request.param))


def test_a_gain_is_found_on_fresh_blocks_only(study: Session) -> None:
    before, after = champion(study, "start recipe", 1e-5), champion(study, "rate × 1000", 0.01)
    seen = {trial.spec.partition for trial in study.store.trials.list("s")}
    measure_whole_gain(study, before, after, Admission(study, 1.0), USED)
    fact = study.store.ledger.fact("s", "whole gain")
    assert fact is not None
    assert fact["word"] == "better"
    assert 0 < fact["low"] < fact["difference"] < fact["high"]
    fresh = {
        trial.spec.partition
        for trial in study.store.trials.list("s")
        if trial.spec.stage.startswith("whole gain")
    }
    assert len(fresh) == fact["blocks"] == 5
    assert seen.isdisjoint(fresh)


def test_without_an_accepted_idea_there_is_nothing_to_measure(study: Session) -> None:
    before = champion(study, "start recipe", 0.01)
    count = len(study.store.trials.list("s"))
    measure_whole_gain(study, before, before, Admission(study, 1.0), USED)
    assert study.store.ledger.fact("s", "whole gain") is None
    assert len(study.store.trials.list("s")) == count


def test_without_time_nothing_is_claimed(new_session: NewSession) -> None:
    session = new_session(plan=WorkPlan(repeat=True))
    before, after = champion(session, "start recipe", 1e-5), champion(session, "better", 0.01)
    measure_whole_gain(session, before, after, Admission(session, 1.0), USED)
    assert session.store.ledger.fact("s", "whole gain") is None


def left_with(session: Session, seconds: float) -> Session:
    """The study when there are so many seconds of work left."""
    limit_s = session.clock.limit_s
    left = seconds + report_reserve(session.clock.slow.factor, limit_s)
    return replace(session, clock=Clock(time.time() + left - limit_s, limit_s, session.clock.slow))


def longer(champion: Champion, steps: int) -> Champion:
    """The champion as if it had had more steps."""
    return replace(champion, arm=replace(champion.arm, steps=steps))


@pytest.mark.parametrize("rows", [400, 26_000])
def test_from_the_first_change_on_time_is_kept_for_it(new_session: NewSession, rows: int) -> None:
    session = new_session(frame=table(rows))
    before = longer(champion(session, "start recipe", 1e-5), 5_000)
    after = longer(champion(session, "rate × 1000", 0.01), 5_000)
    admission = Admission(session, 0.0)
    knows = replace(admission, before=before.arm)
    least = admission.reserve_s(before)
    assert knows.reserve_s(before) == pytest.approx(least)
    kept = knows.reserve_s(after) - admission.reserve_s(after)
    assert kept == pytest.approx(knows.whole_s(after.arm))
    assert kept > 0.5
    # what is tried beside the start recipe need not bring the time of its own measure
    assert knows.left(before, after.arm) == pytest.approx(
        admission.left(before, after.arm), abs=0.1
    )


def test_what_is_kept_is_enough_and_no_less_would_be(new_session: NewSession) -> None:
    session = new_session()
    before = longer(champion(session, "start recipe", 1e-5), 1_500)
    after = longer(champion(session, "better", 0.01), 1_500)
    kept = Admission(session, 0.0, before=before.arm).whole_s(after.arm)
    for share, measured in ((0.6, False), (1.1, True)):
        then = left_with(session, TEST_S + share * kept)
        measure_whole_gain(then, before, after, Admission(then, 0.0), USED)
        found = session.store.ledger.fact("s", "whole gain") is not None
        assert found is measured
        session.plan.granted.clear()


def test_nothing_is_kept_for_what_would_take_most_of_the_time(session: Session) -> None:
    before, after = champion(session, "start recipe", 1e-5), champion(session, "better", 0.01)
    admission = Admission(session, 0.0, before=longer(before, 10**8).arm)
    assert admission.whole_s(after.arm) == 0.0


def test_the_first_repetition_of_the_headline_comes_before_it_and_the_others_after(
    session: Session,
) -> None:
    arm = longer(champion(session, "better", 0.01), 2_000).arm
    admission, left = Admission(session, 0.0, repeats=True), session.clock.work_left_s

    def most(later_s: float) -> int:
        return _Prices(session, admission, arm, {}, later_s).most([])

    assert most(0.0) == MOST_REPETITIONS
    assert most(left - TEST_S - 2.5 * admission.repeat_s(arm, 0.0)) == 2
    assert most(2.0 * left) == 1


def test_it_says_at_which_part_of_the_length(new_session: NewSession) -> None:
    plan = WorkPlan({"whole gain/confirm part": 3, "whole gain/confirm": 5}, repeat=True)
    session = new_session(plan=plan)
    before, after = (
        replace(own, arm=replace(own.arm, steps=900))
        for own in (champion(session, "start recipe", 1e-5), champion(session, "better", 0.01))
    )
    measure_whole_gain(session, before, after, Admission(session, 1.0), USED)
    (decision,) = session.store.ledger.decisions("s")
    assert "at 1/3 of the length" in decision.reason
