"""More dropout, less, or none."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

RATES = (0.0, 0.05, 0.15, 0.3)
"""Tuned networks for tables have none in a third of the cases, 0.12 to 0.17 in the median, and
at most 0.47 in nine of ten (published: results of Gorishniy et al. 2024)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    own = situation.recipe.regularisation.dropout
    lower = [rate for rate in RATES if rate < own]
    higher = [rate for rate in RATES if rate > own]
    for rate in dict.fromkeys((*lower[:1], *higher[:1])):
        title = f"dropout {rate:g}" if rate else "no dropout"
        changes, fights = {"regularisation.dropout": rate}, 1 if rate > own else -1
        yield Proposal(title, changes, 0.3, (0.002, 0.008, 0.03), fights=fights)


RULE = Rule(
    slot="dropout",
    stage=Stage.REGULARISATION,
    source="Srivastava et al. 2014; rates: results of Gorishniy et al. 2024; probability and "
    "gain: assumption",
    propose=_propose,
)
