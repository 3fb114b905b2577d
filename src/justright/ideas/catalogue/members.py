"""Members: eight networks in one that share all but a factor per input and the head."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

MEMBERS = 8
"""Assumption: a quarter of the published 32, since a step costs as many times the body's."""

WIDEST = 128
"""Widest layer that members share; wider bodies are narrowed to it (assumption: eight times a
body of 256 units takes too long on one core, and twice its products are bearable)."""

GAIN = (0.008, 0.023, 0.05)
"""Quartiles and median of the published gains of TabM over the tuned plain network."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    shape = situation.recipe.shape
    if shape.members > 1:
        return
    changes: dict[str, object] = {"shape.members": MEMBERS}
    title, helps = f"{MEMBERS} members", 0.7
    if max(shape.hidden) > WIDEST:
        changes["shape.hidden"] = [min(width, WIDEST) for width in shape.hidden]
        title, helps = f"{MEMBERS} members, at most {WIDEST} wide", 0.5
    yield Proposal(title, changes, helps, GAIN, 1)


RULE = Rule(
    slot="members",
    stage=Stage.ARCHITECTURE,
    source="TabM, Gorishniy et al. 2024 (ICLR 2025): better than the tuned plain network on 76 of "
    "86 tables, worse on 3; eight members, and narrowing for them: assumption",
    propose=_propose,
)
