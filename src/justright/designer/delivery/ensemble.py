"""Networks of several seeds as one model: what they say together of rows held out.

Deep ensembles (Lakshminarayanan et al. 2017): the same recipe from different seeds, values or
probabilities averaged. One network is the promise, so it is done only where the user asks for it.
Temperature and intervals must be those of the average, and what it gains is to be told, so the
further seeds are also trained on the champion's own blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from justright.core.decision import Decision, Status
from justright.core.trial import Trial
from justright.designer.delivery.out_of_fold import alike
from justright.designer.stages.finish import Final
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.session import Champion, Session, all_done, results
from justright.statistics.metrics import metric_named

KEY = "ensemble held out"

SUGGESTED = 4
"""Networks of the ensemble whose gain is foretold (assumption: most of what many bring)."""

SOURCE = "deep ensembles: Lakshminarayanan et al. 2017; asked for with --ensemble"


@dataclass(frozen=True)
class Together:
    """What networks of several seeds say of rows that none of them learned from.

    Attributes:
        rows: Rows of the problem's table, int64 [n], rising.
        prediction: Mean of their predictions: values [n, T] or probabilities [n, classes].
    """

    rows: np.ndarray
    prediction: np.ndarray


def hold_out(
    session: Session, champion: Champion, final: Final, admission: Admission
) -> Together | None:
    """Train the further seeds of an ensemble on the champion's blocks, and record the gain.

    Args:
        session: The study at work.
        champion: Whose recipe is handed over.
        final: The networks that are handed over.
        admission: Prices trainings.

    Returns:
        Their held-out predictions; None without an ensemble, or without time.
    """
    networks = 1 + len(final.others)
    if session.options.ensemble == 1:
        return None
    if networks == 1:
        _decide(session, 1, "there was no time for more", {})
        return None

    kept_s = TEST_S + admission.headline_s(champion.arm)

    def propose() -> int:
        seconds = admission.held_out_s(champion.arm, networks)
        return int(seconds <= session.clock.work_left_s - kept_s)

    found, measured = None, {}
    if session.plan.grant(KEY, propose):
        found, measured = _train(session, champion, networks, kept_s)
    if found is None:
        session.plan.truncate(KEY, 0)
        why = "there was no time to see what they gain, and intervals are those of one of them"
        _decide(session, networks, why, {})
        return None
    why = f"compared with one by one on {len(found.rows):,} rows held out"
    if admission.repeats:
        why += "; repeated cross-validation judges single networks"
    _decide(session, networks, why, measured)
    return found


def _train(
    session: Session, champion: Champion, networks: int, kept_s: float
) -> tuple[Together | None, dict[str, Any]]:
    spec, numbers = champion.arm.recipe.preprocessing, session.blocks.first
    blocks = [
        session.blocks.block(number, spec, place)
        for place in range(1, networks)
        for number in numbers
    ]
    jobs = session.train(champion.arm, "ensemble", blocks)
    own = results(session.run(jobs, kept_s), jobs)
    if not all_done(own):
        return None, {}
    seeds = [
        champion.trials,
        *(own[i : i + len(numbers)] for i in range(0, len(own), len(numbers))),
    ]
    return _judged(session, champion, seeds)


def _judged(
    session: Session, champion: Champion, seeds: Sequence[Sequence[Trial]]
) -> tuple[Together, dict[str, Any]]:
    """What the seeds say together, and by how much that is better, block by block."""
    metric, spec = metric_named(session.metric), champion.arm.recipe.preprocessing
    rows, means, alone, together = [], [], [], []
    for place, number in enumerate(session.blocks.first):
        block = session.blocks.planned(number, spec)
        each = [session.predictions(trials[place]) for trials in seeds]
        losses = _losses(session, block, each)
        alone.append(losses[0])
        together.append(losses[1])
        rows.append(session.blocks.splits.rest[block.validation])
        means.append(np.mean(each, axis=0))
    order = np.argsort(every := np.concatenate(rows))
    found = Together(every[order], np.concatenate(means)[order])
    one, all_ = float(np.mean(alone)), float(np.mean(together))
    return found, {"one": metric.loss(one), "together": metric.loss(all_), "gain": one - all_}


def _losses(
    session: Session, block: EncodedBlock, predictions: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Mean loss of predictions of a block's validation rows, and the loss of their mean."""
    metric, sample = metric_named(session.metric), session.blocks.sample(block)
    losses = [
        metric.loss(metric(sample.y, each, sample.weights))
        for each in (*predictions, np.mean(predictions, axis=0))
    ]
    return float(np.mean(losses[:-1])), losses[-1]


def _decide(session: Session, networks: int, why: str, measured: dict[str, Any]) -> None:
    wanted = session.options.ensemble
    choice = f"{networks} networks answer together, with the mean of what they predict"
    if networks == 1:
        choice = f"one network answers, not {wanted}"
    status = Status.MEASURED if measured else Status.PUBLISHED
    session.store.ledger.decide(
        session.name, Decision("ensemble", choice, why, SOURCE, status, measured)
    )


def foretell_gain(session: Session, champion: Champion, tolerance: float) -> None:
    """Record what an ensemble would gain, if trainings that were made anyway can tell.

    Trainings of the champion's recipe with several seeds on one partition predicted the same rows,
    so their mean can be compared with each. What k seeds gain is taken to grow as 1 - 1/k, which
    holds for the expected squared error of independent seeds.

    Args:
        session: The study at work.
        champion: Whose recipe is handed over.
        tolerance: Smallest difference that matters; less is not told.
    """
    if session.options.ensemble > 1:
        return
    metric, spec = metric_named(session.metric), champion.arm.recipe.preprocessing
    seeds: dict[str, dict[int, Trial]] = {}
    for trial in (*champion.trials, *alike(session, champion)):
        seeds.setdefault(trial.spec.partition, {})[trial.spec.seed] = trial
    gains, rows, most = [], 0, 0
    for number in session.blocks.first:
        block = session.blocks.planned(number, spec)
        own = list(seeds.get(block.partition, {}).values())
        if len(own) < 2:
            continue
        alone, together = _losses(session, block, [session.predictions(each) for each in own])
        gains.append((alone - together) * (1 - 1 / SUGGESTED) / (1 - 1 / len(own)))
        rows, most = rows + len(block.validation), max(most, len(own))
    if gains and np.mean(gains) > tolerance:
        gain = {"networks": SUGGESTED, "gain": float(np.mean(gains)), "seeds": most, "rows": rows}
        session.fact("seeds", gain | {"metric": metric.title})
