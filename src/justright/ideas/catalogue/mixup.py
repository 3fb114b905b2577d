"""Mixing rows of a batch, inputs and targets alike."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

ALPHAS = (0.2, 0.4)
"""Parameters of the Beta distribution (published: 0.1 to 0.4 for images, larger underfit)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    own = situation.recipe.regularisation.mixup
    for alpha in (*ALPHAS, *((0.0,) if own else ())):
        if alpha != own:
            title = f"mixup {alpha:g}" if alpha else "no mixup"
            changes, fights = {"regularisation.mixup": alpha}, 1 if alpha > own else -1
            yield Proposal(title, changes, 0.06, (0.002, 0.006, 0.02), fights=fights)


RULE = Rule(
    slot="mixup",
    stage=Stage.AUGMENTATION,
    source="Zhang et al. 2018; probability: measured with the start recipe (LOG.md, outcomes of "
    "ideas); gain: assumption",
    propose=_propose,
)
