"""The start recipe at its own length, where the clock had shortened the champion.

The champion must be usable within seconds, so on larger tables it gets fewer steps than its recipe
asks for. Before any idea is tried, the recipe is given the length it asks for, or what the time
bears. That is one comparison, named beforehand, on rows that have chosen nothing yet, so the rows
themselves give its interval. The burden of proof lies with the cut: the recipe's own length is
taken unless it looks worse.
"""

from __future__ import annotations

from dataclasses import replace

from justright.core.idea import Idea, Prediction, Verdict
from justright.designer.session import Arm, Champion, Session
from justright.ideas.catalogue.length import LATE
from justright.ideas.rule import Move
from justright.statistics.compare import compare
from justright.statistics.intervals import paired_difference
from justright.statistics.metrics import metric_named
from justright.training.budget import steps_of

LEAST_FACTOR = 1.3
"""A run that is not at least this much longer is not worth its comparison (assumption)."""

_WORDS = {1: "better", 0: "cannot tell", -1: "not better"}


def full_steps(session: Session, champion: Champion) -> int:
    """Steps that the champion's recipe asks for; 0 if it had them, or had stopped improving."""
    spec = champion.arm.recipe.preprocessing
    first = session.blocks.block(session.blocks.first[0], spec)
    full = steps_of(champion.arm.recipe, len(first.train))
    too_early = champion.best_at < LATE
    return 0 if too_early or full < LEAST_FACTOR * champion.arm.steps else full


def longer_move(champion: Champion, steps: int) -> tuple[Move, Arm]:
    """The champion with more steps, as an idea with its prediction and as an arm."""
    recipe = champion.arm.recipe
    shares = (0.005, 0.02, 0.08)
    low, middle, high = (share * abs(champion.loss) for share in shares)
    idea = Idea(
        title=f"{steps / champion.arm.steps:.1f} × the steps",
        slot="own length",
        patch={"epochs": recipe.epochs},
        prediction=Prediction(helps=0.7, gain=(low, middle, high), seconds=0.0),
        source="Google Deep Learning Tuning Playbook 2023; gain: assumption",
        author="the recipe's own length",
    )
    arm = replace(champion.arm, steps=steps)
    return Move(idea, recipe, steps / champion.arm.steps), arm


def judge_longer(session: Session, champion: Champion, rival: Champion) -> Verdict:
    """Champion and longer run on the champion's own blocks.

    Of one block the interval is that of its validation rows; it does not hold the noise of
    training. Of several folds it is that of the corrected paired t.
    """
    subject = rival.arm.subject
    block = session.blocks.block(session.blocks.first[0], rival.arm.recipe.preprocessing)
    both = list(zip(rival.trials, champion.trials, strict=True))
    if len(both) >= 3:
        pairs = [(session.measure([new]), session.measure([old])) for new, old in both]
        return compare(subject, pairs, overlap=block.overlap, delta=0.0, alpha=0.05)
    new, old = both[0]
    found = paired_difference(
        metric_named(session.metric),
        session.blocks.sample(block),
        session.predictions(new),
        session.predictions(old),
    )
    sign = 1 if found.low > 0 else -1 if found.estimate <= 0 else 0
    evidence = {"source": found.source, "why": "one comparison, named beforehand"}
    return Verdict(subject, _WORDS[sign], found.estimate, found.low, found.high, 1, evidence)


def is_taken(verdict: Verdict) -> bool:
    """Whether the recipe gets its own length: it is what is usual, so it need not be shown better.

    >>> is_taken(Verdict("x", "cannot tell", 0.4, -0.1, 0.9, 5, {}))
    True
    """
    return verdict.difference > 0.0  # nan where nothing ran
