"""The ladder of ideas: a third of the length first, all of it for what is promising there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from test_improve import start_arm

from conftest import table
from justright.core.idea import Idea, Prediction
from justright.designer.admission import Admission
from justright.designer.clock import Clock
from justright.designer.improve import Improver
from justright.designer.ladder import Climb, climb, first_s, has_lower_rung, tries_s
from justright.designer.screening import Screened, Tried
from justright.designer.session import Arm, Champion, Session
from justright.designer.work import WorkPlan
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Leads, Move, Proposal, Rule
from justright.ideas.stage import Stage
from justright.recipe.recipe import OptimiserSpec
from justright.testing.champions import trained

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


def test_the_champion_is_trained_for_a_third_once(session: Session) -> None:
    champion = trained(session, long_arm(session))
    climbed(session, champion, idea(champion, "bad", BAD, "b"))
    before = {trial.spec.id for trial in session.store.trials.list("s")}
    climbed(session, champion, idea(champion, "worse", BAD / 10, "c"))
    new = [t for t in session.store.trials.list("s") if t.spec.id not in before]
    assert {trial.spec.subject for trial in new} == {"worse"}
    assert len(new) == len(session.blocks.first)
    assert steps_of(session, "start recipe") == [STEPS // 3, STEPS]


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
    seen = climbed(session, champion, idea(champion, "good", GOOD, "a"))
    ((waiting, gain),) = seen.refused
    assert waiting.move.idea.title == "good"
    assert gain == seen.thirds[0].gain
    assert seen.found == seen.ended == ()


def test_without_time_for_the_whole_climb_nothing_is_trained(session: Session) -> None:
    champion = trained(session, long_arm(session))
    count = len(session.store.trials.list("s"))
    hurried = replace(session, clock=Clock(time.time() - LIMIT_S + 5.0, LIMIT_S))
    seen = climbed(hurried, champion, idea(champion, "good", GOOD, "a"))
    assert [(each.move.idea.title, gain) for each, gain in seen.refused] == [("good", None)]
    assert len(session.store.trials.list("s")) == count


def test_a_rung_spares_what_it_is_for(session: Session) -> None:
    """Three useless ideas for hardly more than the price of one."""
    admission, old = Admission(session, 1.0), long_arm(session)
    longer = replace(old, steps=2 * STEPS)
    assert has_lower_rung(old, old)
    assert not has_lower_rung(longer, old)
    blocks = len(session.blocks.first)
    assert first_s(admission, longer, old) == admission.costs.work(longer, blocks)
    assert first_s(admission, old, old) < 0.75 * admission.costs.work(old, blocks)
    champion = Champion(old, (), 1.0)
    moves = [idea(champion, title, GOOD, title).move for title in "abc"]
    assert tries_s(admission, moves, old) == pytest.approx(3 * tries_s(admission, moves[:1], old))
    assert tries_s(admission, [replace(moves[0], length=2.0)], old) > 1.5 * tries_s(
        admission, moves[:1], old
    )


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
        "justright.designer.improve.propose_moves", lambda at: propose_moves(at, rules)
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
