"""A rule of the catalogue: from a situation to what is worth trying in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from justright.core.idea import Idea
from justright.core.task import Task
from justright.diagnosis.states import State
from justright.ideas.calibration import Calibration
from justright.ideas.stage import Stage
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe


@dataclass(frozen=True)
class Leads:
    """What measurements on these data suggest; it replaces blind neighbours.

    Attributes:
        rate: Peak rate that came out of the race of rates; None without one, or if the prior did.
        size: Hidden layers that the size search chose; None if it did not get that far.
        size_gain: By how much that size was ahead of the champion in the search, whose runs are
            shorter and have no members; 0 where it was not by more than matters.
        blocks: Blocks below this number have been seen by decisions.
        raced: The recipe that the rates were raced with; None without a race.
    """

    rate: float | None = None
    size: tuple[int, ...] | None = None
    size_gain: float = 0.0
    blocks: int = 0
    raced: Recipe | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Situation:
    """What a rule may look at: the champion, its data, what was measured.

    Attributes:
        recipe: The champion's recipe.
        task: What is predicted.
        metric: Name of the metric that decides.
        inputs: What the network receives.
        rows: Training rows of a block.
        loss: The champion's deciding metric, turned so that lower is better.
        best_at: Share of the run at which its best evaluation lay.
        outliers: Share of the training rows whose target lies more than three standard
            deviations from its mean; 0 for classes.
        skewness: Of the target over the training rows, the least of several targets; 0 for
            classes.
        lowest: The lowest target of them; 0 for classes.
        leads: What was measured on these data.
        calibration: What outcomes of earlier studies say of predicted probabilities.
        state: What the champion's training suffers from.
    """

    recipe: Recipe
    task: Task
    metric: str
    inputs: Inputs
    rows: int
    loss: float
    best_at: float
    outliers: float = 0.0
    skewness: float = 0.0
    lowest: float = 0.0
    leads: Leads = field(default_factory=Leads)
    calibration: Calibration = field(default_factory=Calibration)
    state: State = State.UNKNOWN


@dataclass(frozen=True)
class Proposal:
    """What a rule proposes to try.

    Attributes:
        title: What it is, for people; names the idea within a study.
        changes: Dotted path into the recipe to its new value.
        helps: Probability that it helps.
        gain: 10%, 50% and 90% quantiles of the gain if it helps, as shares of the loss.
        complexity: Levels of complexity it adds (0 = none).
        length: Factor on the champion's steps.
        source: Where it comes from, if not from where its rule does.
        fights: 1 if it fights overfitting, -1 if it lets the network fit more closely, else 0.
    """

    title: str
    changes: Mapping[str, Any]
    helps: float
    gain: tuple[float, float, float]
    complexity: int = 0
    length: float = 1.0
    source: str = ""
    fights: int = 0


@dataclass(frozen=True)
class Rule:
    """One entry of the catalogue.

    Attributes:
        slot: What its ideas compete for: of one slot only one can be taken at a time.
        stage: When they are tried.
        source: Paper and year, a measurement, or "assumption".
        propose: From a situation to proposals; none where it does not apply.
        lasting: Whether a verdict still holds after something else has changed; if not, its ideas
            are asked for again around every new champion.
    """

    slot: str
    stage: Stage
    source: str
    propose: Callable[[Situation], Iterable[Proposal]]
    lasting: bool = True


@dataclass(frozen=True)
class Move:
    """An idea together with what its first run needs.

    Attributes:
        idea: Title, slot, patch and frozen prediction.
        recipe: The champion's recipe with the patch applied.
        length: Factor on the champion's steps.
        lasting: Whether its verdict still holds after something else has changed.
    """

    idea: Idea
    recipe: Recipe
    length: float = 1.0
    lasting: bool = True
