"""More weight decay, less, or none; as a time scale in epochs."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

FACTOR = 4.0
"""Between neighbouring time scales (assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    own = situation.recipe.optimiser.decay_epochs
    path, gain = "optimiser.decay_epochs", (0.002, 0.006, 0.02)
    if own is None:
        epochs = situation.recipe.epochs / FACTOR
        yield Proposal(f"decay over {epochs:.3g} epochs", {path: epochs}, 0.2, gain, fights=1)
        return
    title = f"decay over {own / FACTOR:.3g} epochs"
    yield Proposal(title, {path: own / FACTOR}, 0.2, gain, fights=1)
    yield Proposal("no decay", {path: None}, 0.2, gain, fights=-1)


RULE = Rule(
    slot="decay",
    stage=Stage.REGULARISATION,
    source="Loshchilov & Hutter 2019; tuned networks for tables have none in 41 to 47% of the "
    "cases (results of Gorishniy et al. 2024); probability and gain: assumption",
    propose=_propose,
)
