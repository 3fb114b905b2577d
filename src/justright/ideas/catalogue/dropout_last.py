"""Dropout on the last hidden layer only, or on all again."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

RATE = 0.15
"""Where there is no dropout yet: as in the start recipe (published: Holzmüller et al. 2024)."""

GAIN = (0.002, 0.006, 0.02)


def _propose(situation: Situation) -> Iterator[Proposal]:
    recipe = situation.recipe
    own, layers = recipe.regularisation.dropout, recipe.regularisation.dropout_layers
    if layers is not None:
        if own:
            changes = {"regularisation.dropout_layers": None}
            yield Proposal("dropout on all layers", changes, 0.2, GAIN, fights=1)
    elif len(recipe.shape.hidden) > 1:
        changes = {"regularisation.dropout_layers": 1}
        if own:
            yield Proposal("dropout on the last layer only", changes, 0.2, GAIN, fights=-1)
        else:
            changes |= {"regularisation.dropout": RATE}
            title = f"dropout {RATE:g} on the last layer only"
            yield Proposal(title, changes, 0.25, GAIN, fights=1)


RULE = Rule(
    slot="dropout layers",
    stage=Stage.REGULARISATION,
    source="Howard & Gugger 2020 (the last one or two layers usually do); probability and gain: "
    "assumption",
    propose=_propose,
)
