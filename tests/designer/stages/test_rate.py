"""The stage that finds the learning rate: what it runs, records, and hands on."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from justright.designer.stages.rate import find_rate, follow_change, moves_rate
from justright.designer.timing.clock import Clock
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.ideas.rule import Leads
from justright.recipe.patch import Patch
from justright.testing.recipes import plain_recipe
from justright.training.rate_rules import NAMES
from justright.training.start import with_members

RATE = 0.05
GOOD = 0.2
"""Best of all that are raced here, by far."""

STEPS = 300


def champion_at(session: Session, rate: float) -> Champion:
    recipe = plain_recipe(session.blocks.spec, 16, 16, rate=rate)
    return Champion(Arm("start recipe", recipe, STEPS), (), 0.5)


def run(session: Session, rate: float) -> float | None:
    """The peak rate that came out; None if the champion's stays."""
    found = find_rate(session, champion_at(session, rate), Admission(session, 1.0), Leads())
    return found.rate


def test_a_hopeless_rate_is_replaced_by_one_that_learns(session: Session) -> None:
    peak = run(session, 1e-5)
    assert peak is not None
    assert peak > 1e-3
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["peak"] == peak
    assert fact["prior"] == 1e-5
    assert fact["check"]["holds"]
    assert [pick["rule"] for pick in fact["candidates"]] == list(NAMES)
    losses = {entrant["rate"]: entrant["loss"] for entrant in fact["race"]["entrants"]}
    assert losses[fact["race"]["winner"]] == min(v for v in losses.values() if v is not None)
    assert len(fact["race"]["entrants"][0]["losses"]) == session.plan.granted["rate"] == 5
    (decision,) = session.store.ledger.decisions("s")
    assert decision.stage == "rate"
    assert decision.measured["gain_on_fresh_seeds"] > 0


def test_the_fact_says_constant_rates_and_peaks(session: Session) -> None:
    run(session, RATE)
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    entrants = fact["race"]["entrants"]
    assert entrants[0]["rules"][0] == "prior"
    assert entrants[0]["rate"] == RATE / 2
    assert fact["peak"] == pytest.approx(2 * fact["rate"])


def test_a_rate_that_no_rule_beats_stays(session: Session) -> None:
    assert run(session, GOOD) is None
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert len(fact["race"]["entrants"]) > 1
    assert fact["peak"] == pytest.approx(GOOD)
    assert fact["race"]["winner"] == fact["race"]["entrants"][0]["rate"]
    (decision,) = session.store.ledger.decisions("s")
    assert decision.choice == f"peak rate {GOOD:.3g} stays"


def test_a_second_run_reads_what_the_first_one_trained(session: Session) -> None:
    first = run(session, 1e-5)
    before = {trial.spec.id: trial.result for trial in session.store.trials.list("s")}
    began = time.perf_counter()
    assert run(session, 1e-5) == first
    assert time.perf_counter() - began < 5.0
    assert {trial.spec.id: trial.result for trial in session.store.trials.list("s")} == before


def test_members_share_the_rate_of_the_network_without_them(session: Session) -> None:
    first = run(session, 1e-5)
    before = {trial.spec.id: trial.result for trial in session.store.trials.list("s")}
    plain = champion_at(session, 1e-5)
    arm = replace(plain.arm, recipe=with_members(plain.arm.recipe))
    assert arm.recipe.shape.members > 1
    with_them = replace(plain, arm=arm)
    found = find_rate(session, with_them, Admission(session, 1.0), Leads())
    assert found.rate == first
    assert {trial.spec.id: trial.result for trial in session.store.trials.list("s")} == before


def test_screening_seeds_and_fresh_blocks_are_left_alone(session: Session) -> None:
    run(session, 1e-5)
    blocks, spec = session.blocks, session.blocks.spec
    raced = {t.spec.seed for t in session.store.trials.list("s") if t.spec.kind == "race"}
    assert len(raced) == 10  # five folds race, five check
    assert raced.isdisjoint(blocks.block(n, spec).seed for n in range(12))
    used = {trial.spec.partition for trial in session.store.trials.list("s")}
    assert used == {blocks.block(number, spec).partition for number in blocks.first}


def test_without_time_nothing_runs_and_the_reason_is_recorded(session: Session) -> None:
    hurried = replace(session, clock=Clock(time.time() - 598.0, 600.0))
    assert run(hurried, 1e-5) is None
    assert not session.store.trials.list("s")
    fact = session.store.ledger.fact("s", "rate")
    assert fact == {"prior": 1e-5, "reason": "there was no time for a range test"}
    assert session.plan.granted["rate"] == 0


