"""Other shapes of the learning rate over a run."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

SCHEDULES = {
    "coslog4": "four cosine cycles",
    "cosine": "one cosine",
    "onecycle": "1cycle",
    "flat_cosine": "late cosine",
    "swa": "last quarter averaged (SWA)",
}
"""Schedules that are raced, and what they are called."""

HELPS, SWA_HELPS = 0.15, 0.08
"""Probabilities that one is better. Of SWA less is expected: its gains are those of plain SGD, and
with Adam an exponential average of weights, which the start recipe has, is preferred."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    for name, title in SCHEDULES.items():
        if name != situation.recipe.schedule.name:
            helps = SWA_HELPS if name == "swa" else HELPS
            yield Proposal(title, {"schedule.name": name}, helps, (0.002, 0.006, 0.02))


RULE = Rule(
    slot="schedule",
    stage=Stage.FINISH,
    source="Smith 2018; Loshchilov & Hutter 2017; Holzmüller et al. 2024; Izmailov et al. 2018; "
    "probability and gain: assumption",
    propose=_propose,
)
