"""The learning rate: a range test, a race of rates, a check of the lowest point between them.

The test runs on the champion's shape without members, once, and again only after a change that
moves the best rate. It does not change the champion: the rate that comes out becomes an idea,
which is screened and confirmed at full length like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Any

import numpy as np

from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.core.trial import Trial, TrialState
from justright.designer.stages.range_test import CUT, FACT, RATE_SHARE, range_curve, range_seconds
from justright.designer.stages.rate_jobs import RaceJob
from justright.designer.timing.work_plan import LATE
from justright.designer.work.admission import Admission
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.session import Arm, Champion, Session, results, work_a_second
from justright.ideas.rule import Leads
from justright.recipe.recipe import Recipe
from justright.training.rate_race import (
    Verified,
    lowest_point,
    mean_losses,
    race_steps,
    verify,
    winner_of,
)
from justright.training.rate_rules import (
    MOST_ENTRANTS,
    Entrant,
    Pick,
    RangeCurve,
    alike,
    entrants,
    picks,
)
from justright.training.trunk import peak_of, search_form, trunk

LATE_SHARE = 0.5
"""The same where it was refused at first, of what is left after everything else (assumption: the
other half is for trying the rate that comes out)."""

RACE_BLOCKS = 3
"""Blocks of the race, where the time allows: seeds on the screening partition of a large table;
small tables race on each of their folds (assumption)."""

RACED, CHECKED = 10, 20
"""First repeats of the blocks that race and check use, so that they share no seed with the
champion's trainings, and no partition with the blocks that confirm ideas."""

SOURCE = (
    "range test: Smith 2015; valley and minimum/10: fastai; half of divergence: Bengio 2012; "
    "the race decides"
)

_KEY = "rate"


@dataclass(frozen=True)
class Race:
    """A race that was run.

    Attributes:
        entrants: The rates, the prior first.
        losses: ``[rates, blocks]``; infinite where a training diverged.
        winner: Place of the lowest mean.
        tried: The rate with the lowest loss between the winner and its neighbours.
        verified: The check of that rate; None if it is the prior's.
        steps: Steps of each training.
    """

    entrants: tuple[Entrant, ...]
    losses: np.ndarray
    winner: int
    tried: float
    verified: Verified | None
    steps: int

    @property
    def rate(self) -> float:
        """The constant rate that stands at the end."""
        holds = self.verified is not None and self.verified.holds
        return self.tried if holds else self.entrants[0].rate


def find_rate(
    session: Session,
    champion: Champion,
    admission: Admission,
    leads: Leads,
    when: str = "",
    *,
    gone_on: bool = False,
) -> Leads:
    """Test and race learning rates on the champion's shape, and record what came out.

    Args:
        session: The study at work.
        champion: Whose recipe and shape are tested.
        admission: Says what time must be kept for what follows.
        leads: What was measured so far.
        when: Beginning of its key in the work plan: empty at first; `LATE` where it was refused
            before, and takes of what is left after everything else; else it is run again.
        gone_on: Whether the study, which is gone on with, has later stages: where it was refused
            it stays so, as they rest on that.

    Returns:
        The leads with the peak rate that came out, or without one if the champion's did; unchanged
        if nothing was raced: there was no time, or the range test failed.
    """
    prior = champion.arm.recipe.optimiser.rate
    key, late = when + _KEY, when == LATE
    waits = gone_on or (not when and session.plan.granted.get(LATE + _KEY))
    count = session.plan.grant(
        key, lambda: 0 if waits else _affordable(session, champion, admission, late=late)
    )
    reserve_s = admission.reserve_s(champion)
    finder = _Finder(session, champion, key, reserve_s)
    curve = range_curve(session, champion, reserve_s) if count else _no_time(session)
    if curve == CUT:
        session.plan.truncate(key, 0)
    proposed = () if isinstance(curve, str) else picks(curve)
    race = curve if isinstance(curve, str) else finder.race(proposed, count)
    if isinstance(curve, str) or isinstance(race, str):
        earlier = session.store.ledger.fact(session.name, "rate") if when else None
        session.fact("rate", (earlier or {"prior": prior}) | {"reason": race})
        return leads
    recipe = champion.arm.recipe
    peak = peak_of(recipe, race.rate)
    stays = alike(peak, prior)
    fact = _fact(recipe.optimiser.rate, peak, curve, proposed, race)
    session.fact("rate", fact | {"subject": champion.arm.subject})
    decision = _decision(prior, prior if stays else peak, race)
    session.store.ledger.decide(session.name, decision)
    session.watch.headline(f"learning rate: {decision.choice}")
    return replace(leads, rate=None if stays else peak, raced=recipe)


