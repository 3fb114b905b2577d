"""The race of schedules: side by side, confirmed elsewhere, told as one decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conftest import table
from justright.core.decision import Decision, Status
from justright.designer.improvement.improve import Improver
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session
from justright.ideas.catalogue.schedule import RULE, SCHEDULES
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads
from justright.recipe.recipe import ScheduleSpec
from justright.testing.champions import start_arm, trained
from justright.views.explain import explain_lines
from justright.views.ideas import idea_lines

NewSession = Callable[..., Session]

KEY = "round 1/schedule"


@pytest.fixture
def raced(new_session: NewSession, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A study with time for one round, in which schedules are all that is tried."""
    monkeypatch.setattr(
        "justright.designer.improvement.improve.propose_moves",
        lambda at: propose_moves(at, (RULE,)),
    )
    amounts = {"round 1": 1, f"{KEY}/confirm part": 1, f"{KEY}/confirm": 5}
    amounts |= {f"{KEY}/screen {title}": 1 for title in SCHEDULES.values()}
    return new_session(plan=WorkPlan(granted=amounts, repeat=True), frame=table(700))


def race(session: Session, champion: Champion) -> tuple[Champion, Decision]:
    """The champion after the race, and what was decided."""
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.0)
    improver.follow(Leads(blocks=5))
    after = improver.run(champion)
    (decision,) = (d for d in session.store.ledger.decisions("s") if d.stage == "schedule")
    return after, decision


def hardly_trained(session: Session) -> Champion:
    """A rate that is too low, and falls too soon: a schedule that stays up learns more."""
    arm = start_arm(session, rate=0.002)
    recipe = replace(arm.recipe, schedule=ScheduleSpec("exponential"))
    return trained(session, replace(arm, recipe=recipe))


def test_a_better_schedule_is_found_and_confirmed_on_blocks_that_did_not_choose_it(
    raced: Session,
) -> None:
    champion = hardly_trained(raced)
    after, decision = race(raced, champion)
    name = after.arm.recipe.schedule.name
    assert name in SCHEDULES
    assert decision.choice == f"{SCHEDULES[name]} instead of exponential"
    assert decision.status is Status.MEASURED
    assert "Izmailov" in decision.source
    assert decision.measured["gain on fresh blocks"] > 0
    scores = {title: decision.measured[title] for title in SCHEDULES.values()}
    assert min(scores, key=lambda title: scores[title]) == SCHEDULES[name]
    assert decision.measured["exponential"] > min(scores.values())

    trials = raced.store.trials.list("s")
    own = {trial.spec.seed for trial in champion.trials}
    screened = [t for t in trials if t.spec.stage == f"{KEY}/screen"]
    assert len(screened) == len(SCHEDULES) * len(own)
    assert {trial.spec.seed for trial in screened} == own
    confirmed = {t.spec.seed for t in trials if t.spec.stage == f"{KEY}/confirm"}
    assert confirmed
    assert not confirmed & own

    text = " ".join(explain_lines(raced.store, "s", "schedule"))
    assert decision.choice in text
    listed = "\n".join(idea_lines(raced.store, "s"))
    assert all(title in listed for title in SCHEDULES.values())


def test_the_best_of_several_is_not_taken_on_the_strength_of_the_race(raced: Session) -> None:
    """The champion looks worse in the race than it is: on fresh blocks nothing is better."""
    arm = start_arm(raced, rate=0.0)  # whatever the schedule, nothing is learned
    champion = trained(raced, arm)
    after, decision = race(raced, replace(champion, loss=2 * champion.loss))
    assert after.arm == arm
    assert decision.choice == "four cosine cycles stay"
    assert "fresh" in decision.reason
    assert "gain on fresh blocks" in decision.measured
    assert decision.measured["gain on fresh blocks"] == 0


def test_where_nothing_looks_better_nothing_is_compared(raced: Session) -> None:
    champion = trained(raced, start_arm(raced))
    after, decision = race(raced, replace(champion, loss=0.0))
    assert after.arm == champion.arm
    assert decision.choice == "four cosine cycles stay"
    assert decision.reason.endswith("did not look better by enough to be compared on fresh blocks")
    assert not [t for t in raced.store.trials.list("s") if t.spec.stage.endswith("/confirm")]