def test_a_test_that_the_clock_cuts_is_taken_back_from_the_plan(session: Session) -> None:
    late = replace(session, clock=Clock(time.time() - 650.0, 600.0))
    late.plan.granted["rate"] = 2
    assert run(late, 1e-5) is None
    assert session.plan.granted["rate"] == 0
    fact = session.store.ledger.fact("s", "rate")
    assert fact == {"prior": 1e-5, "reason": "the time limit cut the range test"}


def test_a_test_that_failed_is_not_called_a_lack_of_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(**_: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr("justright.training.range_test.range_test", explode)
    assert run(session, 1e-5) is None
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["prior"] == 1e-5
    assert fact["reason"].startswith("the range test failed: ")
    assert "time" not in fact["reason"]
    assert session.plan.granted["rate"] == 5  # the time was there: a repetition fails likewise


def changed(champion: Champion, **changes: object) -> Champion:
    recipe = Patch("changed", changes).apply(champion.arm.recipe)
    return replace(champion, arm=replace(champion.arm, recipe=recipe, subject="changed"))


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"batch": 64}, True),
        ({"optimiser.rule": "sgd"}, True),
        ({"optimiser.beta1": 0.8}, True),
        ({"shape.normaliser": "batch"}, True),
        ({"optimiser.rate": 0.5}, False),
        ({"shape.hidden": [32, 32]}, False),
        ({"epochs": 7.0}, False),
        ({"regularisation.dropout": 0.3}, False),
    ],
)
def test_what_moves_the_best_rate(
    change: dict[str, object], moves: bool, session: Session
) -> None:
    champion = champion_at(session, RATE)
    before, after = (moves_rate(c.arm.recipe) for c in (champion, changed(champion, **change)))
    assert (before != after) == moves


def follow(session: Session, champion: Champion, raced: Champion | None) -> Leads:
    leads = Leads(rate=None, size=(16, 16), blocks=7, raced=raced.arm.recipe if raced else None)
    return follow_change(session, champion, Admission(session, 1.0), leads, 2)


def test_after_a_change_that_moves_the_best_rate_it_is_raced_again(session: Session) -> None:
    first = champion_at(session, 1e-5)
    assert run(session, 1e-5) is not None
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    later = changed(first, batch=2 * first.arm.recipe.batch)
    found = follow(session, later, first)
    assert session.plan.granted["round 2 rate"] == 5
    assert found.raced == later.arm.recipe
    assert (found.size, found.blocks) == ((16, 16), 7)
    assert found.rate is not None
    assert found.rate > 1e-3
    again = session.store.ledger.fact("s", "rate")
    assert again is not None
    assert (fact["subject"], again["subject"]) == ("start recipe", "changed")
    raced = [t for t in session.store.trials.list("s") if t.spec.kind == "race"]
    assert {t.spec.recipe["batch"] for t in raced} == {
        first.arm.recipe.batch,
        later.arm.recipe.batch,
    }


@pytest.mark.parametrize("change", [{"epochs": 7.0}, {"shape.hidden": [32, 32]}])
def test_after_other_changes_the_race_stands(change: dict[str, object], session: Session) -> None:
    first = champion_at(session, 1e-5)
    found = follow(session, changed(first, **change), first)
    assert found.raced == first.arm.recipe
    assert not session.store.trials.list("s")


def test_where_nothing_was_raced_there_is_nothing_to_race_again(session: Session) -> None:
    first = champion_at(session, 1e-5)
    assert follow(session, changed(first, batch=64), None).raced is None
    assert not session.store.trials.list("s")


def test_without_time_for_it_the_first_race_stays_and_it_is_said(session: Session) -> None:
    run(session, 1e-5)
    raced = session.store.ledger.fact("s", "rate")
    assert raced is not None
    hurried = replace(session, clock=Clock(time.time() - 598.0, 600.0))
    first = champion_at(session, 1e-5)
    assert follow(hurried, changed(first, batch=64), first).raced == first.arm.recipe
    reason = "there was no time for a range test"
    assert session.store.ledger.fact("s", "rate") == raced | {"reason": reason}


def test_a_study_that_went_on_without_it_goes_on_without_it(session: Session) -> None:
    run(session, 1e-5)
    before = {trial.spec.id for trial in session.store.trials.list("s")}
    first = champion_at(session, 1e-5)
    session.plan.granted["round 3"] = 1
    assert follow(session, changed(first, batch=64), first).raced == first.arm.recipe
    assert {trial.spec.id for trial in session.store.trials.list("s")} == before
    fact = session.store.ledger.fact("s", "rate")
    assert fact is not None
    assert fact["reason"] == "there was no time for a range test"
    assert fact["race"]