def follow_change(
    session: Session, champion: Champion, admission: Admission, leads: Leads, number: int
) -> Leads:
    """Race the rates again, where the champion has changed in what moves the best one.

    Args:
        session: The study at work.
        champion: After a round in which an idea was accepted.
        admission: Says what time must be kept for what follows.
        leads: What was measured so far; they stay where there is nothing, or no time, to race.
        number: Of the round.
    """
    if leads.raced is None or moves_rate(leads.raced) == moves_rate(champion.arm.recipe):
        return leads
    gone_on = bool(session.plan.granted.get(f"round {number + 1}"))
    return find_rate(session, champion, admission, leads, f"round {number} ", gone_on=gone_on)


def moves_rate(recipe: Recipe) -> tuple[object, ...]:
    """What the best rate depends on, besides the shape: batch, update rule and normalisation.

    The rate grows with the batch (Goyal et al. 2017), every rule has rates of its own, and
    normalised layers bear larger ones (Ioffe & Szegedy 2015).

    >>> moves_rate(Recipe(batch=64)) == moves_rate(Recipe(batch=64, epochs=8.0))
    True
    """
    rule = recipe.optimiser
    return recipe.batch, rule.rule, rule.beta1, rule.beta2, recipe.shape.normaliser


def was_refused(session: Session) -> bool:
    """Whether there was no time for a range test and a race when rates were to be found."""
    return not session.plan.granted.get(_KEY)


def _affordable(session: Session, champion: Champion, admission: Admission, *, late: bool) -> int:
    """On how many blocks the race can be run within its share of the time; 0 = not at all."""
    recipe = search_form(champion.arm.recipe)
    inputs = session.blocks.inputs_of(recipe.preprocessing)
    _, stop = race_steps(champion.arm.steps)
    test = range_seconds(session, champion)
    short = Arm("", recipe, stop)
    members = (MOST_ENTRANTS, 2)  # of the race, and of the check
    each = sum(session.seconds(short, inputs, count) for count in members)
    left = admission.left(champion)
    workers = session.crew.capacity
    share = LATE_SHARE * left if late else RATE_SHARE * session.clock.limit_s
    budget = share * work_a_second(workers)
    for count in range(max(RACE_BLOCKS, len(session.blocks.first)), 0, -1):
        if test + count * each <= budget and test + ceil(count / workers) * each <= left:
            return count
    return 0


def _no_time(session: Session) -> str:
    """Why there was no race; what a range test alone has said is worth telling."""
    known = session.store.ledger.fact(session.name, FACT)
    if known is None:
        return "there was no time for a range test"
    suggested = f"{known['suggested']:.2g}"
    return f"there was no time for a race; the range test alone suggests {suggested}"


