"""The square root of a target that grows in steps the larger, the larger it is."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

LEAST_SKEWNESS = 1.0
"""Skewness from which it is tried ("highly skewed": Bulmer 1979; as a threshold an assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if situation.task.is_classification:
        return
    if situation.recipe.preprocessing.target == "sqrt":
        changes = {"preprocessing.target": "plain"}
        yield Proposal("the target as it is", changes, 0.2, (0.002, 0.01, 0.03))
    elif situation.lowest >= 0.0 and situation.skewness >= LEAST_SKEWNESS:
        changes = {"preprocessing.target": "sqrt"}
        yield Proposal("the square root of the target", changes, 0.4, (0.005, 0.015, 0.04))


RULE = Rule(
    slot="target",
    stage=Stage.DATA,
    source="Bartlett 1936; gain: measured on five targets, RMSE better by 0.7 to 1.5% on "
    "four, none beyond its noise, and worse by 0.1% on one; probability: assumption",
    propose=_propose,
)
