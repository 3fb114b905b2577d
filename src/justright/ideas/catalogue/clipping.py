"""Bounding the norm of the gradient."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

BOUND = 1.0
"""Published: Gorishniy et al. 2024 (TabM)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    value = None if situation.recipe.optimiser.clip is not None else BOUND
    title = "no clipping" if value is None else f"gradients clipped at {value:g}"
    yield Proposal(title, {"optimiser.clip": value}, 0.1, (0.001, 0.004, 0.02))


RULE = Rule(
    slot="clipping",
    stage=Stage.TRAINING,
    source="Pascanu et al. 2013; bound: Gorishniy et al. 2024; probability and gain: assumption",
    propose=_propose,
)
