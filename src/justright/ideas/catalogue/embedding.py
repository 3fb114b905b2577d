"""Another embedding of number columns: cosines, bins, or the numbers as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage
from justright.training.start import PERIODIC, PIECEWISE

MOST_COLUMNS = 64
"""Most number columns that are embedded, as in the start recipe (assumption)."""

INSTEAD = (0.002, 0.01, 0.08)
"""Quantiles of the gain where one embedding is better than the other (measured on 27 tables:
LOG.md, bins or cosines)."""


def _propose(situation: Situation) -> Iterator[Proposal]:
    if not 0 < situation.inputs.numbers <= MOST_COLUMNS:
        return
    own = situation.recipe.shape.numbers
    if own != "periodic":
        helps, gain = (0.6, (0.002, 0.014, 0.039)) if own == "none" else (0.2, INSTEAD)
        yield Proposal("cosines of numbers", _changes(PERIODIC), helps, gain, 1)
    if own != "piecewise":
        helps, gain = (0.6, (0.001, 0.010, 0.031)) if own == "none" else (0.15, INSTEAD)
        yield Proposal("bins of numbers", _changes(PIECEWISE), helps, gain, 1)
    if own != "none":
        changes, gain = {"shape.numbers": "none"}, (0.001, 0.005, 0.02)
        yield Proposal("numbers as they are", changes, 0.15, gain, fights=1)


def _changes(embedding: Mapping[str, Any]) -> dict[str, Any]:
    return {f"shape.{name}": value for name, value in embedding.items()}


RULE = Rule(
    slot="numbers",
    stage=Stage.ARCHITECTURE,
    source="Gorishniy et al. 2022; cosines help on 62 of 86 tables and hurt on 6, bins on 63 "
    "and 5 (results of Gorishniy et al. 2024); one instead of the other: measured on 27 tables, "
    "and LOG.md, outcomes of ideas",
    propose=_propose,
)
