"""The stage that searches the size: what it trains, records, repeats and leaves alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from justright.core.trial import Trial
from justright.designer.request.limits import weight_of, with_hidden
from justright.designer.stages.noise import measure_noise, record_rungs
from justright.designer.stages.size import (
    LARGE_SHARES,
    NO_TIME,
    SIZE_SHARES,
    SMALL_BLOCKS,
    SizeStage,
)
from justright.designer.stages.size_plan import key_of
from justright.designer.timing.clock import Clock
from justright.designer.timing.prices import Prices
from justright.designer.timing.work_plan import (
    LATE,
    LIMIT,
    SIZE_BUDGET,
    SIZE_ENDED,
    SIZE_LEFT,
    SIZE_PART,
    WorkPlan,
)
from justright.designer.work.admission import SHORTEST, Admission
from justright.designer.work.blocks import Blocks
from justright.designer.work.session import Arm, Champion, Session, work_a_second
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.sizing.goal import Ask
from justright.sizing.report import JUDGED, SizeReport
from justright.sizing.shapes import name_of
from justright.testing.recipes import plain_recipe
from justright.training.cost import USUAL, Measured
from justright.training.start import with_members

NewSession = Callable[..., Session]

BUDGET = 60
"""Predicted core-seconds: enough for every size within the limit below."""

PARAMS = 6_000
STEPS = 120


def stage_of(session: Session, steps: int = STEPS, *, late: bool = False) -> SizeStage:
    recipe = plain_recipe(session.blocks.spec, 32, batch=64)
    champion = Champion(Arm("start recipe", recipe, steps), (), 0.5)
    return SizeStage(session, champion, Admission(session, 1.0), delta=0.05, late=late)


def plan(budget: int = BUDGET) -> WorkPlan:
    return WorkPlan(granted={SIZE_BUDGET: budget})


def searched(session: Session) -> tuple[SizeStage, SizeReport]:
    stage = stage_of(session)
    report = stage.run()
    assert report is not None
    return stage, report


def search(session: Session) -> SizeReport:
    return searched(session)[1]


@dataclass(frozen=True)
class Found:
    """A study, the stage that searched its size, and what it found."""

    session: Session
    stage: SizeStage
    report: SizeReport


@pytest.fixture(scope="module")
def found(shared_session: NewSession) -> Found:
    session = shared_session(plan=plan(), params=PARAMS)
    return Found(session, *searched(session))


def copied(session: Session) -> Session:
    """The same study with a plan of its own."""
    return replace(session, plan=replace(session.plan, granted=dict(session.plan.granted)))


def end_of(trial: Trial) -> int:
    """Step at which a training ended."""
    return int(trial.result["steps"])


def done(session: Session) -> dict[str, object]:
    return {trial.spec.id: trial.result for trial in session.store.trials.list(session.name)}


def test_it_hands_over_a_verdict_within_the_users_limit(found: Found) -> None:
    session, report = found.session, found.report
    spec = session.blocks.spec
    inputs = session.blocks.inputs(session.blocks.block(0, spec))
    weights = {row.hidden: row.weights for row in report.rows}
    assert report.chosen in weights
    assert len(weights) >= 3
    assert all(
        own == weight_of(with_hidden(Recipe(), hidden), inputs) <= PARAMS
        for hidden, own in weights.items()
    )
    fact = session.store.ledger.fact("s", "size")
    assert fact is not None
    assert tuple(fact["chosen"]) == report.chosen
    decision, able = session.store.ledger.decisions("s")
    assert able.stage == "able to overfit"
    assert (name_of(report.able) in able.choice) if report.able else ("no size" in able.choice)
    assert decision.stage == "size"
    assert decision.choice == report.sentence
    assert decision.measured["weights"] == weights[report.chosen]


def test_what_chose_does_not_confirm(found: Found) -> None:
    session = found.session
    assert found.report.confirmed
    trained = session.store.trials.list("s")
    stages = {
        name: {trial.spec.seed for trial in trained if trial.spec.stage == f"size/{name}"}
        for name in ("ladder", "length", "shape", "confirm")
    }
    assert stages["confirm"]
    assert stages["confirm"].isdisjoint(stages["ladder"] | stages["length"] | stages["shape"])
    blocks, spec = session.blocks, session.blocks.spec
    known = {blocks.block(number, spec).seed for number in range(found.stage.blocks_seen)}
    assert {trial.spec.seed for trial in trained} <= known


def test_the_same_runs_measure_the_noise(found: Found) -> None:
    assert found.stage.shows_noise
    noise = found.session.store.ledger.fact("s", "noise")
    assert noise is not None
    full = [row for row in found.report.rows if row.word in JUDGED]
    assert sorted(noise["sizes"]) == sorted(row.name for row in full)
    trained = sum(row.blocks for row in full)
    assert len(noise["losses"]) == trained
    blocks = len({place for place, _ in noise["losses"]})
    assert noise["df"] == trained - len(full) - blocks + 1
    assert 0.0 < noise["seed_sd"] < 0.5


@pytest.mark.parametrize(("blocks", "recorded"), [(2, False), (3, True)])
def test_so_few_runs_that_repeats_say_more_record_no_noise(
    blocks: int, recorded: bool, session: Session
) -> None:
    losses = np.random.default_rng(0).normal(size=(2, blocks))
    shown = record_rungs(session, {(16,): losses[0], (32,): losses[1]}, 3, members=1)
    assert shown == recorded
    assert (session.store.ledger.fact("s", "noise") is not None) == recorded


def test_without_a_search_the_champion_is_repeated(new_session: NewSession) -> None:
    session = new_session(plan=plan(budget=0), params=PARAMS)
    stage = stage_of(session)
    assert stage.run() is None
    assert not stage.shows_noise
    recipe = plain_recipe(session.blocks.spec, 32, batch=64)
    champion = Champion(Arm("start recipe", recipe, STEPS), (), 0.5)
    measure_noise(session, champion, Admission(session, 1.0))
    found = session.store.ledger.fact("s", "noise")
    assert found is not None
    assert "sizes" not in found
    assert {trial.spec.stage for trial in session.store.trials.list("s")} == {"noise"}


def test_a_second_run_finds_everything_stored(found: Found) -> None:
    before = done(found.session)
    assert str(search(copied(found.session))) == str(found.report)
    assert done(found.session) == before


def test_members_are_searched_for_as_the_network_without_them(found: Found) -> None:
    session, before = copied(found.session), done(found.session)
    recipe = with_members(plain_recipe(session.blocks.spec, 32, batch=64))
    assert recipe.shape.members > 1
    champion = Champion(Arm("start recipe", recipe, STEPS), (), 0.5)
    report = SizeStage(session, champion, Admission(session, 1.0), delta=0.05).run()
    assert report is not None
    said = [(row.name, row.loss, row.word) for row in report.rows]
    assert said == [(row.name, row.loss, row.word) for row in found.report.rows]
    assert report.chosen == found.report.chosen
    assert done(session) == before


def test_a_work_plan_repeats_the_search_without_asking_the_clock(
    found: Found, new_session: NewSession
) -> None:
    repeated = WorkPlan(granted=dict(found.session.plan.granted), repeat=True)
    again = new_session("again", plan=repeated, params=PARAMS)
    assert str(search(again)) == str(found.report)  # nan is no equal of itself
    assert sorted(map(str, done(again))) == sorted(map(str, done(found.session)))


def test_a_budget_too_small_for_an_answer_buys_nothing(new_session: NewSession) -> None:
    session = new_session(plan=plan(budget=0), params=PARAMS)
    assert stage_of(session).run() is None
    assert not done(session)
    reason = (session.store.ledger.fact("s", "size") or {})["reason"]
    assert reason.startswith(f"{NO_TIME}: it takes ")
    assert ", and 0.0 core-seconds could be spared; --time " in reason
    assert reason.endswith(" may allow it")
    assert session.plan.granted["size search"] == session.plan.granted[SIZE_BUDGET] == 0


@pytest.mark.parametrize("part", [3, 9])
def test_a_search_at_a_part_of_the_length_says_so_and_can_be_gone_on_with_in_full(
    part: int, new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("justright.designer.stages.size_plan.SHORTEST", 25)
    monkeypatch.setattr(Blocks, "fixed_holdout", property(lambda self: part == 9))
    steps = 270
    granted = {LIMIT: 60, SIZE_BUDGET: BUDGET, SIZE_PART: part}
    session = new_session(plan=WorkPlan(granted=granted), params=PARAMS)
    report = stage_of(session, steps).run()
    assert report is not None
    assert report.part == part
    assert f"at 1/{part} of the length" in report.sentence
    assert max(end_of(trial) for trial in session.store.trials.list("s")) == steps // part
    begun = {(t.spec.subject, t.spec.seed) for t in session.store.trials.list("s")}
    plan = session.plan.reopened(1e6)
    assert SIZE_PART not in plan.granted
    again = stage_of(replace(session, plan=plan), steps).run()
    assert again is not None
    assert again.part == plan.granted[SIZE_PART] == 1
    assert "of the length" not in again.sentence
    trials = session.store.trials.list("s")
    assert max(end_of(trial) for trial in trials) == steps
    assert {row.hidden for row in report.rows} <= {row.hidden for row in again.rows}
    longer = {(t.spec.subject, t.spec.seed) for t in trials if end_of(t) == steps}
    assert begun & longer, "with the same seeds, so that trunks are gone on with"
    assert all(row.share == 1.0 for row in again.rows if row.word in JUDGED)


def test_a_refused_search_leaves_no_length_behind(new_session: NewSession) -> None:
    """The next run of the study has time of its own, and chooses the length by it."""
    granted = {SIZE_BUDGET: 0, SIZE_PART: 3, LATE + SIZE_PART: 3}
    session = new_session(plan=WorkPlan(granted=granted), params=PARAMS)
    assert stage_of(session, 3 * SHORTEST).run() is None
    assert SIZE_PART not in session.plan.reopened(600.0).granted
    assert LATE + SIZE_PART in session.plan.granted
    asked = key_of(Ask((16,), (0, 1), 1.0, "length"), 1)
    stale = WorkPlan(granted={SIZE_PART: 3, SIZE_BUDGET: 9, asked: 1})
    assert stage_of(replace(session, plan=stale), 3 * SHORTEST).goal.part == 1


def test_a_study_that_goes_on_searches_where_it_did_before(new_session: NewSession) -> None:
    """Its rounds rest on there having been no search before them."""
    granted = {SIZE_BUDGET: 0, "size search": 0, LATE + SIZE_BUDGET: BUDGET}
    session = new_session(plan=WorkPlan(granted=granted), params=PARAMS)
    assert stage_of(session, late=True).run() is not None
    plan = session.plan.reopened(600.0)
    assert "size search" not in plan.granted
    plan.granted[SIZE_BUDGET] = BUDGET
    again = stage_of(replace(session, plan=plan))
    assert again.run() is None
    assert again.blocks_seen == max(session.blocks.first) + 1
    assert plan.granted["size search"] == 0


def test_the_most_that_a_search_may_take_of_what_is_left(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A budget is a share of the time left; without a final training to come, all of it."""
    budgets = {}
    for large in (False, True):
        for finishing in (True, False):
            session = new_session(f"{large} {finishing}", plan=WorkPlan(), params=PARAMS)
            monkeypatch.setattr(Blocks, "fixed_holdout", property(lambda _, large=large: large))
            recipe = plain_recipe(session.blocks.spec, 32, batch=64)
            champion = Champion(Arm("start recipe", recipe, 10**9), (), 0.5)
            admission = replace(Admission(session, 1.0), finishing=finishing)
            stage = SizeStage(session, champion, admission, delta=0.05)
            left = admission.left(champion)
            usable = work_a_second(session.crew.capacity)
            budgets[large, finishing] = stage.goal.budget / (left * usable)
    assert budgets[False, True] == pytest.approx(SIZE_SHARES[-1], rel=0.05)
    assert budgets[True, True] == pytest.approx(LARGE_SHARES[-1], rel=0.05)
    assert budgets[False, False] == pytest.approx(1.0, rel=0.05)
    assert budgets[True, False] == pytest.approx(1.0, rel=0.05)


