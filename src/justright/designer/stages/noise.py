"""How much a score moves when nothing changes but the seed, or the rows and the seed.

The size search trains several sizes on the same blocks: what neither size nor block explains is
the noise. Where that rests on fewer trainings than repeats of the champion would, or there was no
search, the champion is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

import numpy as np

from justright.core.codec import to_document
from justright.core.trial import TrialState
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.sizing.shapes import Hidden, name_of
from justright.statistics.additive import repeats_of
from justright.statistics.noise import noise

REPEATS = (1, 2)
"""Further seeds on the first partition; with the champion's own that makes three."""

LEAST_DF = len(REPEATS)
"""Degrees of freedom without which the runs of a search say less than the champion's repeats."""

NOISE_SHARE = 0.2
"""Share of the time left that measuring the noise may take (assumption)."""


def measure_noise(session: Session, champion: Champion, admission: Admission) -> None:
    """Train the champion's recipe with other seeds, and record the noise and what counts as a tie.

    Args:
        session: The study at work.
        champion: Whose recipe is repeated.
        admission: Says whether there is time.
    """
    key = f"noise {champion.arm.subject}"

    def propose() -> int:
        left = session.clock.work_left_s - admission.reserve_s(champion)
        wall = admission.costs.work(champion.arm, len(REPEATS)) / session.crew.capacity
        return len(REPEATS) if wall <= NOISE_SHARE * left else 0

    count = session.plan.grant(key, propose)
    spec = champion.arm.recipe.preprocessing
    if session.blocks.fixed_holdout:  # the next blocks are the same rows, and are needed anyway
        blocks = [session.blocks.block(number, spec) for number in REPEATS[:count]]
    else:
        first = session.blocks.first[0]
        blocks = [session.blocks.block(first, spec, repeat) for repeat in REPEATS[:count]]
    jobs = session.train(champion.arm, "noise", blocks) if blocks else ()
    session.run(jobs, admission.reserve_s(champion))
    record_noise(session, champion.arm)


def record_noise(session: Session, arm: Arm) -> None:
    """Record the noise over all trainings of an arm so far, whatever stage asked for them."""
    recipe = to_document(arm.recipe)
    alike = [
        trial
        for trial in session.store.trials.list(session.name)
        if trial.state is TrialState.DONE
        and trial.spec.recipe == recipe
        and trial.spec.steps == arm.steps
    ]
    if len(alike) < 2:
        return
    scores = [(t.spec.partition, t.spec.seed, session.measure([t])) for t in alike]
    places = list(dict.fromkeys(partition for partition, _, _ in scores))
    losses = [[places.index(p), loss if isfinite(loss) else None] for p, _, loss in scores]
    found = noise(scores)
    _record(session, to_document(found) | {"losses": losses, "subject": arm.subject}, found.df)


def record_rungs(
    session: Session, losses: Mapping[Hidden, np.ndarray], part: int, members: int
) -> bool:
    """Record the noise that the runs of a size search show; whether they show enough.

    They are of one network without members. Where the champion has some, its own repeats are
    wanted, too, and replace what is recorded here.

    Args:
        session: The study at work.
        losses: Of each size on the blocks of the search, nan where it was not trained in full.
        part: "In full" means the network's own length over this.
        members: Of the champion.
    """
    found = repeats_of(np.array(list(losses.values()))) if losses else None
    if found is None or found.noise.df < LEAST_DF:
        return False
    places = [
        [int(block), float(loss)] for block, loss in zip(found.block, found.loss, strict=True)
    ]
    sizes = [name_of(hidden) for hidden in losses]
    document = to_document(found.noise) | {"losses": places, "sizes": sizes, "part": part}
    _record(session, document | {"single": members > 1}, found.noise.df)
    return members == 1


def _record(session: Session, document: dict[str, object], df: int) -> None:
    """Record a noise, unless what is known rests on more degrees of freedom."""
    before = session.store.ledger.fact(session.name, "noise") or {}
    if before.get("single") or df >= before.get("df", 0):
        session.fact("noise", document)
