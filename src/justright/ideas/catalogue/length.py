"""A longer or a shorter training, by where its best evaluation lay."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

FACTOR = 3.0
"""How much longer, or shorter, another training is."""

LATE, EARLY = 0.75, 1 / 3
"""Best evaluations after or before these shares of a run ask for a longer or shorter one (late:
tuning playbook, Google 2023; early: assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    early = situation.best_at <= EARLY
    factor = 1 / FACTOR if early else FACTOR
    yield Proposal(
        title=f"{FACTOR:g} × {'shorter' if early else 'longer'}",
        changes={"epochs": situation.recipe.epochs * factor},
        helps=0.25 if early else 0.4 if situation.best_at >= LATE else 0.2,
        gain=(0.003, 0.01, 0.04),
        length=factor,
        fights=1 if early else -1,
    )


RULE = Rule(
    slot="length",
    stage=Stage.TRAINING,
    source="Google Deep Learning Tuning Playbook 2023; probability: "
    "measured with the start recipe (LOG.md, outcomes of ideas); gain: assumption",
    propose=_propose,
    lasting=False,
)
