"""Rounds of moves around the champion: what they record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from justright.core.decision import Decision
from justright.designer.improvement.improve import Improver
from justright.designer.request.limits import SizeWishes
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Champion, Session
from justright.ideas.registry import RULES, propose_moves
from justright.ideas.rule import Leads, Proposal, Rule, Situation
from justright.ideas.stage import Stage
from justright.testing.champions import start_arm, trained

NewSession = Callable[..., Session]

TRIED = ("rate × 3", "rate ÷ 3")


def idea_decisions(session: Session, begins: str) -> list[Decision]:
    """What was decided about ideas, as stored."""
    made = session.store.ledger.decisions("s")
    return [each for each in made if each.stage == "ideas" and each.choice.startswith(begins)]


def start(session: Session) -> Champion:
    return trained(session, start_arm(session))


def test_a_size_with_fewer_weights_need_not_be_better_however_many_units_it_has(
    new_session: NewSession,
) -> None:
    key = "round 1/shape"
    amounts = {"round 1": 1, f"{key}/screen size 1×32": 1}
    amounts |= {f"{key}/in full/confirm part": 1, f"{key}/in full/confirm": 5}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = start(session)
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=1e3)
    improver.follow(Leads(size=(32,), blocks=5))
    champion = replace(champion, loss=champion.loss - 1.0)  # nothing looks better
    assert improver.run(champion).arm.recipe.shape.hidden == (32,)
    (kept,) = idea_decisions(session, "size 1×32")
    assert kept.choice == "size 1×32: kept"
    assert kept.reason.startswith("beside the champion, 5 fresh blocks say: ")
    assert {"gain", "low", "high", "predicted gain"} <= set(kept.measured)
    options = replace(session.options, size=SizeWishes(prefer="accuracy"))
    session = replace(session, options=options)
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=1e3)
    improver.follow(Leads(size=(32,), blocks=5))
    assert improver.run(champion).arm.recipe.shape.hidden == (16, 16)


def test_an_idea_costs_what_its_trainings_took_and_none_where_none_ran(
    new_session: NewSession,
) -> None:
    """One process trains, so the ideas together cannot cost more than the time that went by."""
    amounts = {"round 1": 1} | {f"round 1/rate/screen {title}": 1 for title in TRIED}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = start(session)
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.01)
    began = time.perf_counter()
    improver.run(replace(champion, loss=0.0))  # so that nothing is confirmed
    wall = time.perf_counter() - began
    entries = session.store.ledger.fact("s", "rounds")
    assert entries is not None
    cost = {entry["subject"]: entry["cost_s"] for entry in entries}
    assert sum(cost[title] for title in TRIED) < wall
    screened = [t for t in session.store.trials.list("s") if t.spec.subject in TRIED]
    assert len(screened) == 2 * len(session.blocks.first)
    assert all(cost[trial.spec.subject] >= trial.result["seconds"] > 0.0 for trial in screened)
    (looked_at,) = idea_decisions(session, "left out after a first look")
    assert set(looked_at.measured) == set(TRIED)
    left_out = set(cost) - set(TRIED)
    assert left_out
    assert {cost[title] for title in left_out} == {None}


def test_an_accepted_batch_is_followed_by_a_race_whose_rate_the_next_round_tries(
    new_session: NewSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a rate at which nothing is learned."""

    def larger(situation: Situation) -> list[Proposal]:
        changes = {"batch": 4 * situation.recipe.batch, "optimiser.rate": 0.05}
        return [Proposal("batch × 4", changes, 0.5, (0.01, 0.1, 0.2))]

    rule = Rule("batch", Stage.TRAINING, "assumption", larger)
    rules = (*(rule for rule in RULES if rule.slot != "batch"), rule)
    monkeypatch.setattr(
        "justright.designer.improvement.improve.propose_moves", lambda at: propose_moves(at, rules)
    )
    key = "round 1/batch"
    amounts = {"round 1": 1, f"{key}/screen batch × 4": 1, "round 1 rate": 5, "round 2": 1}
    amounts |= {f"{key}/confirm part": 1, f"{key}/confirm": 5}
    session = new_session(plan=WorkPlan(granted=amounts, repeat=True))
    champion = trained(session, start_arm(session, rate=1e-5))
    improver = Improver(session, Admission(session, 1.0), lambda _: None, delta=0.0)
    improver.follow(Leads(blocks=5, raced=champion.arm.recipe))
    better = improver.run(champion)
    assert better.arm.recipe.batch == 4 * champion.arm.recipe.batch
    assert improver.leads.raced == better.arm.recipe
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["subject"] == "batch × 4"
    rounds = session.store.ledger.fact("s", "rounds")
    assert rounds is not None
    raced = [entry["subject"] for entry in rounds if entry["round"] == "round 2/rate"]
    assert improver.leads.rate is not None
    assert any(title.startswith("raced") for title in raced)
