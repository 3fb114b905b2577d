"""The size search at work: its trainings run on the crew, its verdict is recorded.

The search itself is a pure function (`sizing.search`); here its wishes are granted, trained as
trunks that are continued from third to third, and their curves handed back to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

from justright.core.trial import Trial, TrialState
from justright.designer.request.limits import weight_of, with_hidden
from justright.designer.request.options import time_text
from justright.designer.stages.noise import record_rungs
from justright.designer.stages.size_plan import key_of, parts_of, recorded, recorded_asks
from justright.designer.stages.size_record import record
from justright.designer.timing.work_plan import (
    LATE,
    LIMIT,
    SIZE_BUDGET,
    SIZE_ENDED,
    SIZE_LEFT,
    SIZE_PART,
)
from justright.designer.work.admission import Admission
from justright.designer.work.allowed import Allowed
from justright.designer.work.jobs import EncodedBlock, NetworkJob
from justright.designer.work.session import Arm, Champion, Session, results, work_a_second
from justright.ideas.rule import Leads
from justright.sizing.evidence import SHARES, Curve, Evidence
from justright.sizing.goal import Ask, Goal, told
from justright.sizing.report import SizeReport, report_of
from justright.sizing.search import least, next_asks, offer, worthwhile
from justright.sizing.shapes import Hidden
from justright.statistics.intervals import row_variance
from justright.statistics.metrics import metric_named
from justright.training.request import MAX_EVALUATIONS
from justright.training.trunk import search_form

SIZE_SHARES = (0.4, 0.6)
"""Shares of the time left that the size search may take: the first that reaches for an answer
(assumption; planned before building: a quarter for the ladder and a fifth for confirming)."""

LARGE_SHARES = (*SIZE_SHARES, 0.9)
"""The same for large tables, where what is left beside one long run seldom lets an idea be tried
(assumption)."""

UNDEFINED = "the metric is not defined on some of the validation rows"
NOTHING_LEARNED = "neither a baseline nor the network is better than the constant"
NO_TIME = "no time for a size search"
NOT_ALLOWED = "no size of the ladder is within the limits"
NOTHING_FULL = "no size was trained in full"
"""Why there is no verdict."""

BLOCKS = (3, 3)
"""Blocks on which sizes are chosen, and on which they are confirmed."""

LARGE_BLOCKS = (2, 2)
"""The same where all blocks share one hold-out, whose rows say most of what is to be said."""

SMALL_BLOCKS = (5, 5)
"""The same for small tables: a repetition of five folds each."""

CURVES = ("metric", "probe_loss", "validation_loss")


class SizeStage:
    """Runs the size search of one study.

    Args:
        session: The study at work.
        champion: Whose recipe and length are searched with.
        admission: Prices trainings.
        delta: Smallest difference that matters, in units of the deciding metric.
        late: Whether it was refused before, and begins with what is left after everything else.

    Attributes:
        champion: As given.
        goal: What is searched.
        evidence: What its runs have shown; whether that is the noise, too: `shows_noise`.
    """

    def __init__(
        self,
        session: Session,
        champion: Champion,
        admission: Admission,
        delta: float,
        *,
        late: bool = False,
    ) -> None:
        self._session = session
        self._key = LATE if late else ""
        self.champion = champion
        self._admission = admission
        self._recipe = search_form(champion.arm.recipe)
        first = session.blocks.block(session.blocks.first[0], self._recipe.preprocessing)
        self._inputs = session.blocks.inputs(first)
        self._prices: dict[tuple[Hidden, int], float] = {}
        self.goal = self._make_goal(first, delta)
        self.evidence = Evidence()
        self._predictions: dict[Hidden, Trial] = {}
        self.shows_noise = False

    @property
    def blocks_seen(self) -> int:
        """Blocks below this number were seen by the search, or by the champion before it."""
        ours = max(self.goal.confirmation) + 1 if self.evidence.curves else 0
        return max(max(self._session.blocks.first) + 1, ours)

    def run(self) -> SizeReport | None:
        """Search while the budget lasts, record the verdict, and return it."""
        session, evidence = self._session, self.evidence
        if reason := self._reason():
            session.fact("size", {"reason": reason})
            return None
        for ask in recorded_asks(session.plan.granted, self.goal.part):
            self._train(evidence, [ask])
        if SIZE_ENDED not in session.plan.granted:  # else what followed rests on what was found
            self._go_on()
            session.plan.truncate(SIZE_ENDED, 1)
        rows = self._row_variance if session.blocks.fixed_holdout else None
        report = report_of(evidence, self.goal, rows, session.options.size.prefer)
        if report is None:
            session.fact("size", {"reason": NOTHING_FULL})
        else:
            report = replace(report, time=self._time_for(report.wanted, 0))
            recipe = with_hidden(self.champion.arm.recipe, report.chosen)
            members = recipe.shape.members
            record(session, report, Allowed(session).seconds(recipe, self._inputs), members)
            whole = evidence.whole((*self.goal.selection, *self.goal.confirmation))
            self.shows_noise = record_rungs(session, whole, self.goal.part, members)
        return report

    def _reason(self) -> str:
        """Why there is no search; empty if there is one."""
        if not math.isfinite(self.champion.loss):
            return UNDEFINED
        if not self.goal.delta:
            return NOTHING_LEARNED
        plan, key = self._session.plan, "size search"
        waits = not self._key and plan.granted.get(LATE + key)  # it was late before, and so stays
        if plan.grant(self._key + key, lambda: 0 if waits else int(worthwhile(self.goal))):
            return ""
        plan.truncate(self._key + SIZE_BUDGET, 0)
        plan.truncate(self._key + SIZE_PART, 0)
        wanted, left = least(self.goal), self.goal.budget
        if not math.isfinite(wanted):
            return NOT_ALLOWED
        if plan.repeat:  # what could be spared then is not known now
            return NO_TIME
        text = f"{NO_TIME}: it takes {_seconds(wanted)}, and {_seconds(left)} could be spared"
        return f"{text}; --time {self._time_for(wanted, -1)} may allow it"

    def _time_for(self, budget: float, place: int) -> str:
        """A limit that leaves the search so many worker-seconds; empty if unknown.

        By one of the shares that it may have where a final training follows.
        """
        granted = self._session.plan.granted
        if not budget or LIMIT not in granted:
            return ""
        share = 1.0 if self._session.options.only == "size" else SIZE_SHARES[place]
        more = (budget / self._usable + self._encoding) / share
        return time_text(granted[LIMIT] + max(more - granted[self._key + SIZE_LEFT] / 1000, 1.0))

    def _go_on(self) -> None:
        """Train what the search asks for, until it asks for nothing, or the clock cuts it."""
        session, evidence = self._session, self.evidence
        while not session.plan.repeat and (asks := next_asks(evidence, self.goal)):
            for ask in asks:
                session.plan.grant(key_of(ask, self.goal.part), lambda: 1)
                session.watch.headline(f"size, {told(ask, self._steps(self.goal.part))}")
            if not self._train(evidence, asks):
                return

    def _make_goal(self, first: EncodedBlock, delta: float) -> Goal:
        """What is searched, with as long runs and as much time as reach for an answer."""
        session = self._session
        small = len(session.blocks.first) > 1
        fixed = session.blocks.fixed_holdout
        choose, confirm = SMALL_BLOCKS if small else LARGE_BLOCKS if fixed else BLOCKS
        spec = self._recipe.preprocessing
        goal = Goal(
            selection=tuple(range(choose)),
            confirmation=tuple(range(choose, choose + confirm)),
            overlap=0.0 if fixed else first.overlap,
            delta=delta,
            limits=Allowed(session).limits(self.champion.arm.recipe, self._inputs),
            weigh=cache(self._weigh),
            cost=partial(self._cost, blocks=choose, part=1),
            budget=0.0,
            rows=len(first.train),
            outputs=self._inputs.outputs,
        )
        goals = {
            part: replace(goal, part=part, cost=partial(self._cost, blocks=choose, part=part))
            for part in self._parts()
        }
        self._encoding = session.blocks.encoding_s(range(choose + confirm), spec)
        left = self._admission.left(self.champion)
        session.plan.grant(self._key + SIZE_LEFT, lambda: round(1000 * left))
        spared = [max(share * left - self._encoding, 0.0) for share in self._shares]
        budgets = [seconds * self._usable for seconds in spared]
        offered = cache(lambda: offer(list(goals.values()), budgets))
        part = session.plan.grant(self._key + SIZE_PART, lambda: offered().part)
        goal = goals.get(part, goals[1])
        budget = session.plan.grant(
            self._key + SIZE_BUDGET, lambda: int(offered().budget + self._spent_before(goal))
        )
        return replace(goal, budget=float(budget))

    @property
    def _usable(self) -> float:
        """Worker-seconds of a second."""
        return work_a_second(self._session.crew.capacity)

    @property
    def _shares(self) -> tuple[float, ...]:
        """Shares of the time left that the search may take."""
        if not self._admission.finishing:
            return (1.0,)  # nothing follows
        return LARGE_SHARES if self._session.blocks.fixed_holdout else SIZE_SHARES

    def _parts(self) -> tuple[int, ...]:
        """By what the network's own length may be divided."""
        shares = [share for *_, share in recorded(self._session.plan.granted)]
        large = self._session.blocks.fixed_holdout
        return parts_of(self.champion.arm.steps, shares, large=large)

    def _spent_before(self, goal: Goal) -> float:
        """Worker-seconds of what was trained before the study was resumed."""
        shares: dict[tuple[Hidden, int], float] = {}
        for ask in recorded_asks(self._session.plan.granted, goal.part):
            for block in ask.blocks:
                known = shares.get((ask.hidden, block), 0.0)
                shares[ask.hidden, block] = max(known, ask.share)
        return sum(goal.cost(hidden) * share for (hidden, _), share in shares.items())

    def _weigh(self, hidden: Hidden) -> int:
        return weight_of(with_hidden(self.champion.arm.recipe, hidden), self._inputs)

    def _cost(self, hidden: Hidden, blocks: int, part: int) -> float:
        """Worker-seconds of a full run on one block, when all blocks are trained as one stack.

        The search asks for them by the thousand, so they are kept until trainings change them.
        """
        if (hidden, part) not in self._prices:
            arm = self._arm(hidden, part)
            members = 1 if self._session.alone(arm.recipe) else blocks
            seconds = self._session.seconds(arm, self._inputs, members)
            self._prices[hidden, part] = seconds / members
        return self._prices[hidden, part]

    def _arm(self, hidden: Hidden, part: int) -> Arm:
        shape = "-".join(map(str, hidden))
        return Arm(f"size {shape}", with_hidden(self._recipe, hidden), self._steps(part))

    def _steps(self, part: int) -> int:
        """Steps of a full run of the search."""
        return max(round(self.champion.arm.steps / part), 1)

    def _jobs(self, ask: Ask) -> tuple[NetworkJob, ...]:
        session, arm = self._session, self._arm(ask.hidden, 1)
        spec = arm.recipe.preprocessing
        blocks = [session.blocks.block(number, spec) for number in ask.blocks]
        stop = max(round(self._steps(self.goal.part) * ask.share), 1)
        return tuple(
            replace(
                job,
                stop=stop,
                trunk=True,
                evaluations=MAX_EVALUATIONS,
                health=False,  # hundreds of short runs, of which none is handed over
            )
            for job in session.train(arm, f"size/{ask.stage}", blocks, parts=1)
        )

    def _train(self, evidence: Evidence, asks: Sequence[Ask]) -> bool:
        """Run some asks and take in what they show; whether all of them came to their end."""
        session = self._session
        jobs = {ask: self._jobs(ask) for ask in asks}
        reserve = self._admission.reserve_s(self.champion)
        self._prices.clear()
        trials = session.run([job for group in jobs.values() for job in group], reserve)
        complete = True
        for ask, group in jobs.items():
            own = results(trials, group)
            failed = [trial for trial in own if trial.state is TrialState.FAILED]
            if failed:
                evidence.failed[ask.hidden] = failed[0].reason or "no result"
            elif all(trial.state is TrialState.DONE for trial in own):
                steps = self._steps(self.goal.part)
                curves = [_curve(session, trial, steps) for trial in own]
                if not all(math.isfinite(curve.loss[-1]) for curve in curves):
                    evidence.failed[ask.hidden] = UNDEFINED
                    continue
                pairs = zip(ask.blocks, curves, strict=True)
                evidence.add({(ask.hidden, block): curve for block, curve in pairs})
                if ask.share == 1.0 and ask.blocks == self.goal.selection:
                    self._predictions[ask.hidden] = own[0]
            else:
                session.plan.truncate(key_of(ask, self.goal.part), 0)
                complete = False
        return complete

    def _row_variance(self, first: Hidden, second: Hidden) -> float:
        """Variance of the difference of two sizes from the choice of the validation rows."""
        session = self._session
        one, other = (self._predictions.get(size) for size in (first, second))
        if one is None or other is None:
            return 0.0
        block = session.blocks.block(0, self._recipe.preprocessing)
        sample, metric = session.blocks.sample(block), metric_named(session.metric)
        return row_variance(metric, sample, session.predictions(one), session.predictions(other))


