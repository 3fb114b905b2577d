"""Whether more data would help: the champion's recipe on nested subsets of the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.core.trial import Trial, TrialState
from justright.designer.stages.finish import FEWEST_STEPS
from justright.designer.work.admission import PARTS, TEST_S, Admission, shortened
from justright.designer.work.jobs import EncodedBlock
from justright.designer.work.session import Arm, Champion, Session, results
from justright.statistics.forecast import LEAST_BLOCKS, Forecast, forecast_doubling
from justright.statistics.intervals import row_variance
from justright.statistics.metrics import metric_named

KEY = "data forecast"

BLOCKS = (5, LEAST_BLOCKS)
"""Blocks, most first, where screening has but one (assumption)."""

_PART = 1_000
"""The work plan's amount is the part of the length (1 or 3) × this + blocks."""

HALVINGS, LEAST_ROWS = 3, 100
"""The smallest subset is an eighth of the rows; a quarter, where an eighth has fewer (assumption;
the playbook begins at a sixteenth)."""


def forecast_more_data(
    session: Session, champion: Champion, admission: Admission, tolerance: float
) -> None:
    """Train on an eighth, a quarter and a half of the rows, and record what doubling would bring.

    The subsets are nested and the steps in proportion, so that every row is seen as often. Only
    with the time that is left when everything else but the test is done.

    Args:
        session: The study at work.
        champion: Whose recipe is trained, at its own length or a third of it.
        admission: Prices trainings.
        tolerance: Smallest difference that matters.
    """
    several = len(session.blocks.first) > 1
    spec = champion.arm.recipe.preprocessing
    least = len(session.blocks.block(session.blocks.first[0], spec).train) / 2**HALVINGS
    halvings = HALVINGS if least >= LEAST_ROWS else HALVINGS - 1
    granted = session.plan.grant(KEY, lambda: _affordable(session, champion, admission, halvings))
    if not granted:
        return
    part, count = divmod(granted, _PART)
    arms = _arms(shortened(champion.arm, part), halvings)
    numbers = session.blocks.first if several else range(count)
    blocks = [session.blocks.block(number, spec) for number in numbers]
    trained = _trained(session, arms, blocks)
    whole = [row for row in trained if all(t.state is TrialState.DONE for t in row)]
    if len(whole) < LEAST_BLOCKS:
        session.plan.truncate(KEY, 0)
        return
    session.plan.truncate(KEY, part * _PART + len(whole))
    losses = np.array([[session.measure([trial]) for trial in row] for row in whole])
    fixed = session.blocks.fixed_holdout
    found = forecast_doubling(
        losses,
        tolerance,
        overlap=0.0 if fixed else blocks[0].overlap,
        row_variance=_row_variance(session, whole, blocks[0]) if fixed else None,
        seed=child_seed(session.blocks.seed, KEY),
    )
    rows = [len(_subset(session, blocks[0], 2**k)) for k in range(halvings, -1, -1)]
    session.fact("forecast", {**_fact(found, losses, rows, tolerance), "part": part})


def _affordable(session: Session, champion: Champion, admission: Admission, halvings: int) -> int:
    """The longest trainings on the most blocks that fit; 0 if none do."""
    several, spec = len(session.blocks.first) > 1, champion.arm.recipe.preprocessing
    left = session.clock.work_left_s - TEST_S
    for part in PARTS:
        *fewer, whole = _arms(shortened(champion.arm, part), halvings)
        for count in (len(session.blocks.first),) if several else BLOCKS:
            known = len(session.blocks.first) if whole.steps == champion.arm.steps else 0
            work = sum(admission.costs.work(each, count, 1) for each in fewer)
            work += admission.costs.work(whole, count - known, 1)
            longest = admission.costs.work(fewer[-1], count, 1)
            longest = max(longest, admission.costs.work(whole, count - known, 1))
            wall = admission.costs.wall(work, longest)
            if wall + session.blocks.encoding_s(range(count), spec) <= left:
                return part * _PART + count
    return 0


def _arms(arm: Arm, halvings: int) -> list[Arm]:
    """The arm on ever larger parts of the rows, the last on all of them."""
    return [_part(arm, 2**k) for k in range(halvings, -1, -1)]


def _part(arm: Arm, part: int) -> Arm:
    """The arm on a part of the rows, each seen as often."""
    if part == 1:
        return arm
    steps = max(round(arm.steps / part), FEWEST_STEPS)
    return Arm(f"{arm.subject} on 1/{part} of the rows", arm.recipe, steps)


def _trained(
    session: Session, arms: Sequence[Arm], blocks: Sequence[EncodedBlock]
) -> list[tuple[Trial, ...]]:
    """The trials of each block, from the smallest subset to all rows."""
    jobs = []
    for place, arm in enumerate(arms):
        part = 2 ** (len(arms) - 1 - place)
        own = [_fewer(session, block, part) for block in blocks]
        jobs.append(session.train(arm, "forecast", own, parts=1))
    trials = session.run([job for each in reversed(jobs) for job in each], TEST_S)
    columns = [results(trials, each) for each in jobs]
    return list(zip(*columns, strict=True))


def _fewer(session: Session, block: EncodedBlock, part: int) -> EncodedBlock:
    if part == 1:
        return block
    rows = _subset(session, block, part)
    return replace(block, train=rows, partition=f"{block.partition}, 1/{part} of its rows")


def _subset(session: Session, block: EncodedBlock, part: int) -> np.ndarray:
    """Places of training rows, rising; smaller parts lie in larger ones, groups stay together."""
    rng = np.random.default_rng(child_seed(session.blocks.seed, KEY, block.partition))
    groups = session.blocks.problem.groups()
    if groups is None:
        order = rng.permutation(len(block.train))
    else:
        own = groups[session.blocks.splits.rest[block.train]]
        _, place = np.unique(own, return_inverse=True)
        order = np.argsort(rng.permutation(int(place.max()) + 1)[place], kind="stable")
    count = max(round(len(block.train) / part), 1)
    return np.sort(block.train[order[:count]])


def _row_variance(
    session: Session, trials: Sequence[Sequence[Trial]], block: EncodedBlock
) -> np.ndarray:
    """Variance of each step from the choice of the one set of validation rows."""
    metric, sample = metric_named(session.metric), session.blocks.sample(block)
    found = []
    for smaller, larger in zip(trials[0], trials[0][1:], strict=False):
        both = session.predictions(smaller), session.predictions(larger)
        found.append(row_variance(metric, sample, *both))
    return np.array(found)


def _fact(
    found: Forecast, losses: np.ndarray, rows: Sequence[int], delta: float
) -> Mapping[str, Any]:
    names = ("gain", "low", "high", "beta", "beta_low", "beta_high", "word", "why")
    return {name: getattr(found, name) for name in names} | {
        "rows": list(rows),
        "losses": losses.tolist(),
        "delta": delta,
        "blocks": len(losses),
    }
