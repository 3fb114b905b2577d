"""Twice or half as many rows a step, at equal epochs, the rate scaled with the square root."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

FEWEST, MOST = 16, 2048
"""Bounds of the batch (assumption; below 16 batch normalisation fails: Wu & He 2018)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    recipe = situation.recipe
    for factor, name in ((0.5, "batch ÷ 2"), (2.0, "batch × 2")):
        batch = round(recipe.batch * factor)
        if FEWEST <= batch <= min(MOST, situation.rows // 2):
            yield Proposal(
                title=name,
                changes={"batch": batch, "optimiser.rate": recipe.optimiser.rate * sqrt(factor)},
                helps=0.15,
                gain=(0.002, 0.006, 0.02),
                length=1 / factor,
                fights=1 if factor < 1 else 0,
            )


RULE = Rule(
    slot="batch",
    stage=Stage.TRAINING,
    source="smaller generalise better: Masters & Luschi 2018; no difference where all is tuned: "
    "Shallue et al. 2019; probability and gain: assumption",
    propose=_propose,
)
