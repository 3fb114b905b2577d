"""Seeing small classes as often as large ones."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

METRICS = ("balanced_accuracy", "macro_f1")
"""Metrics in which classes count alike, however many rows they have. Anywhere else it does harm:
probabilities of small classes become too high."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if not situation.task.is_classification or situation.metric not in METRICS:
        return
    if situation.recipe.sampling == "balanced":
        yield Proposal("rows as they come", {"sampling": "even"}, 0.2, (0.002, 0.01, 0.05))
    else:
        yield Proposal("classes equally often", {"sampling": "balanced"}, 0.5, (0.01, 0.03, 0.1))


RULE = Rule(
    slot="sampling",
    stage=Stage.DATA,
    source="Buda et al. 2018; probability and gain: assumption",
    propose=_propose,
)
