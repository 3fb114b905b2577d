"""A range test of the champion's recipe, and whether its rate is so far off that it is a mistake.

A race of rates is dear, and short studies have no time for one. The test alone does not find the
best rate, but a rate that is ten times off it does not miss: so it comes before anything that
rests on the champion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from justright.core.decision import Decision, Status
from justright.core.idea import OWN, Idea, Prediction
from justright.core.seeds import child_seed
from justright.core.trial import TrialState
from justright.designer.stages.rate_jobs import RangeJob
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session, results, work_a_second
from justright.ideas.rule import Move
from justright.training.rate_rules import STEPS, RangeCurve, minimum
from justright.training.trunk import peak_of, search_form, trunk

SEEDS = 3
"""Seeds of the range test (published: average several; three: assumption)."""

RATE_SHARE = 0.06
"""Share of the core-seconds that finding the rate may take (assumption)."""

TEST_SHARE = 0.10
"""Share of the core-seconds that the test alone may take, at its 90% quantile (assumption; priced
at 3.1 s it took 1.7 s on satellite)."""

FAR = 3.0
"""Factor between the recipe's rate and what the test suggests beyond which the rate is a mistake.
Measured in 105 tests on 21 tables (benchmarks/RESULTS.md, the learning rate): 0.42 to 2.3 with the
start recipe's rate, beyond three whenever it was exchanged for one ten or a hundred times off; in
108 tests of a later start recipe, 45 of them on other tables, beyond three once."""

RATE_KEY = f"{OWN}rate"
RATE_GAIN = (0.0, 0.05, 0.5)
"""Quantiles of what exchanging such a rate brings, as shares of the loss (assumption)."""

FACT, CUT = "range test", "the time limit cut the range test"
SOURCE = "range test: Smith 2015; a tenth of its minimum: fastai; limit: measured on 21 tables"


def range_seconds(session: Session, champion: Champion) -> float:
    """Seconds (90% quantile) of a range test."""
    recipe = search_form(champion.arm.recipe)
    inputs = session.blocks.inputs_of(recipe.preprocessing)
    return session.seconds(Arm("", recipe, STEPS), inputs, SEEDS)


def range_curve(session: Session, champion: Champion, reserve_s: float) -> RangeCurve | str:
    """The range test on the champion's first block, or why there is none.

    Args:
        session: The study at work.
        champion: Whose recipe is tested, at a constant rate and without members.
        reserve_s: Seconds to keep for what follows.
    """
    recipe = search_form(champion.arm.recipe)
    block = session.blocks.block(session.blocks.first[0], recipe.preprocessing)
    seeds = tuple(child_seed(block.seed, "range test", place) for place in range(SEEDS))
    job = RangeJob(recipe, block, seeds)
    (trial,) = results(session.run([job], reserve_s), [job])
    if trial.state is TrialState.FAILED:
        return f"the range test failed: {trial.reason}"
    if trial.state is not TrialState.DONE:
        return CUT
    found = trial.result
    rates, losses = (np.asarray(found[name], np.float64) for name in ("rates", "losses"))
    return RangeCurve(rates, losses, found["diverged"])


def far_rate(
    session: Session,
    champion: Champion,
    admission: Admission,
    spared: Callable[[float], bool] = lambda _: True,
) -> tuple[Move, Arm] | None:
    """The champion at the rate that a range test suggests, where its own is far from it.

    Args:
        session: The study at work.
        champion: The first network.
        admission: Says whether there is time for the test.
        spared: Whether so many seconds can be spared; what is surely worth more goes first.

    Returns:
        The idea and what is trained; None where the rate stays, which is recorded, or where
        nothing can be said.
    """
    key, recipe = f"{RATE_KEY} test", champion.arm.recipe

    def propose() -> int:
        seconds = range_seconds(session, champion)
        budget = TEST_SHARE * work_a_second(session.crew.capacity) * session.clock.limit_s
        left = admission.left(champion)
        return int(seconds <= min(budget, left) and spared(seconds))

    if not session.plan.grant(key, propose):
        return None
    curve = range_curve(session, champion, admission.reserve_s(champion))
    pick = None if isinstance(curve, str) else minimum(curve)
    if pick is None or pick.rate is None:
        session.plan.truncate(key, 0)
        return None
    peak, own = peak_of(recipe, pick.rate), recipe.optimiser.rate
    factor = pick.rate / trunk(recipe).optimiser.rate
    session.fact(FACT, {"prior": own, "suggested": peak, "subject": champion.arm.subject})
    if 1.0 / FAR <= factor <= FAR:
        reason = f"a range test suggests {peak:.2g}, which is within a factor of {FAR:g}"
        decision = Decision(
            "rate", f"peak rate {own:.3g} is not far off", reason, SOURCE, Status.MEASURED,
            {"suggested": peak},
        )  # fmt: skip
        session.store.ledger.decide(session.name, decision)
        return None
    return _exchanged(champion, peak)


def _exchanged(champion: Champion, peak: float) -> tuple[Move, Arm]:
    """The champion at another rate, as an idea with its prediction and as an arm."""
    own = champion.arm.recipe.optimiser
    low, middle, high = (share * abs(champion.loss) for share in RATE_GAIN)
    idea = Idea(
        title=f"rate {peak:.2g} instead of {own.rate:.2g}",
        slot="rate",
        patch={"optimiser.rate": peak},
        prediction=Prediction(helps=0.8, gain=(low, middle, high), seconds=0.0),
        source=SOURCE,
        author="range test",
    )
    recipe = replace(champion.arm.recipe, optimiser=replace(own, rate=peak))
    return Move(idea, recipe), replace(champion.arm, recipe=recipe)
