"""The champion's trainings are judged by what they left in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.finding import Finding, Severity
from justright.core.trial import Trial, TrialState
from justright.designer.findings.examine import examine_champion, shared, training_of
from justright.designer.work.champion import train_champion
from justright.designer.work.session import Champion, Session
from justright.recipe.recipe import Recipe
from justright.testing.recipes import plain_recipe


def champion_of(session: Session, **optimiser: float) -> Champion:
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=0.01)
    recipe = replace(recipe, optimiser=replace(recipe.optimiser, **optimiser))
    found, _ = train_champion(session, recipe, "start recipe", lambda _: None, hurry=True)
    assert found is not None
    return found


def test_a_sound_champion_is_a_decision_and_no_finding(session: Session) -> None:
    examine_champion(session, champion_of(session))
    assert session.store.ledger.findings("s") == ()
    (decision,) = session.store.ledger.decisions("s")
    assert (decision.stage, decision.choice) == ("health", "the training of start recipe is sound")
    assert decision.measured["trainings"] == 5
    assert 1e-4 < decision.measured["step over weights"] < 0.1


def test_a_fault_of_the_champion_is_found_and_said(session: Session) -> None:
    examine_champion(session, champion_of(session, clip=1e-3))
    (finding,) = session.store.ledger.findings("s")
    assert finding.code == "clipped-often"
    assert finding.message.startswith("in the training of start recipe, ")
    assert "clipped at 0.001" in finding.message
    (decision,) = session.store.ledger.decisions("s")
    assert decision.choice == "the training of start recipe shows clipped often"
    assert "clipped at 0.001" in decision.reason


def test_it_says_the_same_again_only_once(session: Session) -> None:
    champion = champion_of(session, clip=1e-3)
    examine_champion(session, champion)
    examine_champion(session, champion)
    assert len(session.store.ledger.findings("s")) == 1
    assert len(session.store.ledger.decisions("s")) == 1


def test_trainings_without_health_are_not_judged(session: Session) -> None:
    champion = champion_of(session)
    other = replace(champion.trials[0].spec, seed=99)
    session.store.trials.plan("s", [other])
    unwatched = Trial(other, TrialState.DONE, {}, "")
    examine_champion(session, replace(champion, trials=(unwatched,)))
    assert session.store.ledger.decisions("s") == ()


def test_a_failed_training_is_seen_as_one(session: Session) -> None:
    trial = champion_of(session).trials[0]
    failed = replace(trial, state=TrialState.FAILED, reason="diverged at step 3")
    training = training_of(session, failed, Recipe())
    assert training.failed == "diverged at step 3"
    assert training.layers("activation_std")


@pytest.mark.parametrize(("number", "kept"), [(0, 0), (2, 0), (3, 1), (5, 1)])
def test_a_finding_counts_where_most_trainings_show_it(number: int, kept: int) -> None:
    finding = Finding("dead-units", Severity.WARNING, "60% of 10", "do", numbers={"share": 0.6})
    found = [(finding,)] * number + [()] * (5 - number)
    assert len(shared(found)) == kept
