"""Skipping residual blocks at random while training."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

PROBABILITY = 0.15
"""Of skipping the last block; 0.5 is for very deep networks (published: Huang et al. 2016; for
shallow ones 0.1 to 0.2: assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    recipe = situation.recipe
    if recipe.shape.body != "residual":
        return
    value = 0.0 if recipe.regularisation.stochastic_depth else PROBABILITY
    title = f"stochastic depth {value:g}" if value else "no stochastic depth"
    changes = {"regularisation.stochastic_depth": value}
    fights = 1 if value else -1
    yield Proposal(title, changes, 0.15, (0.002, 0.005, 0.02), fights=fights)


RULE = Rule(
    slot="stochastic depth",
    stage=Stage.REGULARISATION,
    source="Huang et al. 2016; probability and gain: assumption",
    propose=_propose,
)
