"""Another size: the one that the search chose, or the neighbours where there was no search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from justright.ideas.rule import Proposal, Rule, Situation
from justright.ideas.stage import Stage
from justright.recipe.network import NetworkSpec, parameter_count
from justright.recipe.patch import Patch
from justright.sizing.shapes import name_of
from justright.training.start import MEMBERS_WIDEST

SHAPES: tuple[tuple[int, ...], ...] = (
    (64, 64),
    (128, 128),
    (512,),
    (256, 256, 256),
    (512, 512, 512),
)
"""Shapes tried, from small to large, where there was no time for a size search (measured on ten
tables: one layer of 512 is not worse than three of 256 on nine, and cheaper on nine)."""


SHOWN = 0.9
"""Probability that a size helps which was ahead of the champion where sizes were searched
(assumption)."""


LIGHTER, HEAVIER = (0.5, (-0.01, 0.01, 0.04)), (0.3, (-0.005, 0.002, 0.02))
"""Probability and gain of a size that is not known to be ahead of the champion from the search.
What is lighter need only be as good; what is heavier has to be better by what matters, which 9 of
27 sizes of either kind looked (LOG.md, outcomes of ideas; for heavier ones alone, and the gains:
assumptions)."""

ON_THE_WAY = 0.7
"""The same of a shape between the champion's and such a size (assumption)."""


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
        yield from _found(situation, found)


def _found(situation: Situation, found: tuple[int, ...]) -> Iterator[Proposal]:
    """What the search chose; where that is too wide for members (`start.with_members`), and was
    ahead of the champion, without them, too, which is cheaper and what the search has trained."""
    seen = situation.leads.size_gain / (abs(situation.loss) or 1.0)
    title, changes = f"size {name_of(found)}", {"shape.hidden": list(found)}
    forms: list[tuple[str, dict[str, Any]]] = [(title, changes)]
    if seen and situation.recipe.shape.members > 1 and max(found) > MEMBERS_WIDEST:
        forms.append((f"{title} without members", {**changes, "shape.members": 1}))
    for name, own in forms:
        helps, gain = HEAVIER if _is_heavier(situation, own) else LIGHTER
        yield Proposal(
            title=name,
            changes=own,
            helps=SHOWN if seen else helps,
            gain=(0.5 * seen, seen, 1.5 * seen) if seen else gain,
            source="size search on these data; "
            + ("gain: measured there" if seen else "probability and gain: assumption"),
        )
    if seen:
        yield from _on_the_way(situation.recipe.shape.hidden, found, seen)


def _is_heavier(situation: Situation, changes: Mapping[str, Any]) -> bool:
    """Whether a recipe with these changes has more weights than the champion."""
    old, new = situation.recipe, Patch("size", changes).apply(situation.recipe)
    before, after = (
        parameter_count(NetworkSpec(each.shape, situation.inputs)) for each in (old, new)
    )
    return after > before


def _on_the_way(own: tuple[int, ...], found: tuple[int, ...], seen: float) -> Iterator[Proposal]:
    """Shapes between a size that is far too small and the one that was found, for which there may
    be no time."""
    for hidden in SHAPES:
        if sum(own) < sum(hidden) < sum(found):
            yield Proposal(
                title=f"{len(hidden)}×{hidden[0]}",
                changes={"shape.hidden": list(hidden)},
                helps=ON_THE_WAY,
                gain=(0.25 * seen, 0.5 * seen, seen),
                source="on the way to what the size search found; assumption",
            )


RULE = Rule(
    slot="shape",
    stage=Stage.SIZE,
    source="tuned widths, Gorishniy et al. 2024 (ICLR 2025); gain: assumption",
    propose=_propose,
    lasting=False,
)
