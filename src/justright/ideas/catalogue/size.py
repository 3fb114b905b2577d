"""Another size: the one that the search chose, or the neighbours where there was no search."""

from __future__ import annotations

from collections.abc import Iterator

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage
from justright.sizing.shapes import name_of

SHAPES: tuple[tuple[int, ...], ...] = (
    (64, 64),
    (128, 128),
    (512,),
    (256, 256, 256),
    (512, 512, 512),
)
"""Shapes tried, from small to large, where there was no time for a size search (measured on ten
tables: one layer of 512 is not worse than three of 256 on nine, and cheaper on nine)."""


def neighbours(hidden: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The next larger and next smaller of `SHAPES`, larger first.

    >>> neighbours((128, 128))
    ((512,), (64, 64))
    """
    larger = [shape for shape in SHAPES if sum(shape) > sum(hidden)][:1]
    smaller = [shape for shape in SHAPES if sum(shape) < sum(hidden)][-1:]
    return tuple(larger + smaller)


def _propose(situation: Situation) -> Iterator[Proposal]:
    own, found = situation.recipe.shape.hidden, situation.leads.size
    if found is None:
        for hidden in neighbours(own):
            yield Proposal(
                title=f"{len(hidden)}×{hidden[0]}",
                changes={"shape.hidden": list(hidden)},
                helps=0.4 if sum(hidden) > sum(own) else 0.15,
                gain=(0.002, 0.01, 0.03),
                fights=1 if sum(hidden) < sum(own) else -1,
            )
    elif found != own:
        yield Proposal(
            title=f"size {name_of(found)}",
            changes={"shape.hidden": list(found)},
            helps=0.5,
            gain=(-0.01, 0.01, 0.04),
            source="size search on these data; probability and gain: assumption",
        )


RULE = Rule(
    slot="shape",
    stage=Stage.SIZE,
    source="tuned widths, Gorishniy et al. 2024 (ICLR 2025); gain: assumption",
    propose=_propose,
    lasting=False,
)