def _curve(session: Session, trial: Trial, full: int) -> Curve:
    """The losses of a training by its share of the full length, which has so many steps."""
    metric = metric_named(session.metric)
    steps, values = session.store.curves.read(session.name, trial.spec.id, CURVES[0])
    train, proper = (
        session.store.curves.read(session.name, trial.spec.id, name)[1] for name in CURVES[1:]
    )
    exact = {max(round(full * share), 1): share for share in SHARES}  # steps are whole
    return Curve(
        tuple(exact.get(int(step), float(step) / full) for step in steps),
        tuple(metric.loss(value) for value in values),
        tuple(train),
        tuple(proper),
    )


def lead_on(leads: Leads, stage: SizeStage, report: SizeReport | None) -> Leads:
    """The leads with the size that was found, and with what it was ahead of the champion's by.

    Args:
        leads: What was known before.
        stage: The search.
        report: Its verdict; None where it has none.
    """
    leads = replace(leads, blocks=stage.blocks_seen)
    if report is None:
        return leads
    own, goal = stage.champion.arm.recipe.shape.hidden, stage.goal
    ahead = stage.evidence.ahead(report.chosen, own, goal.selection, goal.weigh)
    gain = ahead if ahead > goal.delta else 0.0  # nan is not
    return replace(leads, size=report.chosen, size_gain=gain)


def _seconds(amount: float) -> str:
    return f"{amount:,.0f} core-seconds" if amount >= 10 else f"{amount:.1f} core-seconds"
