"""What is left at the end: what there was no time for before is made up for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from justright.designer.admission import Admission
from justright.designer.finish import Final, finish
from justright.designer.improve import Improver
from justright.designer.moves import Leads
from justright.designer.rate import find_rate
from justright.designer.rest import Rest
from justright.designer.session import Arm, Champion, Session, results
from justright.designer.work import LATE, WorkPlan
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]

HOPELESS = 1e-5


@pytest.fixture(name="study")
def a_study(new_session: NewSession) -> tuple[Session, Champion]:
    """A study whose champion learns nothing at its rate, and whose rounds are over."""
    session = new_session(plan=WorkPlan())
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=HOPELESS)
    arm = Arm("start recipe", recipe, 300)
    blocks = [session.blocks.block(n, session.blocks.spec) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    return session, Champion(arm, own, session.measure(own))


def used(session: Session, champion: Champion) -> tuple[Champion, Final]:
    """What `Rest` makes of the time that is left, with a size that is known already."""
    admission = Admission(session, 0.0)
    improver = Improver(session, admission, lambda _: None, delta=0.01)
    leads = Leads(size=(16, 16), blocks=10)
    improver.follow(leads)
    final = finish(session, champion, admission)
    return Rest(session, improver, admission, 0.01).use(champion, final, leads)


def test_a_race_that_was_refused_is_run_and_its_rate_is_taken_up(
    study: tuple[Session, Champion],
) -> None:
    session, champion = study
    session.plan.granted["rate"] = 0
    better, final = used(session, champion)
    assert session.plan.granted[f"{LATE}rate"] > 0
    assert better.arm.recipe.optimiser.rate > 100 * HOPELESS
    assert final.arm.recipe == better.arm.recipe
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["peak"] > 100 * HOPELESS


def test_a_race_that_was_run_is_not_run_again(study: tuple[Session, Champion]) -> None:
    session, champion = study
    session.plan.granted["rate"] = 5
    better, _ = used(session, champion)
    assert f"{LATE}rate" not in session.plan.granted
    assert better is champion


def test_a_study_that_goes_on_races_where_it_did_before(study: tuple[Session, Champion]) -> None:
    session, champion = study
    session.plan.granted["rate"] = 0
    used(session, champion)
    again = session.plan.reopened(600.0)
    assert "rate" not in again.granted
    session.plan.granted = again.granted
    assert find_rate(session, champion, Admission(session, 0.0)) is None
    assert session.plan.granted["rate"] == 0


def test_where_no_round_can_follow_no_rate_is_raced(
    study: tuple[Session, Champion], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, champion = study
    session.plan.granted["rate"] = 0
    monkeypatch.setattr("justright.designer.improve.MOST_ROUNDS", 0)
    assert used(session, champion)[0] is champion
    assert f"{LATE}rate" not in session.plan.granted
