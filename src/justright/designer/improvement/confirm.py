"""Confirming a candidate: beside the champion, on blocks that no decision has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress, takewhile

import numpy as np

from justright.core.idea import PART, Verdict
from justright.core.trial import Trial, TrialState
from justright.designer.work.admission import (
    LOOKS,
    LOOKS_SMALL,
    Admission,
    confirmed_part,
    shortened,
)
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.session import Arm, Champion, Session, not_run, results
from justright.statistics.compare import (
    BETTER,
    CANNOT_TELL,
    LAST_LEVEL,
    NOT_BETTER,
    compare,
    plan_looks,
)
from justright.statistics.intervals import row_variance
from justright.statistics.metrics import metric_named
from justright.statistics.noise import Pooled, pool_alike

SET_ASIDE = max(LOOKS + LOOKS_SMALL)
"""Blocks that a round with a comparison uses up, however many of them the clock lets it train on:
when the study is repeated, or goes on, later rounds meet the same blocks."""

LIGHTER = "not worse by what matters, and lighter"
"""The word for a lighter candidate that was shown not to be worse by what matters."""

WORDS = (BETTER, LIGHTER, NOT_BETTER, CANNOT_TELL)
"""Words of a comparison that was run; the work plan holds their places, from 1."""

Pair = tuple[Trial, Trial]
"""Trials of candidate and incumbent on the same block."""


@dataclass(frozen=True)
class Duel:
    """Two arms that are trained beside each other.

    Attributes:
        new: The candidate.
        old: The incumbent.
        key: Of the slot of the round, in the work plan.
        reserve_s: Seconds to keep for what follows.
    """

    new: Arm
    old: Arm
    key: str
    reserve_s: float


@dataclass(frozen=True)
class Look:
    """What is seen of a comparison.

    Attributes:
        pairs: Trials of both, block by block.
        level: Two-sided level at which they are judged.
    """

    pairs: tuple[Pair, ...]
    level: float


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
        self._seen: dict[int, dict[Arm, list[float]]] = {}

    @property
    def used(self) -> int:
        """Blocks below this number were seen by decisions."""
        return self._used

    def use(self, admission: Admission) -> None:
        """Let something else say what fits into the time."""
        self._admission = admission

    def next_round(self) -> None:
        """A round has its own blocks; what was trained on them is shared in it."""
        self._fresh = self._used
        self._seen.clear()

    def confirm(
        self,
        champion: Champion,
        rival: Champion,
        key: str,
        weight: int,
    ) -> Verdict:
        """Both arms on fresh blocks; the verdict of the paired comparison.

        Args:
            champion: The incumbent.
            rival: The candidate.
            key: Of the slot of the round, in the work plan.
            weight: -1 for a lighter candidate that is welcome: it need not be better, it is
                enough that it is surely not worse by delta, in full; 1 for a heavier one, which
                has to be better, and in the mean by delta; 0 where weights do not count.
        """
        session, arms, admission = self._session, (rival.arm, champion.arm), self._admission
        if weight < 0:  # what a slot was granted for thirds is no grant for all of the length
            key = f"{key}/in full"
        # a better network comes before the measure of what it brought: only the incumbent's counts
        later = replace(admission, before=None)
        reserve_s = max(later.reserve_s(each) for each in (champion, rival))
        reserve_s += admission.whole_s(champion.arm)

        def terms(old: Arm) -> tuple[int, int, float]:
            return self._fresh, self._known(old), session.clock.work_left_s - reserve_s

        self._used = self._fresh + SET_ASIDE
        part = session.plan.grant(
            f"{key}/confirm part",
            lambda: admission.confirm_part(*arms, *terms(champion.arm), confirmed_part(weight)),
        )
        new_arm, old_arm = (shortened(arm, max(part, 1)) for arm in arms)
        count = session.plan.grant(
            f"{key}/confirm",
            lambda: admission.confirm(new_arm, old_arm, *terms(old_arm)),
        )
        if count == 0:
            evidence = {
                "reason": "no time to confirm",
                "screening gain": champion.loss - rival.loss,
            }
            return not_run(rival.arm, evidence)
        duel = Duel(new_arm, old_arm, key, reserve_s)
        verdict = not_run(rival.arm, {"reason": "the time limit cut the confirmation"})
        for look in self._looks(duel, count):
            verdict = self._judge(champion, rival, look, weight, part)
            evidence = {**verdict.evidence, PART: 1 / max(part, 1)}
            verdict = replace(verdict, evidence=evidence)
            if verdict.word != CANNOT_TELL:
                break
        return self._as_before(verdict, key)

    def _as_before(self, verdict: Verdict, key: str) -> Verdict:
        """With the word that it had before the study was resumed.

        What else its round has trained since may say something else of the noise; what was
        accepted, or was not, stays.
        """
        if verdict.word not in WORDS:
            return verdict
        place = WORDS.index(verdict.word) + 1
        held = self._session.plan.grant(f"{key}/word on {verdict.subject}", lambda: place)
        return replace(verdict, word=WORDS[(held or place) - 1])

    def _looks(self, duel: Duel, most: int) -> Iterator[Look]:
        """What is seen at each look; after a cut by the clock, at the last one."""
        pairs: tuple[Pair, ...] = ()
        counts = sorted(self._admission.looks)
        kinds = self._session.plan.grant(f"{duel.key}/confirm looks", lambda: self._kinds(duel))
        for count, level in plan_looks(most, counts, early=kinds > 1):
            pairs += self._train(duel, range(len(pairs), count))
            if len(pairs) == count:
                yield Look(pairs, level)
                continue
            self._session.plan.truncate(f"{duel.key}/confirm", len(pairs))
            if pairs:
                yield Look(pairs, LAST_LEVEL)
            return

    def _kinds(self, duel: Duel) -> int:
        """1: there is a last look only; 2: there are earlier ones, too.

        What is trained alone is dear, so it is looked at early, where the first look keeps all
        workers at work; a stack gains nothing by it.
        """
        session = self._session
        alone = any(session.alone(arm.recipe) for arm in (duel.new, duel.old))
        return 2 if alone and session.crew.capacity <= min(self._admission.looks) else 1

    def _train(self, duel: Duel, places: range) -> tuple[Pair, ...]:
        """Both arms on some of the round's blocks, up to where the clock cut them."""
        session, spec = self._session, duel.old.recipe.preprocessing
        blocks = [session.blocks.block(self._fresh + place, spec) for place in places]
        stage = f"{duel.key}/confirm"
        # side by side each arm is one stack, whose overhead is that of a single training
        parts = None if self._known(duel.old) >= places.stop else 1
        first = session.train(duel.new, stage, blocks, parts=parts)
        second = session.train(duel.old, stage, blocks, parts=parts)
        trials = session.run([*first, *second], duel.reserve_s)
        both = zip(results(trials, first), results(trials, second), strict=True)
        return tuple(takewhile(_uncut, both))

    def _judge(
        self, champion: Champion, rival: Champion, look: Look, weight: int, part: int
    ) -> Verdict:
        """The word of a look; "better" also means: good enough for its weight."""
        blocks = self._session.blocks
        both = [(self._loss(new, rival), self._loss(old, champion)) for new, old in look.pairs]
        new, old = (list(losses) for losses in zip(*both, strict=True))
        done = [pair[1].state is TrialState.DONE for pair in look.pairs]
        fixed, block = blocks.shared(self._fresh), blocks.planned(self._fresh, blocks.spec)
        rows = self._row_variance(list(compress(look.pairs, done)), block) if fixed else 0.0
        judge = partial(
            compare,
            rival.arm.subject,
            list(compress(both, done)),
            overlap=0.0 if fixed else block.overlap,
            row_variance=rows,
            pooled=self._pooled(part, (rival.arm, new), (champion.arm, old)),
            alpha=look.level,
        )
        verdict = judge(delta=self._delta if weight > 0 else 0.0)
        if weight >= 0 or verdict.word == BETTER:
            return verdict
        found = judge(delta=0.0, margin=self._delta)
        return replace(found, word=LIGHTER) if found.word == BETTER else found

    def _pooled(self, part: int, *pair: tuple[Arm, list[float]]) -> Pooled | None:
        """Variance of a difference of two arms, with what the round's other arms say of it."""
        seen = self._seen.setdefault(part, {})
        (first, new), (second, old) = pair
        others = [losses for arm, losses in seen.items() if arm not in (first, second)]
        for arm, losses in pair:
            seen[arm] = max(seen.get(arm, []), losses, key=len)  # of the most blocks
        return pool_alike(new, old, others)

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

    def _row_variance(self, pairs: Sequence[Pair], block: EncodedBlock) -> float:
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


def _uncut(pair: Pair) -> bool:
    return all(trial.state is not TrialState.CUT for trial in pair)
