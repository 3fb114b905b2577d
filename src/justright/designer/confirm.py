"""Confirming a candidate: beside the champion, on blocks that no decision has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from justright.core.idea import Verdict
from justright.core.trial import Trial, TrialState
from justright.designer.admission import LOOKS, LOOKS_SMALL, Admission, shortened
from justright.designer.jobs import EncodedBlock
from justright.designer.session import Arm, Champion, Session, not_run, results
from justright.statistics.compare import compare, not_worse
from justright.statistics.intervals import row_variance
from justright.statistics.metrics import metric_named

CONFIRM_LEVEL = 0.05
"""Two-sided level of the one look at fresh blocks: of the moves that bring nothing and look good
on the screening blocks, one in forty gets in (assumption)."""

SET_ASIDE = max(LOOKS + LOOKS_SMALL)
"""Blocks that a round with a comparison uses up, however many of them the clock lets it train on:
when the study is repeated, or goes on, later rounds meet the same blocks."""

LIGHTER = "not worse by what matters, and lighter"
"""The word for a lighter candidate that was shown not to be worse by what matters."""


class Confirmer:
    """Compares candidates with the champion on fresh blocks.

    Args:
        session: The study at work.
        admission: Says what fits into the time.
        used: Blocks below this number were seen by decisions.
        delta: Smallest difference of the deciding metric that matters.
    """

    def __init__(self, session: Session, admission: Admission, used: int, delta: float) -> None:
        self._session = session
        self._admission = admission
        self._fresh = self._used = used
        self._delta = delta

    @property
    def used(self) -> int:
        """Blocks below this number were seen by decisions."""
        return self._used

    def use(self, admission: Admission) -> None:
        """Let something else say what fits into the time."""
        self._admission = admission

    def next_round(self) -> None:
        """A round has its own blocks; the champion's trainings on them are shared in it."""
        self._fresh = self._used

    def within(self, champion: Champion, rival: Champion, *, lighter: bool) -> bool:
        """Whether a screened rival is good enough to be confirmed."""
        return rival.loss < champion.loss + (self._delta if lighter else 0.0)

    def confirm(self, champion: Champion, rival: Champion, key: str, *, lighter: bool) -> Verdict:
        """Both arms on fresh blocks; the verdict of the paired comparison.

        A lighter rival need not be better: it is enough that it is surely not worse by delta.
        """
        verdict = self._compare(champion, rival, key)
        if lighter and verdict.word != "better" and not_worse(verdict, self._delta):
            return replace(verdict, word=LIGHTER)
        return verdict

    def _compare(self, champion: Champion, rival: Champion, key: str) -> Verdict:
        session, arms = self._session, (rival.arm, champion.arm)
        self._used = self._fresh + SET_ASIDE
        part = session.plan.grant(
            f"{key}/confirm part",
            lambda: self._admission.confirm_part(*arms, self._fresh, self._known(champion.arm)),
        )
        new_arm, old_arm = (shortened(arm, max(part, 1)) for arm in arms)
        count = session.plan.grant(
            f"{key}/confirm",
            lambda: self._admission.confirm(new_arm, old_arm, self._fresh, self._known(old_arm)),
        )
        if count == 0:
            evidence = {
                "reason": "no time to confirm",
                "screening gain": champion.loss - rival.loss,
            }
            return not_run(rival.arm, evidence)
        numbers = range(self._fresh, self._fresh + count)
        spec = champion.arm.recipe.preprocessing
        blocks = [session.blocks.block(number, spec) for number in numbers]
        stage = f"{key}/confirm"
        # side by side each arm is one stack, whose overhead is that of a single training
        parts = None if self._known(old_arm) >= count else 1
        first = session.train(new_arm, stage, blocks, parts=parts)
        second = session.train(old_arm, stage, blocks, parts=parts)
        trials = session.run([*first, *second], self._admission.reserve_s(champion.arm))
        both = zip(results(trials, first), results(trials, second), strict=True)
        pairs = tuple(takewhile(_uncut, both))
        session.plan.truncate(f"{key}/confirm", len(pairs))
        if not pairs:
            return not_run(rival.arm, {"reason": "the time limit cut the confirmation"})
        pairs = tuple(pair for pair in pairs if pair[1].state is TrialState.DONE)
        fixed = session.blocks.fixed_holdout
        verdict = compare(
            rival.arm.subject,
            [(self._loss(new, rival), self._loss(old, champion)) for new, old in pairs],
            overlap=0.0 if fixed else blocks[0].overlap,
            row_variance=self._row_variance(pairs, blocks[0]) if fixed else 0.0,
            delta=0.0,  # evidence decides what is kept; δ is for saying what matters to people
            alpha=CONFIRM_LEVEL,
        )
        return replace(
            verdict, evidence={**verdict.evidence, "part of the length": 1 / max(part, 1)}
        )

    def _loss(self, trial: Trial, screened: Champion) -> float:
        """Loss of a trial at the share of its run that was best where its arm was screened.

        The best of all looks at the rows that judge would favour noisy trainings; what is handed
        over is trained to the screened step, too.
        """
        session, chosen = self._session, screened.trials
        if trial.state is not TrialState.DONE or not chosen:
            return session.measure([trial])
        steps, values = session.store.curves.read(session.name, trial.spec.id, "metric")
        shares = np.asarray(steps) / steps[-1]
        place = int(np.argmin(np.abs(shares - screened.best_at)))
        return metric_named(session.metric).loss(values[place])

    def _known(self, arm: Arm) -> int:
        """How many of the round's blocks an arm was trained on already."""
        session, known = self._session, 0
        stored = {t.spec.id for t in session.store.trials.list(session.name) if t.state.final}
        while True:
            block = session.blocks.planned(self._fresh + known, arm.recipe.preprocessing)
            (job,) = session.train(arm, "", [block])
            if job.specs[0].id not in stored:
                return known
            known += 1

    def _row_variance(self, pairs: Sequence[tuple[Trial, Trial]], block: EncodedBlock) -> float:
        """Variance of the difference from the choice of the one set of validation rows."""
        session = self._session
        sample = session.blocks.sample(block)
        metric = metric_named(session.metric)
        found = [
            row_variance(metric, sample, session.predictions(new), session.predictions(old))
            for new, old in pairs
            if new.state is TrialState.DONE
        ]
        return float(np.mean(found)) if found else 0.0


def _uncut(pair: tuple[Trial, Trial]) -> bool:
    return all(trial.state is not TrialState.CUT for trial in pair)
