"""Another embedding of number columns: cosines, bins, or the numbers as they are."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage

MOST_COLUMNS = 64
"""Most number columns that are embedded, as in the start recipe (assumption)."""

PERIODIC = {
    "shape.numbers": "periodic",
    "shape.bins": 16,
    "shape.number_width": 4,
    "shape.sigma": 0.1,
}
PIECEWISE = {"shape.numbers": "piecewise", "shape.bins": 32, "shape.number_width": 8}
"""Published: 16 cosines and four inputs (Holzmüller et al. 2024). 32 bins and eight inputs are
two thirds of what is usual (48 and 12: Gorishniy et al. 2022), to save time (assumption)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if not 0 < situation.inputs.numbers <= MOST_COLUMNS:
        return
    own = situation.recipe.shape.numbers
    if own != "periodic":
        yield Proposal("cosines of numbers", PERIODIC, 0.6, (0.002, 0.014, 0.039), 1)
    if own != "piecewise":
        helps, middle = (0.6, 0.010) if own == "none" else (0.3, 0.005)
        yield Proposal("bins of numbers", PIECEWISE, helps, (0.001, middle, 0.031), 1)
    if own != "none":
        changes, gain = {"shape.numbers": "none"}, (0.001, 0.005, 0.02)
        yield Proposal("numbers as they are", changes, 0.15, gain, fights=1)


RULE = Rule(
    slot="numbers",
    stage=Stage.ARCHITECTURE,
    source="Gorishniy et al. 2022; cosines help on 62 of 86 tables and hurt on 6, bins on 63 "
    "and 5 (results of Gorishniy et al. 2024); one instead of the other: assumption",
    propose=_propose,
)
