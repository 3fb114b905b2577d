"""A loss that outliers of the target cannot rule."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

LEAST_OUTLIERS = 0.01
"""Share of rows beyond three standard deviations from which it is tried (assumption; 0.3% of a
normal distribution lie there)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    loss = situation.recipe.loss
    if situation.task.is_classification or situation.outliers < LEAST_OUTLIERS:
        return
    if loss.name == "huber":
        yield Proposal("squared error", {"loss.name": "mse"}, 0.2, (0.002, 0.01, 0.05))
    else:
        changes = {"loss.name": "huber", "loss.delta": 1.0}
        yield Proposal("Huber's loss", changes, 0.25, (0.002, 0.01, 0.05))


RULE = Rule(
    slot="loss",
    stage=Stage.DATA,
    source="Huber 1964; probability and gain: assumption",
    propose=_propose,
)
