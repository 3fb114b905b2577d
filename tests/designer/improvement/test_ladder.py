"""The ladder of ideas: a third of the length first, all of it for what is promising there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from conftest import table
from justright.core.idea import Idea, Prediction
from justright.designer.improvement.improve import Improver
from justright.designer.improvement.ladder import (
    LOWER,
    PROMISING,
    Climb,
    climb,
    climb_s,
    has_lower_rung,
    tries_s,
)
from justright.designer.improvement.screening import (
    Screened,
    Tried,
    _price_s,
    admitted,
    is_known,
    is_passed_over,
)
from justright.designer.timing.clock import Clock
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission, shortened
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads, Move, Proposal, Rule
from justright.ideas.stage import Stage
from justright.recipe.recipe import OptimiserSpec
from justright.testing.champions import start_arm, trained

NewSession = Callable[..., Session]

STEPS = 600
GOOD, BAD = 0.02, 1e-5
LIMIT_S = 600.0


def long_arm(session: Session, rate: float = 0.001) -> Arm:
    return replace(start_arm(session, rate), steps=STEPS)


def idea(champion: Champion, title: str, rate: float, slot: str, length: float = 1.0) -> Tried:
    recipe = replace(champion.arm.recipe, optimiser=OptimiserSpec(rate=rate))
    made = Idea(title, slot, {}, Prediction(0.5, (0.1, 0.2, 0.3), 1.0), "s", "a", Stage.TRAINING)
    arm = Arm(title, recipe, round(length * champion.arm.steps))
    return Tried(Move(made, recipe, length), arm, f"round 1/{slot}", title)


def climbed(session: Session, champion: Champion, *tried: Tried) -> Climb:
    return climb(session, Admission(session, 1.0), champion, tried, lambda each: each.gain > 0.0)


def steps_of(session: Session, title: str) -> list[int]:
    """Lengths of an arm's trainings on one block, shortest first."""
    trials = [t for t in session.store.trials.list("s") if t.spec.subject == title]
    return sorted({int(trial.result["steps"]) for trial in trials})


def titles(found: tuple[Screened, ...]) -> list[str]:
    return [each.tried.move.idea.title for each in found]