def test_what_was_begun_in_full_is_not_left_for_a_third(new_session: NewSession) -> None:
    session = new_session(plan=plan(), params=PARAMS)
    stage = stage_of(session, 3 * SHORTEST)
    assert stage._parts() == (1, 3)
    session.plan.granted[key_of(Ask((16,), (0, 1), 1.0, "length"), 1)] = 1
    assert stage._parts() == (1,)


def test_under_a_longer_limit_the_new_budget_comes_on_top_of_what_was_spent(
    new_session: NewSession,
) -> None:
    """Nothing was trained twice, so what was spent before must not be taken off again."""
    session = new_session(plan=WorkPlan(granted={LIMIT: 600}), params=PARAMS)
    stage_of(session).run()
    session.prices.fixed = [1.0]  # dear enough to stand out from what is rounded
    stages, left = {}, {}
    for name, granted in (("fresh", {}), ("gone on with", session.plan.reopened(1e6).granted)):
        other = replace(session, plan=WorkPlan(granted=dict(granted)))
        stages[name] = stage_of(other)
        left[name] = other.plan.granted[SIZE_LEFT]
    fresh, further = stages["fresh"], stages["gone on with"]
    spent = further._spent_before(further.goal)
    assert spent > 0.1 * fresh.goal.budget
    by_second = fresh.goal.budget / left["fresh"]
    assert further.goal.budget - spent == pytest.approx(by_second * left["gone on with"], rel=0.02)


