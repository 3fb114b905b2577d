"""Normal noise on number inputs while training."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

DEVIATION = 0.03
"""In distances between the quartiles of a column (measured on three tables: 0.1 helps no more on
satellite and spambase, and costs four times as much on concrete)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if not situation.inputs.numbers:
        return
    value = 0.0 if situation.recipe.regularisation.input_noise else DEVIATION
    title = f"noise {value:g} on numbers" if value else "no noise on numbers"
    changes, fights = {"regularisation.input_noise": value}, 1 if value else -1
    yield Proposal(title, changes, 0.15, (0.002, 0.006, 0.02), fights=fights)


RULE = Rule(
    slot="input noise",
    stage=Stage.AUGMENTATION,
    source="Bishop 1995 (noise on inputs is Tikhonov's regularisation); probability and gain: "
    "assumption",
    propose=_propose,
)
