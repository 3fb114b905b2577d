"""Repeated cross-validation of what is handed over: the headline of tables below 500 rows.

So few rows leave 40 to 100 for the locked test, which can only catch gross faults (40 rows: RMSE
± 11%, one standard error). The final recipe and the baselines are therefore trained again on
fresh repetitions of five folds, which no decision has seen, with the number of steps fixed
beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from justright.core.trial import Trial, TrialState
from justright.data.split import FOLDS, REPORTED
from justright.designer.stages.finish import FEWEST_STEPS
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.crew import Job
from justright.designer.work.evidence import why_not
from justright.designer.work.jobs import BaselineJob, EncodedBlock, NetworkJob
from justright.designer.work.rivals import Rival, score_of
from justright.designer.work.session import FOREVER, Arm, Champion, Session, results
from justright.statistics.metrics import metric_named

KEY = "headline repetitions"

MOST_REPETITIONS = 4
"""More repetitions add little: the corrected variance of a mean is s² (1 / J + 1/4), of which the
first part is 0.05 at four (Nadeau & Bengio 2003)."""

MARGIN, MOST = 1.3, 1.5
"""A fold of a baseline is priced at so many times, and cut at so many times, what a screening
fold took on average (assumption)."""


@dataclass(frozen=True)
class Repeated:
    """Trainings on fresh repetitions.

    Attributes:
        blocks: The folds, in order.
        network: The network's trials, one per block.
        baselines: Trials of each baseline that ended on every block.
    """

    blocks: tuple[EncodedBlock, ...]
    network: tuple[Trial, ...]
    baselines: Mapping[str, tuple[Trial, ...]]

    @property
    def repetitions(self) -> int:
        """Whole repetitions of the folds."""
        return len(self.blocks) // FOLDS


def repeat(
    session: Session,
    champion: Champion,
    finished_percent: int,
    rivals: Mapping[str, Rival],
    admission: Admission,
) -> Repeated | str:
    """Train the final arm and the baselines on as many fresh repetitions as the time grants.

    Args:
        session: The study at work.
        champion: Whose recipe is handed over.
        finished_percent: Percent of its steps that the final training had.
        rivals: The baselines on the screening blocks, which say what they cost.
        admission: Prices trainings.

    Returns:
        The trainings, or the reason why the locked test has to do.
    """
    reason = why_not(session.blocks)
    if reason is not None:
        return reason
    steps = max(champion.arm.steps * finished_percent // 100, 1)
    stop = max(champion.best_step * finished_percent // 100, min(FEWEST_STEPS, steps))
    arm = Arm(champion.arm.subject, champion.arm.recipe, steps)
    later_s = admission.whole_s(champion.arm)
    prices = _Prices(session, admission, replace(arm, steps=stop), rivals, later_s)
    granted: list[Rival] = []
    for rival in prices.order:
        wanted = [*granted, rival]
        if session.plan.grant(f"headline {rival.name}", lambda w=wanted: prices.fits(1, w)):
            granted = wanted
        elif not granted:
            break  # a verdict about another than the best one would be worth nothing
    count = session.plan.grant(KEY, lambda: prices.most(granted))
    if not count:
        return f"no time for a repetition of {FOLDS} folds"
    if not granted and prices.order:
        return f"no time for {prices.order[0].name} on a repetition of {FOLDS} folds"
    return _run(session, arm, stop, granted, count)


def _run(
    session: Session, arm: Arm, stop: int, rivals: Sequence[Rival], count: int
) -> Repeated | str:
    blocks = [_blocks(session, arm, number) for number in range(count)]
    networks = [_networks(session, arm, stop, each) for each in blocks]
    baselines = {r.name: [_baseline(session, r, each) for each in blocks] for r in rivals}
    jobs: list[Job] = []
    for place in range(count):  # whole repetitions: the clock then cuts the last one
        jobs += networks[place]
        jobs += [job for each in baselines.values() for job in each[place]]
    trials = session.run(jobs, TEST_S)
    own = [results(trials, each) for each in networks]
    failed = [t for each in own for t in each if t.state is TrialState.FAILED]
    if failed:
        return f"the network failed on {len(failed)} of its folds: {failed[0].reason}"
    main = [results(trials, each) for each in baselines[rivals[0].name]] if rivals else own
    pairs = list(takewhile(_both_done, zip(own, main, strict=True)))
    session.plan.truncate(KEY, len(pairs))
    if not pairs:
        return f"the time limit cut the first repetition of {FOLDS} folds"
    whole = {
        name: tuple(t for each in own[: len(pairs)] for t in results(trials, each))
        for name, own in baselines.items()
    }
    return Repeated(
        blocks=tuple(block for each in blocks[: len(pairs)] for block in each),
        network=tuple(trial for each, _ in pairs for trial in each),
        baselines={name: own for name, own in whole.items() if _done(own)},
    )


def _blocks(session: Session, arm: Arm, repetition: int) -> list[EncodedBlock]:
    first = REPORTED + FOLDS * repetition
    spec = arm.recipe.preprocessing
    return [session.blocks.block(number, spec) for number in range(first, first + FOLDS)]


def _networks(
    session: Session, arm: Arm, stop: int, blocks: Sequence[EncodedBlock]
) -> tuple[NetworkJob, ...]:
    """One evaluation, at the last step: the validation rows must not choose among several."""
    jobs = session.train(arm, "headline", blocks, parts=1)
    return tuple(replace(job, stop=stop, evaluations=1) for job in jobs)


def _baseline(session: Session, rival: Rival, blocks: Sequence[EncodedBlock]) -> list[BaselineJob]:
    encoded = [session.blocks.block(block.number, session.blocks.spec) for block in blocks]
    ends = FOREVER if session.plan.repeat else session.clock.deadline(TEST_S)
    return [
        BaselineJob(
            name=rival.name,
            stage="headline",
            block=block,
            judged=block.folder,
            judged_rows=block.validation,
            ends=ends,
            share=1.0,
            out=session.folder.trials,
            most_s=MOST * rival.training_s,
            metric=session.metric,
        )
        for block in encoded
    ]


class _Prices:
    """Wall seconds of repetitions.

    The best baseline comes first, the others in the order of the registry: an order by measured
    seconds would be another one when the study is repeated.

    Args:
        session: The study at work.
        admission: Prices the network.
        arm: The network, with the steps that it takes.
        rivals: The baselines on the screening blocks.
        later_s: Seconds that all repetitions but the first leave to what follows.
    """

    def __init__(
        self,
        session: Session,
        admission: Admission,
        arm: Arm,
        rivals: Mapping[str, Rival],
        later_s: float,
    ) -> None:
        metric = metric_named(session.metric)
        done = [rival for rival in rivals.values() if rival.done]
        losses = {name: metric.loss(s) for name, s in score_of(rivals, metric.name).items()}
        best = min(done, key=lambda rival: losses.get(rival.name, np.inf), default=None)
        self.order = tuple(sorted(done, key=lambda rival: rival is not best))
        self._admission = admission
        self._network = arm
        self._left, self._later_s = session.clock.work_left_s - TEST_S, later_s

    def fits(self, repetitions: int, baselines: Sequence[Rival]) -> int:
        """Whether so many repetitions fit, with these baselines: 1 or 0."""
        others_s = sum(MARGIN * FOLDS * rival.training_s for rival in baselines)
        seconds = self._admission.repeat_s(self._network, others_s)
        left = self._left if repetitions == 1 else self._left - self._later_s
        return int(repetitions * seconds <= left)

    def most(self, baselines: Sequence[Rival]) -> int:
        """The most repetitions that fit with these baselines."""
        counts = range(MOST_REPETITIONS, 0, -1)
        return next((count for count in counts if self.fits(count, baselines)), 0)


def _both_done(pair: tuple[tuple[Trial, ...], tuple[Trial, ...]]) -> bool:
    return all(_done(each) for each in pair)


def _done(trials: Sequence[Trial]) -> bool:
    return all(trial.state is TrialState.DONE for trial in trials)
