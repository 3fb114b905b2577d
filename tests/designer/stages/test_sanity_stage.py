"""The stage that checks a champion: what it runs, records, and repeats."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from justright.core.finding import Severity
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.findings.diagnose import (
    diagnose_champion,
    idea_effect,
    is_able,
    larger_effect,
)
from justright.designer.stages.sanity import CUT, NO_ANSWER, NO_TIME, check_champion
from justright.designer.timing.clock import Clock
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Arm, Champion, Session, results
from justright.diagnosis.curves import Effect
from justright.recipe.recipe import Recipe
from justright.testing.recipes import plain_recipe
from justright.training.sanity import CHECKS


def champion_of(session: Session, *, rate: float = 0.03, loss: float = 0.3) -> Champion:
    """A champion whose recipe is small; its trials say a loss only."""
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=rate)
    return Champion(Arm("start recipe", recipe, 300), (trial("network", recipe, loss),), loss)


def trial(name: str, recipe: Recipe | None, loss: float) -> Trial:
    spec = TrialSpec("network" if recipe else "baseline", name, "champion", {}, "p", 0, 1)
    result = {"loss": loss, "scores": {"rmse": loss**0.5}, "best_step": 1}
    return Trial(spec, TrialState.DONE, result=result)


def rivals(**losses: float) -> dict[str, Rival]:
    """Baselines with a proper loss each."""
    return {name: Rival(name, (trial(name, None, loss),)) for name, loss in losses.items()}


USUAL = rivals(constant=1.0, linear=0.4)


def run(session: Session, champion: Champion, baselines: Mapping[str, Rival] = USUAL) -> Any:
    check_champion(session, champion, baselines, Admission(session, 1.0))
    return session.store.ledger.fact("s", "sanity")


def words(fact: Mapping[str, Any]) -> dict[str, str]:
    return {check["name"]: check["word"] for check in fact["checks"]}


def test_a_sound_recipe_leaves_a_fact_and_a_decision_and_no_finding(session: Session) -> None:
    fact = run(session, champion_of(session))
    assert set(words(fact).values()) == {"passed"}
    assert tuple(words(fact)) == CHECKS
    assert fact["subject"] == "start recipe"
    (decision,) = session.store.ledger.decisions("s")
    assert decision.stage == "sanity"
    assert decision.choice == "6 of 6 checks passed"
    assert decision.measured["one batch by heart: share"] <= 0.01
    assert session.store.ledger.findings("s") == ()
    assert session.plan.granted["sanity"] == len(CHECKS)
    assert not session.store.trials.list("s")


def test_a_failed_check_is_a_critical_finding_that_ends_nothing(session: Session) -> None:
    fact = run(session, champion_of(session, rate=0.0, loss=1.0))
    assert words(fact)["gradients"] == words(fact)["heart"] == words(fact)["inputs"] == "failed"
    found = session.store.ledger.findings("s")
    assert {finding.severity for finding in found} == {Severity.CRITICAL}
    assert len(found) == 3
    for finding in found:
        assert finding.action
        assert finding.numbers
        assert finding.code.startswith("sanity: ")
    (decision,) = session.store.ledger.decisions("s")
    assert "look at: gradients, one batch by heart, inputs matter" in decision.choice


def test_where_no_baseline_learns_unused_inputs_are_a_warning(session: Session) -> None:
    nobody = rivals(constant=1.0, linear=1.01)
    run(session, champion_of(session, rate=0.0, loss=1.0), nobody)
    found = {finding.code: finding.severity for finding in session.store.ledger.findings("s")}
    assert found["sanity: inputs matter"] is Severity.WARNING


def test_a_study_that_goes_on_does_not_check_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(session, champion_of(session))

    def explode(**_: object) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr("justright.training.sanity.check_sanity", explode)
    again = replace(session, plan=session.plan.reopened(60.0))
    assert run(again, champion_of(session)) == first
    assert len(session.store.ledger.decisions("s")) == 1


def test_a_repetition_makes_the_same_checks(session: Session) -> None:
    champion = champion_of(session)
    partly = replace(session, plan=WorkPlan({"sanity": 3}, repeat=True))
    fact = run(partly, champion)
    assert list(words(fact).values()) == ["passed"] * 3 + ["not checked"] * 3
    whole = replace(session, plan=WorkPlan({"sanity": 6}, repeat=True))
    checks = run(whole, champion)["checks"]
    assert checks[:3] == fact["checks"][:3]
    assert (
        run(replace(session, plan=WorkPlan({"sanity": 6}, repeat=True)), champion)["checks"]
        == checks
    )


def test_without_time_it_says_so(session: Session) -> None:
    hurried = replace(session, clock=Clock(time.time() - 598.0, 600.0))
    assert run(hurried, champion_of(session)) == {"reason": NO_TIME}
    assert session.plan.granted["sanity"] == 0
    assert session.store.ledger.decisions("s") == ()


def ending_in(session: Session, seconds: float) -> Session:
    """The study with so little time until the report, and checks granted before."""
    session.plan.granted["sanity"] = 6
    spent = 600.0 - session.clock.report_s - seconds
    return replace(session, clock=Clock(time.time() - spent, 600.0))


def test_what_the_clock_cuts_is_taken_back_from_the_plan(session: Session) -> None:
    fact = run(ending_in(session, 0.1), champion_of(session))
    assert list(words(fact).values()) == ["passed"] + ["not checked"] * 5
    assert session.plan.granted["sanity"] == 1
    (decision,) = session.store.ledger.decisions("s")
    assert decision.choice == "1 of 6 checks passed"


def test_checks_that_were_all_cut_are_asked_for_again(session: Session) -> None:
    assert run(ending_in(session, -0.2), champion_of(session)) == {"reason": CUT}
    assert session.plan.granted["sanity"] == 0
    longer = replace(session, plan=session.plan.reopened(900.0))
    assert set(words(run(longer, champion_of(session))).values()) == {"passed"}


def test_checks_that_fail_themselves_are_a_reason(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(**_: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr("justright.training.sanity.check_sanity", explode)
    assert run(session, champion_of(session)) == {"reason": NO_ANSWER}
    assert session.plan.granted["sanity"] == 0


def test_the_state_rests_on_every_run_of_the_champion(session: Session) -> None:
    recipe = plain_recipe(session.blocks.spec, 16, 16)
    arm = Arm("start recipe", recipe, 200)
    first = [session.blocks.block(n, recipe.preprocessing) for n in session.blocks.first]
    jobs = session.train(arm, "champion", first)
    own = results(session.run(jobs), jobs)
    champion = Champion(arm, own, session.measure(own))
    baselines = rivals(constant=1.0, linear=0.35)
    diagnose_champion(session, champion, baselines, 0.005)
    fact = session.store.ledger.fact("s", "state")
    assert fact is not None
    assert fact["numbers"]["runs"] == len(first)
    ends = [session.store.curves.read("s", t.spec.id, "validation_loss")[1][-1] for t in own]
    assert fact["numbers"]["validation"] == pytest.approx(np.mean(ends))
    assert fact["subject"] == "start recipe"
    more = session.train(arm, "noise", [session.blocks.block(0, recipe.preprocessing, 1)])
    session.run(more)
    diagnose_champion(session, champion, baselines, 0.005)
    again = session.store.ledger.fact("s", "state")
    assert again is not None
    assert again["numbers"]["runs"] == len(first) + 1


def test_a_champion_that_never_learned_is_broken_beside_a_baseline(session: Session) -> None:
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=0.0)
    arm = Arm("start recipe", recipe, 60)
    blocks = [session.blocks.block(n, recipe.preprocessing) for n in session.blocks.first]
    jobs = session.train(arm, "champion", blocks)
    own = results(session.run(jobs), jobs)
    constant = float(np.mean([each.result["loss"] for each in own]))
    champion = Champion(arm, own, session.measure(own))
    diagnose_champion(session, champion, rivals(constant=constant, linear=0.3), 0.01)
    fact = session.store.ledger.fact("s", "state")
    assert fact is not None
    assert fact["state"] == "broken", fact


def test_one_run_takes_its_noise_from_its_rows(session: Session) -> None:
    recipe = plain_recipe(session.blocks.spec, 16, 16)
    arm = Arm("start recipe", recipe, 200)
    block = session.blocks.block(0, recipe.preprocessing)
    jobs = session.train(arm, "champion", [block])
    own = results(session.run(jobs), jobs)
    champion = Champion(arm, own, session.measure(own))
    diagnose_champion(session, champion, rivals(constant=1.0, linear=0.35), 0.005)
    fact = session.store.ledger.fact("s", "state")
    y = session.blocks.sample(block).y[:, 0]
    errors = (y - session.predictions(own[0])[:, 0]) ** 2
    share = errors.std() / errors.mean() / np.sqrt(len(y))
    assert fact is not None
    assert fact["numbers"]["se"] == pytest.approx(share * own[0].result["loss"])


def row(hidden: list[int], difference: float, word: str = "just right") -> dict[str, Any]:
    low, high = difference - 0.01, difference + 0.01
    return {"hidden": hidden, "difference": difference, "low": low, "high": high, "word": word}


def test_the_size_search_says_what_larger_sizes_gain() -> None:
    size = {"rows": [row([16], 0.05, "worse"), row([32], 0.0), row([64], 0.01)], "part": 1}
    assert larger_effect(size, (16,)) == Effect(0.05, 0.04, pytest.approx(0.06))
    below = larger_effect(size, (32,))
    assert below is not None
    assert (below.gain, below.low, below.high) == (0.0, -0.01, 0.01)
    assert larger_effect(size, (64,)) is None  # nothing heavier was compared
    assert larger_effect(size | {"part": 3}, (16,)) is None
    assert larger_effect({}, (16,)) is None


def test_a_size_at_least_as_heavy_as_one_that_overfits_is_able() -> None:
    rows = [{"hidden": [width], "weights": 10 * width} for width in (16, 32, 64)]
    size = {"rows": rows, "able": [32]}
    assert [is_able(size, (width,)) for width in (16, 32, 64)] == [False, True, True]
    assert not is_able(size, (128,))  # it was not trained
    assert not is_able(size | {"able": None}, (64,))
    assert not is_able({}, (64,))


def entry(slot: str, gain: float, word: str = "not better", accepted: bool = False) -> Any:
    verdict = {"word": word, "difference": gain, "low": gain - 1, "high": gain + 1}
    return {"slot": slot, "subject": "an idea", "verdict": verdict, "accepted": accepted}


def test_effects_of_ideas_count_since_the_champion_is_one() -> None:
    rounds = [entry("length", 9.0, "better", True), entry("length", 2.0), entry("shape", 5.0)]
    assert idea_effect(rounds, ("length",)) == Effect(2.0, 1.0, 3.0)
    assert idea_effect(rounds[:1], ("length",)) is None
    assert idea_effect([entry("length", 2.0, "not run")], ("length",)) is None
    assert idea_effect([entry("length", float("nan"))], ("length",)) is None
    without = entry("dropout", 2.0) | {"subject": "no dropout"}
    assert idea_effect([without], ("dropout",)) is None
