"""The stages of a study, in order: the one imperative shell, read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from justright.core.codec import from_document, to_document
from justright.core.decision import Decision, Status
from justright.core.errors import JustRightError
from justright.data.audit.registry import audit
from justright.data.encoded import EncodedRows
from justright.designer.delivery.calibrate import Calibrated, calibrate, measure_coverage
from justright.designer.delivery.closing import close_study
from justright.designer.delivery.deliver import complete_card, deliver, predict_test
from justright.designer.delivery.ensemble import foretell_gain, hold_out
from justright.designer.delivery.headline import headline
from justright.designer.delivery.repeats import Repeated, repeat
from justright.designer.findings import facts
from justright.designer.findings.describe_errors import describe_errors
from justright.designer.findings.diagnose import diagnose_champion
from justright.designer.findings.examine import examine_champion
from justright.designer.findings.forecast import forecast_more_data
from justright.designer.findings.reliability import measure_reliability
from justright.designer.improvement.advice import few_of
from justright.designer.improvement.improve import Improver
from justright.designer.improvement.rest import Rest
from justright.designer.improvement.whole import measure_whole_gain
from justright.designer.request.limits import with_hidden
from justright.designer.stages.finish import Final, finish
from justright.designer.stages.noise import measure_noise, record_noise
from justright.designer.stages.opening import Earlier, open_test
from justright.designer.stages.rate import find_rate
from justright.designer.stages.sanity import check_champion
from justright.designer.stages.size import SizeStage, lead_on
from justright.designer.stages.stage_decisions import (
    record_baselines,
    record_left_out,
    record_verdict,
)
from justright.designer.stages.tolerance import tolerance_of
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.allowed import Allowed, found_slow
from justright.designer.work.aside import aside
from justright.designer.work.champion import train_champion, unhurried_s
from justright.designer.work.crew import Interrupted
from justright.designer.work.evidence import why_not
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import Champion, Session
from justright.diagnosis.states import State
from justright.executors.base import Call
from justright.ideas.rule import Leads
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import name_of
from justright.statistics.metrics import metric_named
from justright.training.cost import CostModel, Measured
from justright.training.start import start_recipe

CALIBRATION_S, SHORT_CALIBRATION = 1.2, 0.08
"""Seconds, and at most this share of the time left, of measured steps before the work is planned
(assumption: the relative error of the prediction stays within the 30% of its 90% quantile)."""

CALIBRATION_SHARE = 0.25
"""Share of the time left after which a calibration is given up, and the usual costs are believed:
on a machine that is busy, or whose first import takes long, it must not eat the champion's time
(assumption)."""


class Flow:
    """Leads one study from its table to its report.

    Args:
        session: The study.
        source: Where the data come from, for people.
    """

    def __init__(self, session: Session, source: str) -> None:
        self._session = session
        self._source = source

    def run(self) -> None:
        """Run all stages; Ctrl-C ends them early but keeps the best network."""
        session = self._session
        champion: Champion | None = None
        try:
            with ThreadPoolExecutor(1, "audit") as background:
                recipe = self._describe()
                found = background.submit(audit, session.blocks.problem, session.blocks.splits)
                champion, baselines = self._champion(recipe)
                session.store.ledger.find(session.name, found.result())
            tolerance = tolerance_of(session, baselines, champion)
            admission = Admission(
                session,
                _baselines_s(baselines),
                repeats=why_not(session.blocks) is None,
                refit_s=unhurried_s(session, baselines),
                finishing=session.options.only != "size",
            )
            session.watch.stage("improving")
            first, kept = champion, admission
            aside(session, "sanity", lambda: check_champion(session, first, baselines, kept))

            def state_of(champion: Champion) -> State:
                return diagnose_champion(session, champion, baselines, tolerance)

            improver = Improver(session, admission, self._save, tolerance, state_of)
            champion = improver.complete(champion)
            admission = replace(admission, before=champion.arm)
            improver.use(admission)
            improver.follow(self._leads(champion, admission, tolerance))
            if session.options.only == "size":
                state_of(champion)
                close_study(session, interrupted=False)
                return
            before, champion = champion, improver.run(champion)
            record_noise(session, champion.arm)
            state_of(champion)
            session.watch.stage("final training")
            final = finish(session, champion, admission)
            admission = replace(admission, baselines_s=0.0, refit_s=0.0)  # they are refitted
            rest = Rest(session, improver, admission, tolerance)
            champion, final = rest.use(champion, final)
            record_left_out(session)
            together = hold_out(session, champion, final, admission)
            last, left = champion, admission
            aside(session, "health", lambda: examine_champion(session, last))
            aside(session, "errors", lambda: describe_errors(session, last, baselines))
            repeated = repeat(session, champion, final.percent, baselines, admission)
            measure_whole_gain(session, before, champion, admission, improver.used)
            aside(session, "more data", lambda: forecast_more_data(session, last, left, tolerance))
            calibrated = calibrate(session, champion, repeated, together)
            foretell_gain(session, champion, tolerance)
            self._test(final, champion, baselines, tolerance, repeated, calibrated)
            close_study(session, interrupted=False)
        except (Interrupted, KeyboardInterrupt):
            session.store.ledger.find(session.name, session.blocks.problem.findings)
            close_study(session, interrupted=True)
            raise Interrupted from None

    def _leads(self, champion: Champion, admission: Admission, tolerance: float) -> Leads:
        """Measure which rate and which size suit these data, and the noise."""
        leads = find_rate(self._session, champion, admission, Leads())
        stage = SizeStage(self._session, champion, admission, tolerance)
        found = stage.run()
        if not stage.shows_noise:
            measure_noise(self._session, champion, admission)
        return lead_on(leads, stage, found)

    def _describe(self) -> Recipe:
        """Record what the data are, encode the first block, choose the start recipe."""
        session = self._session
        problem, splits = session.blocks.problem, session.blocks.splits
        table = facts.table_fact(problem, self._source)
        session.fact("table", table)
        session.fact("shown", {"examples": session.options.examples})
        session.watch.headline(
            f"{table['rows']:,} rows × {table['columns']} columns → {', '.join(table['target'])} "
            f"({table['task']}, {table['metric_title']})"
        )
        session.fact("schema", facts.schema_fact(problem))
        session.fact("versions", facts.versions_fact())
        session.store.ledger.find(session.name, problem.findings)
        with session.clock.slow.measured():
            first = session.blocks.block(session.blocks.first[0], session.blocks.spec)
        session.fact("splits", facts.splits_fact(splits, len(first.train), len(first.validation)))
        rows, inputs = len(first.train), session.blocks.inputs(first)
        recipe, decisions = start_recipe(problem.task, rows, inputs)
        wished = Allowed(session).start(recipe, inputs)
        further = (*_levels_decision(session, first), *_size_decision(recipe, wished))
        decisions = (_split_decision(session), *decisions, *further)
        recipe = wished
        for decision in decisions:
            session.store.ledger.decide(session.name, decision)
        return replace(recipe, preprocessing=session.blocks.spec)

    def _calibrate(self, recipe: Recipe) -> None:
        """Measure the cost of steps on this machine."""
        session = self._session
        first = session.blocks.block(session.blocks.first[0], recipe.preprocessing)
        arguments = {
            "recipe": recipe,
            "inputs": session.blocks.inputs(first),
            "seconds": min(CALIBRATION_S, SHORT_CALIBRATION * session.clock.work_left_s),
        }
        call = Call("justright.training.calibrate:measure", arguments)
        patience = max(2 * CALIBRATION_S, CALIBRATION_SHARE * session.clock.work_left_s)
        answer = session.crew.ask(call, "calibration", time.time() + patience)
        if answer is None:
            session.prices.unknown(session.clock.slow.factor)
        else:
            points = [
                Measured(
                    with_hidden(recipe, tuple(point["hidden"])),
                    point["members"],
                    point["step_s"],
                )
                for point in answer["points"]
            ]
            session.prices.calibrated(from_document(CostModel, answer["model"]), points)
        session.fact("costs", to_document(session.prices.model))

    def _champion(self, recipe: Recipe) -> tuple[Champion, Mapping[str, Rival]]:
        session = self._session
        session.watch.stage("baselines and champion")
        self._calibrate(recipe)
        champion, baselines = train_champion(session, recipe, "start recipe", self._save)
        if champion is None and session.plan.grant("hurry", self._late):
            champion, _ = train_champion(session, recipe, "shortest start", self._save, hurry=True)
        elif champion is None:  # diverged: one more try, well below the edge
            rate = recipe.optimiser.rate / 10
            careful = Patch("rate ÷ 10", {"optimiser.rate": rate}).apply(recipe)
            champion, baselines = train_champion(session, careful, "careful recipe", self._save)
        session.fact("baselines", facts.baselines_fact(baselines))
        if champion is None:
            reasons = {t.reason for t in session.store.trials.list(session.name) if t.reason}
            raise JustRightError(
                f"no network could be trained in the time ({'; '.join(sorted(reasons))})",
                hint="give more time (--time), or look for extreme values in the columns",
            )
        self._tell_baselines(baselines)
        return champion, baselines

    def _late(self) -> int:
        """Whether the time is up before there is any network: be quick then."""
        return int(self._session.clock.work_left_s < TEST_S)

    def _tell_baselines(self, baselines: Mapping[str, Rival]) -> None:
        session = self._session
        metric = metric_named(session.metric)
        scores = score_of(baselines, session.metric)
        record_baselines(session, baselines)
        if scores:
            best = min(scores, key=lambda name: metric.loss(scores[name]))
            session.watch.baseline = f"{best} {scores[best]:.4g}"
            ordered = sorted(scores, key=lambda name: -metric.loss(scores[name]))
            listed = " · ".join(f"{name} {scores[name]:.4g}" for name in ordered)
            session.watch.headline(f"baselines on the validation rows: {listed}")

    def _save(self, champion: Champion) -> None:
        """Hand over a new champion: it can be used from now on.

        A study that goes on meets its earlier champions again; what was handed over after them,
        and described by the facts, stays until there is something later.
        """
        session = self._session
        score = metric_named(session.metric).loss(champion.loss)  # turned twice: the score
        session.watch.champion = f"{champion.arm.subject} {score:.4g}"
        if not later(session, champion.confirmed):
            session.watch.tick()
            return
        deliver(session, champion.arm, champion.trials[0], session.blocks.first[0])
        self._record(champion, final=False)
        session.watch.tick()

    def _record(self, champion: Champion, *, final: bool) -> None:
        """Say who is champion, and what lies in the model folder."""
        session = self._session
        earlier = session.store.ledger.fact(session.name, "champion") or {}
        known = earlier.get("confirmed") == champion.confirmed
        elapsed_s = session.clock.elapsed_s
        session.fact(
            "champion",
            facts.champion_fact(champion, earlier["at_s"] if known else elapsed_s)
            | {"first_at_s": earlier.get("first_at_s", elapsed_s)}
            | {"confirmed": champion.confirmed, "final": final},
        )

    def _test(
        self,
        final: Final,
        champion: Champion,
        baselines: Mapping[str, Rival],
        tolerance: float,
        repeated: Repeated | str,
        calibrated: Calibrated,
    ) -> None:
        """Hand over the final network, open the test set, and record the verdict."""
        session = self._session
        handed = (final.arm, final.trial, final.block.number, calibrated)
        size, inputs = deliver(session, *handed, final.others)
        session.watch.stage("test set")
        served = predict_test(session)
        rows = len(final.block.train)
        steps = int(final.trial.result["best_step"] or final.trial.result["steps"])
        network = facts.network_fact(
            final.arm,
            inputs,
            steps=steps,
            epochs=steps * final.arm.recipe.batch / rows,
            size=size,
            networks=1 + len(final.others),
        )
        speed = {"ms_per_row": served.ms_per_row, "ms_to_answer": served.ms_to_answer}
        session.fact("network", network | speed | {"refitted": final.refitted, "rows": rows})
        if slow := found_slow(session.options.size.latency_s, served.ms_to_answer / 1000):
            session.store.ledger.find(session.name, [slow])
        validation = score_of(baselines, session.metric)
        metric = metric_named(session.metric)
        validation["network"] = metric.loss(champion.loss)  # turning it twice gives the score
        earlier = Earlier(champion.trials, baselines)
        test = open_test(session, final, served.prediction, validation, earlier, tolerance)
        first = headline(session, repeated, champion, tolerance, test)
        words = {key: first[key] for key in ("word", "against")}
        opened = test | words | {"headline": first}
        session.fact("test", opened)
        record_verdict(session, opened)
        measure_coverage(session, served.prediction)
        measure_reliability(session, served.prediction)
        self._record(champion, final=True)
        complete_card(session, final.arm, final.trial)


def later(session: Session, confirmed: int) -> bool:
    """Whether a champion comes after what lies in the model folder, or is that itself.

    A final network gives way to another final network only.

    Args:
        session: The study at work.
        confirmed: How often an idea was accepted on the way to the champion.
    """
    lies = session.store.ledger.fact(session.name, "champion")
    if lies is None or not session.folder.model.is_dir():
        return True
    return not lies["final"] and confirmed >= lies["confirmed"]


def _baselines_s(baselines: Mapping[str, Rival]) -> float:
    """Seconds of one training of each baseline, as they had them; they mind the deadline."""
    return sum(rival.training_s for rival in baselines.values())


def _split_decision(session: Session) -> Decision:
    splits = session.blocks.splits
    return Decision(
        "split",
        f"{splits.kind}: {len(splits.test):,} test rows, {len(splits.rest):,} for everything else",
        splits.reason,
        "assumption: one fifth, at least 100 and at most 50,000 rows",
        Status.ASSUMPTION,
    )


def _levels_decision(session: Session, first: EncodedBlock) -> tuple[Decision, ...]:
    """Which numbers are categories, too."""
    columns = EncodedRows(first.folder).preprocessing().document["columns"]
    names = [str(column["name"]) for column in columns if column.get("levels")]
    if not names:
        return ()
    return (
        Decision(
            "recipe",
            f"{few_of(names)}: an embedding of each value beside the number",
            f"few whole values, each in {session.blocks.spec.level_rows:,} rows or more on "
            "average, so jumps from value to value can be learned, not only a smooth course",
            "measured on ten tables: LOG.md, numbers that are categories, too",
            Status.MEASURED,
            {"columns": float(len(names))},
        ),
    )


def _size_decision(asked: Recipe, allowed: Recipe) -> tuple[Decision, ...]:
    """Why the start recipe has another size than usual."""
    if asked == allowed:
        return ()
    words = {"periodic": ", and cosines of numbers", "none": ", and numbers as they are"}
    changed = asked.shape.numbers != allowed.shape.numbers
    entry = words.get(allowed.shape.numbers, "") if changed else ""
    return (
        Decision(
            "recipe",
            f"hidden layers {name_of(allowed.shape.hidden)} instead of "
            f"{name_of(asked.shape.hidden)}{entry}",
            "the heaviest body within the limit that was given; it may cost accuracy",
            "the user's limit",
            Status.ASSUMPTION,
        ),
    )
