"""Softer targets for classes, where the hardest call counts rather than the probability."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

SMOOTHING = 0.1
"""Published: Szegedy et al. 2016; Holzmüller et al. 2024 use it for accuracy only."""

METRICS = ("accuracy", "balanced_accuracy")
"""Metrics that it may serve; probabilities become worse."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if not situation.task.is_classification or situation.metric not in METRICS:
        return
    value = 0.0 if situation.recipe.loss.smoothing else SMOOTHING
    title = f"label smoothing {value:g}" if value else "no label smoothing"
    changes, fights = {"loss.smoothing": value}, 1 if value else -1
    yield Proposal(title, changes, 0.3, (0.001, 0.004, 0.01), fights=fights)


RULE = Rule(
    slot="smoothing",
    stage=Stage.REGULARISATION,
    source="Szegedy et al. 2016; Holzmüller et al. 2024; probability and gain: assumption",
    propose=_propose,
)
