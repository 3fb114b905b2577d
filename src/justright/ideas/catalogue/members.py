"""Members: networks in one that share all but a factor per input and the head."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

FEW, MANY = 4, 8
"""Assumption: an eighth and a quarter of the published 32, since a step costs as many times the
body's."""

WIDEST = 128
"""Widest layer that members share; wider bodies are narrowed to it (assumption: eight times a
body of 256 units takes too long on one core, and twice its products are bearable)."""

GAIN = (0.001, 0.03, 0.13)
"""Quantiles of the gains over one network on thirteen tables (measured: LOG.md, members in the
start recipe); TabM's over the tuned plain network are 0.008, 0.023 and 0.05 at the quartiles."""

MORE_GAIN = (0.0005, 0.002, 0.03)
"""The same of eight over four."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    shape = situation.recipe.shape
    if shape.members == 1:
        changes: dict[str, object] = {"shape.members": FEW}
        title, helps = f"{FEW} members", 0.75
        if max(shape.hidden) > WIDEST:
            changes["shape.hidden"] = [min(width, WIDEST) for width in shape.hidden]
            title, helps = f"{title}, at most {WIDEST} wide", 0.5
        yield Proposal(title, changes, helps, GAIN, 1)
    elif shape.members < MANY and max(shape.hidden) <= WIDEST:
        yield Proposal(f"{MANY} members", {"shape.members": MANY}, 0.4, MORE_GAIN, 1)


RULE = Rule(
    slot="members",
    stage=Stage.ARCHITECTURE,
    source="TabM, Gorishniy et al. 2024 (ICLR 2025): better than the tuned plain network on 76 of "
    "86 tables, worse on 3; four and eight: measured on thirteen tables; narrowing: assumption",
    propose=_propose,
)
