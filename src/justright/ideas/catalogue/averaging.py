"""A longer average of weights over the run, or none."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

LONGER = 4.0
"""Factor on the time scale (assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if situation.recipe.schedule.name == "swa":
        return  # its own average is what is handed over
    own, gain = situation.recipe.ema_epochs, (0.001, 0.004, 0.015)
    if own is None:
        yield Proposal("average of weights", {"ema_epochs": 1.0}, 0.3, gain)
        return
    title = f"average over {LONGER * own:g} epochs"
    yield Proposal(title, {"ema_epochs": LONGER * own}, 0.15, gain, fights=1)
    yield Proposal("no average of weights", {"ema_epochs": None}, 0.1, gain, fights=-1)


RULE = Rule(
    slot="averaging",
    stage=Stage.FINISH,
    source="Polyak & Juditsky 1992; Izmailov et al. 2018; probability and gain: assumption",
    propose=_propose,
)
