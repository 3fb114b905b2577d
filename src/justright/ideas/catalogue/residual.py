"""Residual blocks instead of plain layers, as many and as wide."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage


def _propose(situation: Situation) -> Iterator[Proposal]:
    shape = situation.recipe.shape
    if shape.body == "residual":
        return
    widest = max(shape.hidden)
    changes = {"shape.body": "residual", "shape.hidden": [widest] * len(shape.hidden)}
    yield Proposal("residual blocks", changes, 0.25, (0.002, 0.008, 0.03), 1)


RULE = Rule(
    slot="body",
    stage=Stage.ARCHITECTURE,
    source="Gorishniy et al. 2021; probability and gain: assumption",
    propose=_propose,
)
