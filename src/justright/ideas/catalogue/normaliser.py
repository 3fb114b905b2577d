"""Normalised layers, with an activation that bears it."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

LEAST_BATCH = 16
"""Rows a step below which the statistics of a batch are too noisy (published: Wu & He 2018)."""

FASTER = 3
"""It bears higher rates, five times and more of images (published: Ioffe & Szegedy 2015), so it is
tried at its own rate and at a higher one; an accepted one is followed by a race of rates."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    recipe = situation.recipe
    # SELU keeps mean and variance by itself, and only without a normaliser (Klambauer et al. 2017)
    bears = {"shape.activation": "relu"} if recipe.shape.activation == "selu" else {}
    own = recipe.shape.normaliser
    if own != "layer":
        yield Proposal("layer normalisation", {"shape.normaliser": "layer", **bears}, *LAYER)
    if own != "batch" and recipe.batch >= LEAST_BATCH:
        changes = {"shape.normaliser": "batch", **bears}
        yield Proposal("batch normalisation", changes, *BATCH)
        faster = {**changes, "optimiser.rate": FASTER * recipe.optimiser.rate}
        yield Proposal(f"batch normalisation, rate × {FASTER}", faster, *BATCH)
    if own != "none":
        yield Proposal("no normalisation", {"shape.normaliser": "none"}, 0.2, GAIN)


GAIN = (0.002, 0.006, 0.03)
LAYER, BATCH = (0.1, GAIN, 1), (0.12, GAIN, 1)

RULE = Rule(
    slot="normaliser",
    stage=Stage.ARCHITECTURE,
    source="Ioffe & Szegedy 2015; Ba et al. 2016; the published defaults for tables have none; "
    "probability: measured with the start recipe (LOG.md, outcomes of ideas); gain: assumption",
    propose=_propose,
)