def test_a_search_that_ended_asks_for_nothing_new_when_the_study_goes_on(found: Found) -> None:
    session, before = copied(found.session), done(found.session)
    assert session.plan.granted[SIZE_ENDED] == 1
    session.plan.granted[SIZE_BUDGET] = 100 * BUDGET  # as if everything were cheaper today
    assert search(session).chosen == found.report.chosen
    assert done(session) == before


def test_the_limit_for_a_larger_size_is_the_same_when_the_study_goes_on(
    new_session: NewSession,
) -> None:
    class Steady(Prices):
        """Of a machine that is as fast as it is said to be: the budget is in its seconds."""

        def learn(self, done: Measured, inputs: Inputs, steps: int, fixed_s: float) -> None:
            pass

    session = replace(new_session(), prices=Steady(USUAL))
    began = replace(session, clock=Clock(time.time() - 200.0, 600.0))
    began.plan.granted[LIMIT] = 600
    began.plan.granted[SIZE_BUDGET] = 1
    report = search(began)
    assert report.untested
    assert report.time.endswith("m")
    assert int(report.time[:-1]) > 10
    later = replace(began, clock=Clock(time.time(), 600.0), plan=began.plan.reopened(600.0))
    assert search(later).time == report.time
    assert len(began.store.ledger.decisions("s")) == 2


def test_blocks_that_are_still_to_be_encoded_are_taken_off_the_budget(
    new_session: NewSession,
) -> None:
    budgets = {}
    for encode_s in (0.0, 10.0):
        session = new_session(f"{encode_s:g}")
        session.blocks.block(0, session.blocks.spec)
        session.blocks.latest_encode_s = encode_s
        stage_of(session)
        budgets[encode_s] = session.plan.granted[SIZE_BUDGET]
    missing = sum(SMALL_BLOCKS) - 1
    expected = missing * 10.0 * work_a_second(session.crew.capacity)
    assert budgets[0.0] - budgets[10.0] == pytest.approx(expected, abs=10.0)
