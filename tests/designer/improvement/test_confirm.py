"""Confirming a candidate on fresh blocks: what is trained, and which word it earns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.improvement.confirm import LIGHTER, WORDS, Confirmer
from justright.designer.timing.clock import Clock
from justright.designer.work.admission import LOOKS_SMALL, Admission, shortened
from justright.designer.work.crew import Job
from justright.designer.work.session import Arm, Champion, Session
from justright.statistics.compare import LAST_LEVEL
from justright.statistics.noise import pool_alike
from justright.testing.recipes import plain_recipe

GOOD, HOPELESS = 0.03, 1e-5
KEY = "round 1/rate"
FRESH = 5
"""The five folds before it screened the candidates."""


def arm(session: Session, rate: float, units: int = 16, steps: int = 240) -> Arm:
    recipe = plain_recipe(session.blocks.spec, units, units, rate=rate)
    return Arm(f"rate {rate:g}, {units}", recipe, steps)


def screened(session: Session, rate: float, loss: float, units: int = 16) -> Champion:
    return Champion(arm(session, rate, units), (), loss)


def confirmer(session: Session, delta: float = 0.0) -> Confirmer:
    return Confirmer(session, Admission(session, 1.0), FRESH, delta)


def late(session: Session, left_s: float) -> Session:
    """The same study when only so much of its time is left for work and report."""
    clock = session.clock
    return replace(session, clock=Clock(time.time() - clock.limit_s + left_s, clock.limit_s))


def test_a_better_candidate_is_confirmed_on_fresh_blocks_alone(session: Session) -> None:
    champion, rival = screened(session, HOPELESS, 1.0), screened(session, GOOD, 0.4)
    verdict = confirmer(session).confirm(champion, rival, KEY, 0)
    assert verdict.word == "better"
    assert 0.0 < verdict.low < verdict.difference < verdict.high
    assert verdict.blocks == session.plan.granted[f"{KEY}/confirm"] == LOOKS_SMALL[0]
    blocks = session.blocks
    seen = {blocks.block(n, blocks.spec).partition for n in blocks.first}
    trained = session.store.trials.list("s")
    assert len(trained) == 2 * verdict.blocks
    assert seen.isdisjoint({trial.spec.partition for trial in trained})


class Begun(Exception):
    """The first trainings of a comparison are about to begin."""


def test_the_final_training_of_what_may_be_accepted_is_kept_as_well(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    kept: list[float] = []

    def begins(self: Session, jobs: Sequence[Job], reserve_s: float = 0.0) -> dict[str, Trial]:
        kept.append(reserve_s)
        raise Begun

    monkeypatch.setattr(Session, "run", begins)
    spec = TrialSpec("network", "x", "screen", {}, "fold", 0, 100)
    early, late_best = (
        Champion(
            arm(session, rate, steps=100_000),
            (Trial(spec, TrialState.DONE, {"best_step": best}, ""),),
            loss,
        )
        for rate, best, loss in ((HOPELESS, 5_000, 1.0), (GOOD, 100_000, 0.4))
    )
    for champion, rival in ((early, early), (early, late_best), (late_best, early)):
        with pytest.raises(Begun):
            confirmer(session).confirm(champion, rival, KEY, 0)
    assert kept[0] < 0.5 * kept[1]
    assert kept[1] == pytest.approx(kept[2])


def test_a_worse_candidate_is_not_accepted_however_light(session: Session) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    champion, rival = screened(session, GOOD, 0.4), screened(session, HOPELESS, 0.3, units=8)
    verdict = confirmer(session, 0.01).confirm(champion, rival, KEY, -1)
    assert verdict.word not in ("better", LIGHTER)


@pytest.mark.parametrize(("delta", "accepted"), [(0.5, True), (0.0, False)])
def test_a_lighter_one_need_only_be_surely_not_worse_by_what_matters(
    delta: float, accepted: bool, session: Session
) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    champion, rival = screened(session, GOOD, 0.4, units=17), screened(session, GOOD, 0.41)
    verdict = confirmer(session, delta).confirm(champion, rival, KEY, -1)
    assert verdict.word != "better"
    assert (verdict.word == LIGHTER) == accepted


@pytest.mark.parametrize(("delta", "word"), [(0.0, "better"), (5.0, "not better")])
def test_a_heavier_one_has_to_be_better_by_what_matters(
    delta: float, word: str, session: Session
) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    champion, rival = screened(session, HOPELESS, 1.0), screened(session, GOOD, 0.4, units=32)
    assert confirmer(session, delta).confirm(champion, rival, KEY, 1).word == word


def test_what_is_trained_alone_is_looked_at_early(session: Session) -> None:
    session.plan.granted["alone from"] = 1
    champion, rival = screened(session, HOPELESS, 1.0), screened(session, GOOD, 0.4)
    verdict = confirmer(session).confirm(champion, rival, KEY, 0)
    assert (verdict.word, verdict.blocks) == ("better", LOOKS_SMALL[-1])
    assert session.plan.granted[f"{KEY}/confirm"] == LOOKS_SMALL[0]
    assert len(session.store.trials.list("s")) == 2 * verdict.blocks


def test_where_early_looks_cannot_tell_all_the_blocks_are_used(session: Session) -> None:
    session.plan.granted |= {"alone from": 1, f"{KEY}/confirm": 7}
    champion, rival = screened(session, GOOD, 0.4), screened(session, GOOD, 0.39, units=17)
    verdict = confirmer(session).confirm(champion, rival, KEY, 0)
    assert verdict.word == "cannot tell"
    assert verdict.blocks == 7
    assert len(session.store.trials.list("s")) == 2 * verdict.blocks


def test_what_is_cut_after_the_first_look_is_judged_by_what_there_is(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.plan.granted |= {"alone from": 1, f"{KEY}/confirm": 20}
    champion, rival = screened(session, GOOD, 0.4), screened(session, GOOD, 0.39, units=17)
    run, rounds = Session.run, []

    def runs_out(self: Session, jobs: Sequence[Job], reserve_s: float = 0.0) -> dict[str, Trial]:
        rounds.append(len(jobs))
        return run(self, jobs, 1e6 if len(rounds) > 1 else reserve_s)

    monkeypatch.setattr(Session, "run", runs_out)
    verdict = confirmer(session).confirm(champion, rival, KEY, 0)
    assert rounds == [10, 10]
    assert verdict.blocks == session.plan.granted[f"{KEY}/confirm"] == 5
    assert verdict.evidence["level"] == LAST_LEVEL
    monkeypatch.undo()
    assert confirmer(session).confirm(champion, rival, KEY, 0) == verdict


def test_many_workers_are_not_kept_waiting_for_looks(session: Session) -> None:
    session.plan.granted |= {"alone from": 1, f"{KEY}/confirm": 10, f"{KEY}/confirm looks": 1}
    champion, rival = screened(session, HOPELESS, 1.0), screened(session, GOOD, 0.4)
    assert confirmer(session).confirm(champion, rival, KEY, 0).blocks == 10


def test_the_champion_is_trained_once_a_round_and_anew_in_the_next(session: Session) -> None:
    for key in (KEY, "round 1/shape", "round 2/rate"):
        session.plan.granted[f"{key}/confirm"] = 5
    champion = screened(session, GOOD, 0.4)
    judge = confirmer(session)
    judge.confirm(champion, screened(session, 0.02, 0.3), KEY, 0)
    judge.confirm(champion, screened(session, GOOD, 0.3, units=8), "round 1/shape", 0)
    trained = session.store.trials.list("s")
    assert len(trained) == 3 * 5
    judge.next_round()
    judge.confirm(champion, screened(session, 0.01, 0.3), "round 2/rate", 0)
    later = session.store.trials.list("s")
    assert len(later) == len(trained) + 2 * 5
    old = {trial.spec.id: trial.spec.seed for trial in trained}
    new = {trial.spec.seed for trial in later if trial.spec.id not in old}
    assert new.isdisjoint(old.values())


def test_a_word_stays_whatever_the_round_has_trained_since(session: Session) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    champion, rival = screened(session, HOPELESS, 1.0), screened(session, GOOD, 0.4)
    first = confirmer(session).confirm(champion, rival, KEY, 0)
    assert first.word == "better"
    (word,) = (key for key in session.plan.granted if "/word on " in key)
    session.plan.granted[word] = WORDS.index("cannot tell") + 1
    again = confirmer(session).confirm(champion, rival, KEY, 0)
    assert again == replace(first, word="cannot tell")
    other = replace(rival, arm=replace(rival.arm, subject="another"))
    assert confirmer(session).confirm(champion, other, KEY, 0).word == "better"


def by_block(session: Session, subject: str, fresh: int) -> list[float]:
    """Losses of an arm on the blocks from a number on, in their order."""
    blocks = session.blocks
    seeds = [blocks.planned(fresh + n, blocks.spec).seed for n in range(5)]
    own = {t.spec.seed: t for t in session.store.trials.list("s") if t.spec.subject == subject}
    return [session.measure([own[seed]]) for seed in seeds]


def test_arms_of_a_round_that_are_as_noisy_share_what_they_say_of_the_noise(
    session: Session,
) -> None:
    """What the verdicts say is worked out anew; the next round begins afresh."""
    champion, judge = screened(session, GOOD, 0.4), confirmer(session)
    names = [champion.arm.subject]
    shared = 0
    for units in (15, 17, 18, 19):
        key, rival = f"round 1/{units}", screened(session, GOOD, 0.3, units)
        session.plan.granted[f"{key}/confirm"] = 5
        verdict = judge.confirm(champion, rival, key, 0)
        new, old, *others = (
            by_block(session, name, FRESH) for name in (rival.arm.subject, *names)
        )
        expected = pool_alike(new, old, others)
        shared += expected is not None
        own = float(np.var(np.subtract(new, old), ddof=1))
        assert verdict.evidence["df"] == (expected.df if expected else 4)
        assert verdict.evidence["sd"] == pytest.approx(
            (expected.variance if expected else own) ** 0.5
        )
        names.append(rival.arm.subject)
    assert shared
    judge.next_round()
    session.plan.granted[f"{KEY}/confirm"] = 5
    verdict = judge.confirm(champion, screened(session, 0.02, 0.3), KEY, 0)
    assert verdict.evidence["df"] == 4


@pytest.mark.parametrize("trained", [0, 5, LOOKS_SMALL[0]])
def test_later_rounds_meet_the_same_blocks_however_many_the_clock_left_to_earlier_ones(
    trained: int, session: Session
) -> None:
    later = "round 2/rate"
    session.plan.granted |= {f"{KEY}/confirm": trained, f"{later}/confirm": 5}
    champion, rival = screened(session, GOOD, 0.4), screened(session, 0.02, 0.3)
    judge = confirmer(session)
    judge.confirm(champion, rival, KEY, 0)
    before = {trial.spec.id for trial in session.store.trials.list("s")}
    judge.next_round()
    judge.confirm(champion, rival, later, 0)
    seeds = {t.spec.seed for t in session.store.trials.list("s") if t.spec.id not in before}
    first = FRESH + LOOKS_SMALL[0]
    blocks = session.blocks
    assert seeds == {blocks.planned(first + n, blocks.spec).seed for n in range(5)}


def test_both_arms_are_shortened_alike_and_it_is_said(session: Session) -> None:
    session.plan.granted |= {f"{KEY}/confirm part": 3, f"{KEY}/confirm": 5}
    arms = [arm(session, rate, steps=900) for rate in (HOPELESS, GOOD)]
    champion, rival = (Champion(each, (), 1.0) for each in arms)
    verdict = confirmer(session).confirm(champion, rival, KEY, 0)
    assert verdict.evidence["part of the length"] == pytest.approx(1 / 3)
    assert {trial.result["steps"] for trial in session.store.trials.list("s")} == {300}


def test_they_are_shortened_where_no_more_than_the_fewest_blocks_fit_in_full(
    session: Session,
) -> None:
    arms = arm(session, GOOD, steps=100_000), arm(session, 0.01, steps=100_000)
    champion, parts = Champion(arms[1], (), 1.0), []
    for left_s in range(600, 0, -20):
        admission = Admission(late(session, left_s), 1.0)
        left = admission.left(champion, arms[0])
        part = admission.confirm_part(*arms, FRESH, 0, left)
        assert (part == 1) == (admission.confirm(*arms, FRESH, 0, left) > LOOKS_SMALL[-1])
        thirds = shortened(arms[0], 3), shortened(arms[1], 3)
        parts.append((part, bool(admission.confirm(*thirds, FRESH, 0, left))))
    assert parts[0] == (1, True)
    assert (3, True) in parts
    assert parts[-1] == (3, False)
    assert parts == sorted(parts, key=lambda found: (found[0], not found[1]))


def encoded(session: Session, numbers: Iterable[int]) -> None:
    """Encode blocks; from now on another one is said to take longer than the study may."""
    for number in numbers:
        session.blocks.block(number, session.blocks.spec)
    session.blocks.latest_encode_s = 2 * session.clock.limit_s


def test_blocks_that_are_still_to_be_encoded_are_priced(session: Session) -> None:
    arms = arm(session, HOPELESS), arm(session, GOOD)
    champion, admission = Champion(arms[1], (), 1.0), Admission(session, 1.0)

    def blocks() -> int:
        return admission.confirm(*arms, FRESH, 0, admission.left(champion, arms[0]))

    def time_to_screen() -> bool:
        return admission.screen_s(arms[0], champion, 0.0) <= admission.left(champion, arms[0])

    assert blocks() == LOOKS_SMALL[0]
    assert time_to_screen()
    encoded(session, range(FRESH))
    assert blocks() == 0
    assert not time_to_screen()
    encoded(session, range(FRESH, FRESH + 10))
    assert blocks() == 10


def test_without_time_nothing_is_trained_and_the_screening_gain_is_kept(session: Session) -> None:
    hurried = late(session, 2.0)
    champion, rival = screened(hurried, HOPELESS, 1.0), screened(hurried, GOOD, 0.4)
    verdict = confirmer(hurried).confirm(champion, rival, KEY, 0)
    assert verdict.word == "not run"
    assert verdict.evidence["screening gain"] == pytest.approx(0.6)
    assert not session.store.trials.list("s")
    assert session.plan.granted[f"{KEY}/confirm"] == 0
    confirmer(hurried).confirm(champion, rival, f"{KEY}/lighter", -1)  # a third flatters it
    parts = [
        session.plan.granted[f"{key}/confirm part"] for key in (KEY, f"{KEY}/lighter/in full")
    ]
    assert parts == [3, 1]
    fresh = session.blocks.planned(FRESH, session.blocks.spec)
    assert not fresh.folder.exists()


def test_a_confirmation_that_the_clock_cuts_is_taken_back_from_the_plan(session: Session) -> None:
    hurried = late(session, -50.0)
    hurried.plan.granted[f"{KEY}/confirm"] = 5
    champion, rival = screened(hurried, HOPELESS, 1.0), screened(hurried, GOOD, 0.4)
    verdict = confirmer(hurried).confirm(champion, rival, KEY, 0)
    assert verdict.word == "not run"
    assert session.plan.granted[f"{KEY}/confirm"] == 0


def test_both_are_judged_where_screening_saw_them_best_not_where_they_look_best_now(
    session: Session,
) -> None:
    session.plan.granted[f"{KEY}/confirm"] = 5
    spec = session.blocks.spec
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    arms = [arm(session, GOOD), arm(session, 0.02)]
    found = []
    for each in arms:
        (job,) = session.train(each, "screen", blocks, parts=1)
        own = tuple(session.run([job]).values())
        looks, _ = session.store.curves.read("s", own[0].spec.id, "metric")
        early = tuple(
            replace(trial, result={**trial.result, "best_step": int(looks[0])}) for trial in own
        )
        found.append(Champion(each, early, session.measure(own)))
    verdict = confirmer(session).confirm(*found, KEY, 0)
    fresh = [t for t in session.store.trials.list("s") if t.spec.stage == f"{KEY}/confirm"]
    firsts: dict[str, list[float]] = {}
    for trial in fresh:
        _, values = session.store.curves.read("s", trial.spec.id, "metric")
        assert values[0] > min(values), "the first look is the worst while a run still learns"
        firsts.setdefault(trial.spec.subject, []).append(values[0])
    old, new = (np.mean(firsts[each.subject]) for each in arms)
    assert verdict.difference == pytest.approx(old - new)