def test_only_what_is_ahead_at_a_third_is_trained_in_full(session: Session) -> None:
    champion = trained(session, long_arm(session))
    good, bad = idea(champion, "good", GOOD, "a"), idea(champion, "bad", BAD, "b")
    seen = climbed(session, champion, bad, good)
    assert titles(seen.thirds) == ["good", "bad"]
    assert titles(seen.found) == ["good"]
    assert titles(seen.ended) == ["bad"]
    assert not seen.refused
    assert steps_of(session, "good") == [STEPS // 3, STEPS]
    assert steps_of(session, "bad") == [STEPS // 3]
    (third, _), (whole,) = seen.thirds, seen.found
    assert (third.part, whole.part) == (3, 1)
    assert whole.base == champion.loss != third.base
    assert third.gain > 0.0 > seen.ended[0].gain


def test_the_champion_is_trained_and_paid_for_at_a_third_once(session: Session) -> None:
    champion, admission = trained(session, long_arm(session)), Admission(session, 1.0)
    bad, worse = idea(champion, "bad", BAD, "b"), idea(champion, "worse", BAD / 10, "c")
    assert not is_known(session, champion.arm, 3)
    climbed(session, champion, bad)
    assert is_known(session, champion.arm, 3)
    before = {trial.spec.id for trial in session.store.trials.list("s")}
    known_s = tries_s(admission, [worse], champion)
    climbed(session, champion, worse)
    new = [t for t in session.store.trials.list("s") if t.spec.id not in before]
    assert {trial.spec.subject for trial in new} == {"worse"}
    assert len(new) == len(session.blocks.first)
    assert steps_of(session, "start recipe") == [STEPS // 3, STEPS]
    other = replace(champion, arm=replace(champion.arm, steps=STEPS + 3))
    assert tries_s(admission, [worse], other) > 1.15 * known_s


def test_a_third_that_is_known_from_an_earlier_round_is_not_paid_for_again(
    session: Session,
) -> None:
    champion, admission = trained(session, long_arm(session)), Admission(session, 1.0)
    bad = idea(champion, "bad", BAD, "b")
    before = _price_s(admission, champion, [bad], [champion.arm], LOWER)
    climbed(session, champion, bad)
    after = _price_s(admission, champion, [bad], [champion.arm], LOWER)
    assert after == pytest.approx(admission.screen_s(bad.arm, champion, 0.0))
    assert before > after


def test_of_a_slot_only_the_best_climbs_on(session: Session) -> None:
    champion = trained(session, long_arm(session))
    first, second = idea(champion, "good", GOOD, "a"), idea(champion, "fair", 0.002, "a")
    seen = climbed(session, champion, first, second)
    assert min(each.gain for each in seen.thirds) > 0.0
    assert titles(seen.found) == ["good"]
    assert titles(seen.ended) == ["fair"]


@pytest.mark.parametrize(("length", "steps"), [(2.0, STEPS), (1.0, 390)])
def test_another_length_and_short_runs_have_no_lower_rung(
    length: float, steps: int, session: Session
) -> None:
    champion = trained(session, replace(long_arm(session), steps=steps))
    seen = climbed(session, champion, idea(champion, "bad", BAD, "b", length))
    assert titles(seen.found) == ["bad"]
    assert seen.thirds == seen.ended == ()
    assert steps_of(session, "bad") == [round(length * steps)]


def test_what_has_time_for_a_third_only_waits_with_what_it_showed(new_session: NewSession) -> None:
    amounts = {"round 1/a/third good": 1}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = trained(session, long_arm(session))
    good, fair = idea(champion, "good", GOOD, "a"), idea(champion, "fair", 0.002, "a")
    seen = climbed(session, champion, good, fair)
    assert [each.move.idea.title for each in seen.refused] == ["good", "fair"]
    assert titles(seen.thirds) == ["good"]
    assert seen.found == seen.ended == ()
    assert steps_of(session, "fair") == []  # no time for a third is none for all of it


def test_where_no_third_fits_one_idea_may_still_be_trained_in_full(
    new_session: NewSession,
) -> None:
    amounts = {"round 1/a/screen good": 1}
    amounts |= {"round 1/a/third good": 0, "round 1/b/third bad": 0}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = trained(session, long_arm(session))
    good, bad = idea(champion, "good", GOOD, "a"), idea(champion, "bad", BAD, "b")
    seen = climbed(session, champion, good, bad)
    assert titles(seen.found) == ["good"]
    assert [each.move.idea.title for each in seen.refused] == ["bad"]
    assert steps_of(session, "good") == [STEPS]
    assert is_passed_over("round 1/a/third good", session.plan.granted)
    assert not is_passed_over("round 1/b/third bad", session.plan.granted)
    again = session.plan.reopened(LIMIT_S)  # a study that goes on trains the same
    hence = replace(session, plan=again)
    assert titles(climbed(hence, champion, good).found) == ["good"]
    assert "round 1/a/third good" not in again.granted


def test_an_idea_is_admitted_only_if_there_is_time_for_its_whole_climb(session: Session) -> None:
    champion = Champion(replace(long_arm(session), steps=100_000), (), 1.0)
    tried = idea(champion, "good", GOOD, "a")
    fits = []
    for left_s in range(600, 0, -10):
        clock = Clock(time.time() - LIMIT_S + left_s, LIMIT_S)
        hurried = replace(session, clock=clock, plan=WorkPlan())
        admission = Admission(hurried, 1.0)
        run = admitted(hurried, admission, champion, [tried], 3)
        left = admission.left(champion, tried.arm)
        after = admission.screen_s(tried.arm, champion, 0.0)
        third = admission.costs.both(
            shortened(tried.arm, 3), shortened(champion.arm, 3), len(session.blocks.first), 5
        )
        fits.append((bool(run), after <= left, third <= left))
        assert bool(run) == (third + after <= left)
    assert fits[0] == (True, True, True)
    assert (False, False, True) in fits
    assert (False, True, True) in fits
    assert not fits[-1][0]


def test_what_is_refused_for_its_price_takes_no_time_from_the_others(session: Session) -> None:
    """The final training of a network so wide would take all that is left."""
    champion = trained(session, long_arm(session))
    good, dear = idea(champion, "good", GOOD, "a"), idea(champion, "dear", GOOD, "b")
    shape = replace(dear.arm.recipe.shape, hidden=(8192, 8192))
    recipe = replace(dear.arm.recipe, shape=shape)
    dear = replace(
        dear, arm=replace(dear.arm, recipe=recipe), move=replace(dear.move, recipe=recipe)
    )
    hurried = replace(session, clock=Clock(time.time() - LIMIT_S + 120.0, LIMIT_S))
    assert Admission(hurried, 1.0).left(champion, dear.arm) < 0.0
    seen = climbed(hurried, champion, good, dear)
    assert titles(seen.found) == ["good"]
    assert [each.move.idea.title for each in seen.refused] == ["dear"]


def test_an_idea_that_fails_hides_nothing_of_the_others(session: Session) -> None:
    champion = trained(session, long_arm(session))
    wild, good = idea(champion, "wild", 1e30, "a"), idea(champion, "good", GOOD, "b")
    seen = climbed(session, champion, wild, good)
    assert titles(seen.thirds) == titles(seen.found) == ["good"]
    assert seen.ended == seen.refused == ()


def test_where_the_champion_fails_at_a_third_ideas_are_trained_in_full(session: Session) -> None:
    wild = long_arm(session, rate=1e30)
    champion = replace(trained(session, wild), loss=1.0)
    seen = climbed(session, champion, idea(champion, "good", GOOD, "b"))
    assert titles(seen.found) == ["good"]
    assert seen.thirds == seen.ended == seen.refused == ()


def test_a_plan_that_grants_all_of_the_length_needs_no_third(session: Session) -> None:
    """As a study has it that went on since it knew no lower rung."""
    session.plan.granted |= {"round 1/b/screen bad": 1}
    champion = trained(session, long_arm(session))
    seen = climbed(session, champion, idea(champion, "bad", BAD, "b"))
    assert titles(seen.found) == ["bad"]
    assert steps_of(session, "bad") == [STEPS]
    session.plan.granted |= {"round 1/c/third worse": 1, "round 1/c/screen worse": 1}
    seen = climbed(session, champion, idea(champion, "worse", BAD / 10, "c"))
    assert titles(seen.ended) == ["worse"]


def test_the_second_of_a_slot_waits_while_the_best_has_no_result_in_full(
    new_session: NewSession,
) -> None:
    amounts = {"round 1/a/third good": 1, "round 1/a/third fair": 1, "round 1/a/third bad": 1}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = trained(session, long_arm(session))
    rates = {"good": GOOD, "fair": 0.002, "bad": BAD}
    tried = [idea(champion, title, rate, "a") for title, rate in rates.items()]
    seen = climbed(session, champion, *tried)
    assert [seen.settles(each) for each in seen.ended] == [False, True]
    session.plan.granted["round 1/a/screen good"] = 1
    seen = climbed(session, champion, *tried)
    assert [seen.settles(each) for each in seen.ended] == [True, True]


def test_a_rung_spares_what_it_is_for(session: Session) -> None:
    admission, old = Admission(session, 1.0), long_arm(session)
    longer = replace(old, steps=2 * STEPS)
    assert has_lower_rung(old, old)
    assert not has_lower_rung(longer, old)
    champion = Champion(old, (), 1.0)
    blocks, same = len(session.blocks.first), idea(champion, "same", GOOD, "a")
    short, fewest = shortened(old, LOWER), admission.looks[-1]
    fresh = 2 * PROMISING * admission.costs.work(short, fewest, 1)
    assert climb_s(admission, same, old) - fresh < 0.75 * admission.costs.work(old, blocks, 1)
    # another length is trained in full at once
    assert climb_s(admission, replace(same, arm=longer), old) > admission.costs.work(
        longer, blocks, 1
    )
    # a light idea beside a heavy champion is not cheap: both are trained on fresh blocks
    dear = replace(old, steps=10 * STEPS)
    assert climb_s(admission, same, dear) - climb_s(admission, same, old) > fresh
    tried = [idea(champion, title, GOOD, title) for title in "abc"]
    one, three = (tries_s(admission, chosen, champion) for chosen in (tried[:1], tried))
    assert 2 * one < three < 3 * one  # the champion's third is paid for once
    assert tries_s(admission, [replace(tried[0], arm=longer)], champion) > 1.5 * one


def test_a_study_says_where_on_the_ladder_an_idea_ended(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {"good": GOOD, "bad": BAD, "early": 0.005}
    rules = tuple(
        Rule(
            title,
            Stage.TRAINING,
            "assumption",
            lambda _, title=title: [
                Proposal(title, {"optimiser.rate": rates[title]}, 0.5, (0.01, 0.1, 0.2))
            ],
        )
        for title in rates
    )
    monkeypatch.setattr(
        "justright.designer.improvement.improve.propose_moves", lambda at: propose_moves(at, rules)
    )
    monkeypatch.setattr("justright.ideas.value.EXPLORED", 0.0)  # the order is that of names
    amounts = {"round 1": 1, "round 1/good/screen good": 1}
    amounts |= {f"round 1/{title}/third {title}": 1 for title in rates}
    amounts |= {"round 1/good/confirm part": 1, "round 1/good/confirm": 5}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True), frame=table(700))
    champion = trained(session, long_arm(session))
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.0)
    improver.follow(Leads(blocks=5))
    better = improver.run(champion)
    assert better.arm.recipe.optimiser.rate == GOOD
    assert better.arm.steps == STEPS
    assert {int(trial.result["steps"]) for trial in better.trials} == {STEPS}
    assert improver.refused
    verdicts = {r.idea.title: r.verdicts[-1] for r in session.store.ideas.list("s")}
    assert verdicts["good"].word == "better"
    assert verdicts["bad"].word == "not better"
    assert verdicts["bad"].evidence["part of the length"] == pytest.approx(1 / 3)
    assert verdicts["early"].word == "not run"
    assert verdicts["early"].evidence["gain at a third"] > 0.0
    left = [d for d in session.store.ledger.decisions("s") if "first look" in d.choice]
    assert [each.choice for each in left] == ["left out after a first look: bad"]
    assert "a third of the length" in left[0].reason


def test_what_is_lighter_pays_for_a_confirmation_in_full(session: Session) -> None:
    champion = Champion(replace(long_arm(session), steps=100_000), (), 1.0)
    same = idea(champion, "good", GOOD, "shape")
    light = replace(same, weight=-1)
    costs, fewest = Admission(session, 1.0).costs, Admission(session, 1.0).looks[-1]
    third = shortened(champion.arm, 3)
    more = PROMISING * 2 * (costs.work(champion.arm, fewest, 1) - costs.work(third, fewest, 1))
    own, other = (climb_s(Admission(session, 1.0), each, champion.arm) for each in (light, same))
    assert own - other == pytest.approx(more)
    fits = []
    for left_s in range(600, 0, -10):
        clock = Clock(time.time() - LIMIT_S + left_s, LIMIT_S)
        hurried = replace(session, clock=clock)
        admission = Admission(hurried, 1.0)
        run = [
            bool(admitted(replace(hurried, plan=WorkPlan()), admission, champion, [each], part))
            for each in (light, same)
            for part in (3, 1)
        ]
        assert all(a <= b for a, b in zip(run[:2], run[2:], strict=True))
        fits.append(tuple(run))
    both = [tries_s(Admission(session, 1.0), [each], champion) for each in (light, same)]
    assert both[0] > 1.1 * both[1]
    assert (True, True, True, True) in fits
    assert (False, False, True, True) in fits  # time for a third of both, not for all of it
    assert fits[-1] == (False, False, False, False)
