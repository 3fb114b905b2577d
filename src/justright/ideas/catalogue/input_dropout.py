"""Silencing inputs at random while training."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

RATE = 0.1
"""Published: 0.2 for the inputs of images (Srivastava et al. 2014). Half of it, as a column has no
neighbours that say the same, which pixels have: assumption."""

LEAST_INPUTS = 4
"""With fewer inputs most of what a row says would be silenced too often (assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    inputs = situation.inputs
    own = situation.recipe.regularisation.input_dropout
    if inputs.numbers + inputs.indicators + len(inputs.categories) < LEAST_INPUTS:
        return
    value = 0.0 if own else RATE
    title = f"input dropout {value:g}" if value else "no input dropout"
    changes, fights = {"regularisation.input_dropout": value}, 1 if value else -1
    yield Proposal(title, changes, 0.15, (0.002, 0.006, 0.02), fights=fights)


RULE = Rule(
    slot="input dropout",
    stage=Stage.REGULARISATION,
    source="Srivastava et al. 2014; probability and gain: assumption",
    propose=_propose,
)
