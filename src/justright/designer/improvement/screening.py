"""Screening: ideas on the champion's own blocks, which say what is worth confirming."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from justright.core.idea import PART, Verdict
from justright.core.trial import Trial, TrialState
from justright.designer.work.admission import Admission, confirmed_part, shortened
from justright.designer.work.jobs import NetworkJob
from justright.designer.work.session import Arm, Champion, Session, all_done, not_run, results
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
        weight: -1 for the lighter size that was chosen, which need not be better; 1 for what is
            heavier than the champion, which has to be better by what matters; else 0.
    """

    move: Move
    arm: Arm
    key: str
    own: str
    weight: int = 0

    def stage(self, part: int) -> str:
        """Stage of its trainings on the champion's own blocks, at a part of its length."""
        return f"{self.key}/{'screen' if part == 1 else 'third'}"

    def screen_key(self, part: int) -> str:
        """Names these trainings in the work plan."""
        return f"{self.stage(part)} {self.move.idea.title}"


def is_passed_over(key: str, granted: Mapping[str, int]) -> bool:
    """Whether a refused third is that of an idea that was trained in full instead.

    >>> is_passed_over("round 1/a/third GELU", {"round 1/a/screen GELU": 1})
    True
    """
    whole = key.replace("/third ", "/screen ", 1)
    return whole != key and granted.get(whole, 0) > 0


@dataclass(frozen=True)
class Screened:
    """What screening showed of an idea.

    Attributes:
        tried: The idea.
        rival: What it leads to, with its trials.
        base: The champion's loss at the same part of its length.
        part: Of the length of both: 1 for all of it, 3 for a third.
    """

    tried: Tried
    rival: Champion
    base: float
    part: int = 1

    @property
    def gain(self) -> float:
        """By how much its loss is lower than the champion's."""
        return self.base - self.rival.loss


def admitted(
    session: Session,
    admission: Admission,
    champion: Champion,
    tried: Sequence[Tried],
    part: int = 1,
) -> list[Tried]:
    """Those that the time allows to screen, and to confirm, asked one after the other."""
    run: list[Tried] = []
    base = [] if part == 1 else [champion.arm]
    for each in tried:
        wanted = [*run, each]

        def afford(wanted: Sequence[Tried] = wanted) -> int:
            left = min(admission.left(champion, one.arm) for one in wanted)
            return int(_price_s(admission, champion, wanted, base, part) <= left)

        if session.plan.grant(each.screen_key(part), afford):
            run.append(each)
    return run


def _price_s(
    admission: Admission,
    champion: Champion,
    wanted: Sequence[Tried],
    base: Sequence[Arm],
    part: int,
) -> float:
    """Wall seconds of screening ideas, and their base, side by side, and of what the dearest of
    them has to climb then.
    """
    session, costs = admission.session, admission.costs
    blocks = len(session.blocks.first)

    def whole_s(each: Tried, pending_s: float) -> float:
        return admission.screen_s(each.arm, champion, pending_s, confirmed_part(each.weight))

    if part == 1:
        return whole_s(wanted[-1], sum(costs.work(each.arm, blocks, 1) for each in wanted[:-1]))
    short = [
        shortened(arm, part)
        for arm in (*(each.arm for each in wanted), *base)
        if not is_known(session, arm, part)  # from an earlier round
    ]
    work = sum(costs.work(arm, blocks, 1) for arm in short)
    longest = max((costs.longest(arm, blocks) for arm in short), default=0.0)
    return costs.wall(work, longest) + max(whole_s(each, 0.0) for each in wanted)


def screen(
    session: Session, champion: Champion, run: Sequence[Tried], reserve_s: float, part: int = 1
) -> list[Screened]:
    """Train ideas on the champion's own blocks; those whose trainings all ended, best gain first.

    Args:
        session: The study at work.
        champion: The incumbent; at a part of its length it is trained once, beside the first.
        run: What there is time for.
        reserve_s: Seconds to keep for what follows.
        part: Of the length at which they are compared.
    """
    if not run:
        return []
    spec = champion.arm.recipe.preprocessing
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    parts = 1 if len(run) >= session.crew.capacity else None
    jobs = {
        each.arm.subject: session.train(
            shortened(each.arm, part), each.stage(part), blocks, parts=parts
        )
        for each in run
    }
    own: tuple[NetworkJob, ...] = ()
    if part > 1:
        own = session.train(shortened(champion.arm, part), run[0].stage(part), blocks, parts=1)
    trials = session.run([job for group in (own, *jobs.values()) for job in group], reserve_s)
    base = results(trials, own) if part > 1 else champion.trials
    found = []
    for each in run:
        made = results(trials, jobs[each.arm.subject])
        if all_done(made) and (part == 1 or all_done(base)):
            rival = Champion(each.arm, made, session.measure(made))
            loss = champion.loss if part == 1 else session.measure(base)
            found.append(Screened(each, rival, loss, part))
        elif any(trial.state is TrialState.CUT for trial in (*made, *base)):
            session.plan.truncate(each.screen_key(part), 0)
    return sorted(found, key=lambda screened: -screened.gain)


def trials_of(session: Session, arm: Arm, part: int) -> tuple[Trial, ...]:
    """An arm's uncut trials on the champion's own blocks, at a part of its length."""
    base, blocks = shortened(arm, part), session.blocks
    planned = [blocks.planned(number, base.recipe.preprocessing) for number in blocks.first]
    wanted = {spec.id for job in session.train(base, "", planned) for spec in job.specs}
    ended = (TrialState.DONE, TrialState.FAILED)
    stored = session.store.trials.list(session.name)
    return tuple(trial for trial in stored if trial.spec.id in wanted and trial.state in ended)


def is_known(session: Session, arm: Arm, part: int) -> bool:
    """Whether nothing is left to train of an arm there at a part of its length."""
    return len(trials_of(session, arm, part)) == len(session.blocks.first)


def screen_verdict(arm: Arm, found: Screened | None) -> Verdict:
    """What screening alone says: a direction, never a claim."""
    if found is None:
        return not_run(arm, {"reason": "no time, or no result"})
    word = "not better" if found.gain <= 0 else "cannot tell"
    evidence = {"stage": "screening", "loss": found.rival.loss, "champion": found.base}
    if found.part > 1:
        evidence[PART] = 1 / found.part
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
