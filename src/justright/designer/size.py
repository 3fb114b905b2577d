"""The size search at work: its trainings run on the crew, its verdict is recorded.

The search itself is a pure function (`sizing.search`); here its wishes are granted, trained as
trunks that are continued from third to third, and their curves handed back to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from justright.core.codec import to_document
from justright.core.decision import Decision, Status
from justright.core.finding import Finding, Severity
from justright.core.trial import Trial, TrialState
from justright.designer.admission import Admission
from justright.designer.allowed import Allowed
from justright.designer.jobs import EncodedBlock, NetworkJob
from justright.designer.limits import weight_of, with_hidden
from justright.designer.session import USABLE_SHARE, Arm, Champion, Session, results
from justright.designer.work import SIZE_BUDGET, SIZE_ENDED
from justright.sizing.evidence import SHARES, Curve, Evidence
from justright.sizing.goal import Ask, Goal, told
from justright.sizing.report import SizeReport, report_of
from justright.sizing.search import next_asks, worthwhile
from justright.sizing.shapes import Hidden
from justright.statistics.intervals import row_variance
from justright.statistics.metrics import metric_named
from justright.training.request import MAX_EVALUATIONS
from justright.training.trunk import trunk

SIZE_SHARE = 0.4
"""Share of the time left that the size search may take (assumption; planned before building: a
quarter for the ladder and a fifth for confirming)."""

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
    """

    def __init__(
        self, session: Session, champion: Champion, admission: Admission, delta: float
    ) -> None:
        self._session = session
        self._champion = champion
        self._admission = admission
        self._recipe = trunk(champion.arm.recipe)
        first = session.blocks.block(session.blocks.first[0], self._recipe.preprocessing)
        self._inputs = session.blocks.inputs(first)
        self._goal = self._make_goal(first, delta)
        self._evidence = Evidence()
        self._predictions: dict[Hidden, Trial] = {}
        self._prices: dict[Hidden, float] = {}

    @property
    def blocks_seen(self) -> int:
        """Blocks below this number were seen by the search, or by the champion before it."""
        ours = max(self._goal.confirmation) + 1 if self._evidence.curves else 0
        return max(max(self._session.blocks.first) + 1, ours)

    def run(self) -> SizeReport | None:
        """Search while the budget lasts, record the verdict, and return it."""
        session, evidence = self._session, self._evidence
        if not session.plan.grant("size search", lambda: int(worthwhile(self._goal))):
            session.plan.truncate(SIZE_BUDGET, 0)
            return None
        for asks in recorded_asks(session.plan.granted):
            self._train(evidence, asks)
        if SIZE_ENDED not in session.plan.granted:  # else what followed rests on what was found
            self._go_on()
            session.plan.truncate(SIZE_ENDED, 1)
        shared = session.blocks.fixed_holdout
        rows = self._row_variance if shared else None
        report = report_of(evidence, self._goal, rows, session.options.size.prefer)
        if report is not None:
            self._record(report)
        return report

    def _go_on(self) -> None:
        """Train what the search asks for, until it asks for nothing, or the clock cuts it."""
        session, evidence = self._session, self._evidence
        while not session.plan.repeat and (asks := next_asks(evidence, self._goal)):
            for ask in asks:
                session.plan.grant(key_of(ask), lambda: 1)
                session.watch.headline(f"size, {told(ask)}")
            if not self._train(evidence, asks):
                return

    def _make_goal(self, first: EncodedBlock, delta: float) -> Goal:
        session = self._session
        left = self._admission.left(self._champion.arm, self._champion.arm)
        share = 1.0 if session.options.only == "size" else SIZE_SHARE
        small = len(session.blocks.first) > 1
        fixed = session.blocks.fixed_holdout
        choose, confirm = SMALL_BLOCKS if small else LARGE_BLOCKS if fixed else BLOCKS
        spec = self._recipe.preprocessing
        encoding = session.blocks.encoding_s(range(choose + confirm), spec)
        seconds = (share * left - encoding) * session.crew.capacity * USABLE_SHARE
        budget = session.plan.grant(SIZE_BUDGET, lambda: int(max(seconds, 0.0)))
        return Goal(
            selection=tuple(range(choose)),
            confirmation=tuple(range(choose, choose + confirm)),
            overlap=0.0 if fixed else first.overlap,
            delta=delta,
            limits=Allowed(session).limits(self._recipe, self._inputs),
            weigh=cache(self._weigh),
            cost=lambda hidden: self._cost(hidden, choose),
            budget=float(budget),
            rows=len(first.train),
            outputs=self._inputs.outputs,
        )

    def _weigh(self, hidden: Hidden) -> int:
        return weight_of(with_hidden(self._recipe, hidden), self._inputs)

    def _cost(self, hidden: Hidden, blocks: int) -> float:
        """Worker-seconds of a full run on one block, when all blocks are trained as one stack.

        The search asks for them by the thousand, so they are kept until trainings change them.
        """
        if hidden not in self._prices:
            arm = self._arm(hidden)
            members = 1 if self._session.alone(arm.recipe) else blocks
            seconds = self._session.seconds(arm, self._inputs, members)
            self._prices[hidden] = seconds / members
        return self._prices[hidden]

    def _arm(self, hidden: Hidden) -> Arm:
        shape = "-".join(map(str, hidden))
        return Arm(f"size {shape}", with_hidden(self._recipe, hidden), self._champion.arm.steps)

    def _jobs(self, ask: Ask) -> tuple[NetworkJob, ...]:
        session, arm = self._session, self._arm(ask.hidden)
        spec = arm.recipe.preprocessing
        blocks = [session.blocks.block(number, spec) for number in ask.blocks]
        stop = max(round(arm.steps * ask.share), 1)
        return tuple(
            replace(
                job,
                stop=stop,
                trunk=True,
                continued=ask.stage == "length",
                evaluations=MAX_EVALUATIONS,
            )
            for job in session.train(arm, f"size/{ask.stage}", blocks, parts=1)
        )

    def _train(self, evidence: Evidence, asks: Sequence[Ask]) -> bool:
        """Run some asks and take in what they show; whether all of them came to their end."""
        session = self._session
        jobs = {ask: self._jobs(ask) for ask in asks}
        reserve = self._admission.reserve_s(self._champion.arm)
        self._prices.clear()
        trials = session.run([job for group in jobs.values() for job in group], reserve)
        complete = True
        for ask, group in jobs.items():
            own = results(trials, group)
            if any(trial.state is TrialState.FAILED for trial in own):
                evidence.failed.add(ask.hidden)
            elif all(trial.state is TrialState.DONE for trial in own):
                pairs = zip(ask.blocks, own, strict=True)
                evidence.add({(ask.hidden, block): self._curve(t) for block, t in pairs})
                if ask.share == 1.0 and ask.blocks == self._goal.selection:
                    self._predictions[ask.hidden] = own[0]
            else:
                session.plan.truncate(key_of(ask), 0)
                complete = False
        return complete

    def _curve(self, trial: Trial) -> Curve:
        session = self._session
        metric = metric_named(session.metric)
        steps, values = session.store.curves.read(session.name, trial.spec.id, CURVES[0])
        train, proper = (
            session.store.curves.read(session.name, trial.spec.id, name)[1] for name in CURVES[1:]
        )
        full = self._champion.arm.steps
        exact = {max(round(full * share), 1): share for share in SHARES}  # steps are whole
        return Curve(
            tuple(exact.get(int(step), float(step) / full) for step in steps),
            tuple(metric.loss(value) for value in values),
            tuple(train),
            tuple(proper),
        )

    def _row_variance(self, first: Hidden, second: Hidden) -> float:
        """Variance of the difference of two sizes from the choice of the validation rows."""
        session = self._session
        one, other = (self._predictions.get(size) for size in (first, second))
        if one is None or other is None:
            return 0.0
        block = session.blocks.block(0, self._recipe.preprocessing)
        sample, metric = session.blocks.sample(block), metric_named(session.metric)
        return row_variance(metric, sample, session.predictions(one), session.predictions(other))

    def _record(self, report: SizeReport) -> None:
        session = self._session
        document = to_document(report) | {"sentence": report.sentence}
        session.fact("size", _without_nan(document))
        session.watch.headline(f"size: {report.sentence}")
        if report.by_heart:
            session.store.ledger.find(session.name, [_by_heart(report)])
        weighed = next(row.weights for row in report.rows if row.hidden == report.chosen)
        session.store.ledger.decide(
            session.name,
            Decision(
                "size",
                report.sentence,
                f"of {len(report.rows)} sizes, the lightest that is not worse than the best by "
                f"{report.delta:.3g}, "
                + ("on blocks that chose nothing" if report.confirmed else "not confirmed"),
                "plateau of paired, simultaneous differences (Hsu 1996; Berger 1982)",
                Status.MEASURED,
                {"weights": float(weighed), "delta": report.delta},
            ),
        )


