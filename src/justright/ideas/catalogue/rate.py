"""Another learning rate: the one that came out of the race, or neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage
from justright.training.rate_rules import alike

FACTORS = (1 / 3, 3.0)
"""Neighbours of the champion's rate (a third and three times: the usual half-decade grid)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    own, raced = situation.recipe.optimiser.rate, situation.leads.rate
    if raced is not None and not alike(raced, own):
        yield Proposal(
            title=f"raced {_times(raced / own)}",
            changes={"optimiser.rate": raced},
            helps=0.2,
            gain=(0.002, 0.01, 0.04),
            source="range test and race on these data; probability: measured (LOG.md, "
            "outcomes of ideas); gain: assumption",
        )
        return
    for factor in FACTORS:
        yield Proposal(
            title=_times(factor),
            changes={"optimiser.rate": own * factor},
            helps=0.12,
            gain=(0.002, 0.008, 0.03),
        )


def _times(factor: float) -> str:
    return f"rate × {factor:.2g}" if factor > 1 else f"rate ÷ {1 / factor:.2g}"


RULE = Rule(
    slot="rate",
    stage=Stage.TRAINING,
    source="half-decade neighbours, Bengio 2012; probability: measured with the start recipe "
    "(LOG.md, outcomes of ideas); gain: assumption",
    propose=_propose,
    lasting=False,
)
