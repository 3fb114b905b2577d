"""What a size search is to find, at what price, and what it can ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from justright.sizing.evidence import Evidence
from justright.sizing.shapes import Hidden, Limits, Weigh, name_of

BEYOND = 4.0
"""The ladder has not turned for good before a rung has so many times the weights with which the
training rows can be learned by heart: there a second descent may begin. That they are about as
many as rows × outputs is published (Belkin et al. 2019), the factor is an assumption."""


@dataclass(frozen=True)
class Ask:
    """Trainings that are wanted next.

    Attributes:
        hidden: The size.
        blocks: On which blocks.
        share: Share of the full length; a shorter run that exists is continued.
        stage: "ladder", "length", "shape" or "confirm".
    """

    hidden: Hidden
    blocks: tuple[int, ...]
    share: float
    stage: str


@dataclass(frozen=True)
class Goal:
    """What is searched, at what price.

    Attributes:
        selection: Blocks on which sizes are chosen.
        confirmation: Fresh blocks on which the choice is confirmed.
        overlap: Validation rows over training rows of a block.
        delta: Smallest difference that matters, in units of the loss.
        limits: Sizes that are allowed.
        weigh: Number of weights of a size.
        cost: Worker-seconds of a full run of a size on one block.
        budget: Worker-seconds of the whole search.
        rows: Training rows of a block.
        outputs: Numbers that a network returns for a row.
        part: The full length of the search is the network's own over this.
    """

    selection: tuple[int, ...]
    confirmation: tuple[int, ...]
    overlap: float
    delta: float
    limits: Limits
    weigh: Weigh
    cost: Callable[[Hidden], float]
    budget: float
    rows: int
    outputs: int
    part: int = 1

    @property
    def beyond(self) -> float:
        """Weights beyond which a second descent would have been seen."""
        return BEYOND * self.rows * self.outputs

    def spent(self, evidence: Evidence) -> float:
        """Worker-seconds of all runs so far."""
        curves = evidence.curves.items()
        return sum(self.cost(hidden) * curve.share[-1] for (hidden, _), curve in curves)

    def price(self, ask: Ask, evidence: Evidence) -> float:
        """Worker-seconds of an ask: of what is still missing of its runs."""
        curves = [evidence.curves.get((ask.hidden, block)) for block in ask.blocks]
        missing = sum(ask.share - (curve.share[-1] if curve else 0.0) for curve in curves)
        return self.cost(ask.hidden) * missing

    def affordable(self, evidence: Evidence, seconds: float, keep: float) -> bool:
        """Whether so many worker-seconds are left, when a share of the budget is kept."""
        return self.spent(evidence) + seconds <= (1.0 - keep) * self.budget


def told(ask: Ask, steps: int) -> str:
    """One line for the screen; `steps` are those of the full length."""
    length = f"{max(round(steps * ask.share), 1):,} steps"
    blocks = f"{len(ask.blocks)} block{'s' if len(ask.blocks) != 1 else ''}"
    return f"{ask.stage}: {name_of(ask.hidden)} on {blocks}, {length}"
