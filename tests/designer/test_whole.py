"""What the ideas brought together is measured on blocks that nobody used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conftest import table
from justright.designer.admission import Admission
from justright.designer.session import Arm, Champion, Session
from justright.designer.whole import measure_whole_gain
from justright.designer.work import WorkPlan
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
