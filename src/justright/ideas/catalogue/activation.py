"""Another activation, with the initialisation and the kind of dropout that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

BUNDLES: dict[str, tuple[str, dict[str, Any]]] = {
    "selu": (
        "SELU with its own dropout",
        {
            "shape.activation": "selu",
            "shape.dropout": "alpha",
            "shape.normaliser": "none",
            "regularisation.dropout": 0.05,
        },
    ),
    "gelu": ("GELU", {"shape.activation": "gelu", "shape.dropout": "plain"}),
    "mish": ("Mish", {"shape.activation": "mish", "shape.dropout": "plain"}),
    "relu": ("ReLU", {"shape.activation": "relu", "shape.dropout": "plain"}),
}
"""Title and changes by activation; SELU's dropout keeps mean and variance, at 0.05 to 0.1
(Klambauer et al. 2017)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    shape = situation.recipe.shape
    for name, (title, changes) in BUNDLES.items():
        whole = shape.body == "mlp" or name != "selu"  # sums of blocks leave SELU's fixed point
        if name != shape.activation and whole:
            yield Proposal(title, changes, 0.1, (0.002, 0.006, 0.02))


RULE = Rule(
    slot="activation",
    stage=Stage.ARCHITECTURE,
    source="Klambauer et al. 2017; Hendrycks & Gimpel 2016; Misra 2019; probability: "
    "measured with the start recipe (LOG.md, outcomes of ideas); gain: assumption",
    propose=_propose,
)
