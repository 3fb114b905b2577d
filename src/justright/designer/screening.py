"""Screening: ideas on the champion's own blocks, which say what is worth confirming."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from justright.core.idea import Verdict
from justright.core.trial import TrialState
from justright.designer.admission import Admission
from justright.designer.session import Arm, Champion, Session, all_done, not_run, results
from justright.ideas.rule import Move

HOPE = 0.5
"""An idea is worth confirming if it looks better by more than this many standard deviations of a
paired difference (measured: benchmarks/statistics.py, a fifth of the ideas useful; a third fewer
blocks than from 0 on, 0.5 to 0.7% of useless ideas accepted instead of 1.1 to 1.2%, and 45 to 57%
of useful ones instead of 48 to 63%)."""

NANO = 1e-9
"""The noise is granted in billionths of the champion's loss."""


@dataclass(frozen=True)
class Tried:
    """An idea that is tried around a champion.

    Attributes:
        move: The idea.
        arm: What it leads to.
        key: Of its slot of the round, in the work plan.
        own: Its id in the store.
    """

    move: Move
    arm: Arm
    key: str
    own: str

    @property
    def screen_key(self) -> str:
        """Names its screening in the work plan."""
        return f"{self.key}/screen {self.move.idea.title}"


@dataclass(frozen=True)
class Screened:
    """What screening showed of an idea.

    Attributes:
        tried: The idea.
        rival: What it leads to, with its trials.
        gain: By how much its loss is lower than the champion's.
    """

    tried: Tried
    rival: Champion
    gain: float


def admitted(
    session: Session, admission: Admission, champion: Champion, tried: Sequence[Tried]
) -> list[Tried]:
    """Those that the time allows to screen, asked one after the other."""
    run: list[Tried] = []
    blocks = len(session.blocks.first)
    for each in tried:
        pending = sum(admission.cost(other.arm, blocks, 1) for other in run)

        def screen(arm: Arm = each.arm, pending: float = pending) -> int:
            return admission.screen(arm, champion, pending)

        if session.plan.grant(each.screen_key, screen):
            run.append(each)
    return run


def screen(
    session: Session, champion: Champion, run: Sequence[Tried], reserve_s: float
) -> list[Screened]:
    """Train ideas on the champion's own blocks; those whose trainings all ended, best gain first.

    Args:
        session: The study at work.
        champion: The incumbent.
        run: What there is time for.
        reserve_s: Seconds to keep for what follows.
    """
    spec = champion.arm.recipe.preprocessing
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    parts = 1 if len(run) >= session.crew.capacity else None
    jobs = {
        each.arm.subject: session.train(each.arm, f"{each.key}/screen", blocks, parts=parts)
        for each in run
    }
    trials = session.run([job for group in jobs.values() for job in group], reserve_s)
    found = []
    for each in run:
        own = results(trials, jobs[each.arm.subject])
        if all_done(own):
            rival = Champion(each.arm, own, session.measure(own))
            found.append(Screened(each, rival, champion.loss - rival.loss))
        elif any(trial.state is TrialState.CUT for trial in own):
            session.plan.truncate(each.screen_key, 0)
    return sorted(found, key=lambda screened: -screened.gain)


def screen_verdict(champion: Champion, arm: Arm, found: Screened | None) -> Verdict:
    """What screening alone says: a direction, never a claim."""
    if found is None:
        return not_run(arm, {"reason": "no time, or no result"})
    word = "not better" if found.gain <= 0 else "cannot tell"
    evidence = {"stage": "screening", "loss": found.rival.loss, "champion": champion.loss}
    count = len(found.rival.trials)
    return Verdict(arm.subject, word, found.gain, math.nan, math.nan, count, evidence)


def least_gain(session: Session, champion: Champion, number: int) -> float:
    """Gain in screening from which an idea is worth confirming in a round.

    The noise may be known better when the study is resumed; what was decided by it stays.

    Args:
        session: The study at work.
        champion: The incumbent when the round began.
        number: Of the round.
    """

    def propose() -> int:
        known = session.store.ledger.fact(session.name, "noise") or {}
        deviation = known.get("seed_sd")
        if deviation is None or not math.isfinite(deviation):
            return 0
        mean = deviation * math.sqrt(2.0 / len(session.blocks.first))
        return round(mean / (NANO * max(abs(champion.loss), NANO)))

    share = NANO * session.plan.grant(f"round {number} noise", propose)
    return HOPE * share * abs(champion.loss)