@dataclass(frozen=True)
class _Finder:
    """The trainings behind a rate; where one brings nothing, the answer is the reason."""

    session: Session
    champion: Champion
    key: str
    reserve_s: float

    def race(self, proposed: Sequence[Pick], count: int) -> Race | str:
        """Race the prior and rates beside it; check what comes out on fresh seeds."""
        prior = trunk(self.champion.arm.recipe).optimiser.rate
        field = entrants(prior, proposed)
        rates = tuple(entrant.rate for entrant in field)
        losses = self._train(rates, count, RACED)
        if losses is None:
            return self._cut("race of rates")
        winner, tried, verified = winner_of(losses), lowest_point(rates, losses), None
        if not alike(tried, prior):
            fresh = self._train((tried, prior), count, CHECKED)
            if fresh is None:
                return self._cut("check of the raced rate")
            verified = verify(losses[[winner, 0]] if winner else losses[:2, :0], fresh)
        steps = race_steps(self.champion.arm.steps)[1]
        return Race(field, losses, winner, tried, verified, steps)

    def _cut(self, what: str) -> str:
        """Take the work back from the plan."""
        self.session.plan.truncate(self.key, 0)
        return f"the time limit cut the {what}"

    def _train(self, rates: tuple[float, ...], count: int, repeat: int) -> np.ndarray | None:
        """Validation losses ``[rates, blocks]`` of a short stretch; None if it was cut."""
        session, arm = self.session, self.champion.arm
        steps, stop = race_steps(arm.steps)
        out = session.folder.trials
        jobs = [
            RaceJob(search_form(arm.recipe), rates, block, steps, stop, session.metric, out)
            for block in self._blocks(count, repeat)
        ]
        trials = session.run(jobs, self.reserve_s)
        found = [results(trials, [job]) for job in jobs]
        if any(trial.state is TrialState.CUT for each in found for trial in each):
            return None
        return np.array([[_loss(trial) for trial in each] for each in found]).T

    def _blocks(self, count: int, repeat: int) -> list[EncodedBlock]:
        """Folds of a small table, or seeds on the one partition that is encoded already."""
        blocks = self.session.blocks
        spec = self.champion.arm.recipe.preprocessing
        numbers = blocks.first[:count] if len(blocks.first) > 1 else blocks.first * count
        return [blocks.block(n, spec, repeat + place) for place, n in enumerate(numbers)]


def _loss(trial: Trial) -> float:
    """The validation loss at the end; infinite for a training that diverged, or was lost."""
    loss = trial.result.get("loss") if trial.state is TrialState.DONE else None
    return float("inf") if loss is None else float(loss)


def _fact(
    prior: float, peak: float, curve: RangeCurve, proposed: Sequence[Pick], race: Race
) -> dict[str, Any]:
    """What the card shows; rates are constant ones but for "prior" and "peak"."""
    check = race.verified
    return {
        "prior": prior,
        "peak": peak,
        "rate": race.rate,
        "curve": {
            "rates": curve.rates.tolist(),
            "losses": curve.losses.tolist(),
            "diverged": curve.diverged,
        },
        "candidates": [to_document(pick) for pick in proposed],
        "race": {
            "steps": race.steps,
            "winner": race.entrants[race.winner].rate,
            "tried": race.tried,
            "entrants": [
                {
                    "rate": entrant.rate,
                    "rules": list(entrant.rules),
                    "losses": [_number(loss) for loss in losses],
                    "loss": _number(mean),
                }
                for entrant, losses, mean in zip(
                    race.entrants, race.losses, mean_losses(race.losses), strict=True
                )
            ],
        },
        "check": None
        if check is None
        else {
            "gain": _number(check.gain),
            "noise": _number(check.noise),
            "holds": check.holds,
            "blocks": race.losses.shape[1],
        },
    }


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _decision(prior: float, peak: float, race: Race) -> Decision:
    blocks = race.losses.shape[1]
    first, winner = mean_losses(race.losses[[0, race.winner]])
    measured: Mapping[str, Any] = {
        "prior_loss": _number(first),
        "winner_loss": _number(winner),
        "blocks": blocks,
        "steps": race.steps,
    }
    check = race.verified
    if check is not None:
        measured = {**measured, "gain_on_fresh_seeds": _number(check.gain), "noise": check.noise}
    measured = {name: value for name, value in measured.items() if value is not None}
    if peak != prior:
        choice = f"peak rate {peak:.3g} is tried instead of {prior:.3g}"
        reason = "it came out of the race of rates and was not worse on fresh seeds"
    elif check is not None and not check.holds:
        choice = f"peak rate {prior:.3g} stays"
        reason = "what came out of the race was worse by more than the noise on fresh seeds"
    else:
        choice = f"peak rate {prior:.3g} stays"
        reason = "no rate that differs from it came out of the race"
    raced = f"{len(race.entrants)} rates for {race.steps} steps on {blocks} blocks"
    return Decision(_KEY, choice, f"{reason} ({raced})", SOURCE, Status.MEASURED, measured)