def _by_heart(report: SizeReport) -> Finding:
    own = next(row for row in report.rows if row.hidden == report.chosen)
    last = [row for row in report.rows if row.word != "given up"][-1]
    return Finding(
        "learned by heart",
        Severity.WARNING,
        f"{last.name} fits training rows better than {own.name} (loss {last.train:.3g} instead of "
        f"{own.train:.3g}), and rows that it has not seen worse: it learns noise by heart",
        f"{own.name} was chosen; a larger network needs less noise in the target, more rows, "
        "or to be stopped early",
        numbers={"train": last.train, "difference": last.difference},
    )


def key_of(ask: Ask) -> str:
    """The ask's key in the work plan.

    >>> key_of(Ask((64, 64), (0, 1), 1 / 3, "ladder"))
    'size ask ladder/64-64/0,1/333'
    """
    shape = "-".join(map(str, ask.hidden))
    blocks = ",".join(map(str, ask.blocks))
    return f"size ask {ask.stage}/{shape}/{blocks}/{round(1000 * ask.share)}"


def recorded_asks(granted: Mapping[str, int]) -> list[tuple[Ask, ...]]:
    """The asks of a work plan in their order.

    >>> ask = Ask((64, 64), (0, 1), 1 / 3, "ladder")
    >>> recorded_asks({key_of(ask): 1}) == [(ask,)]
    True
    """
    asks = []
    for key, amount in granted.items():
        if key.startswith("size ask ") and amount:
            stage, shape, blocks, share = key.removeprefix("size ask ").split("/")
            hidden = tuple(int(units) for units in shape.split("-"))
            numbers = tuple(int(number) for number in blocks.split(","))
            shares = {111: 1 / 9, 333: 1 / 3, 1000: 1.0}
            asks.append((Ask(hidden, numbers, shares[int(share)], stage),))
    return asks


def _without_nan(value: object) -> object:
    """JSON knows no nan: null instead."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
