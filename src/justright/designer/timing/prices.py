"""What trainings cost on this machine today, learned as the study goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.training.cost import (
    USUAL,
    CostModel,
    Measured,
    alone_from,
    fit_cost,
    step_s,
)

RECENT = 8
"""Latest trainings that prices follow: machines get busy and idle again (assumption)."""

Q90 = 1.3
"""The 90% quantile of the seconds of a training over those that are expected, until enough
trainings have shown it (assumption)."""

SEEN, ENOUGH = 16, 8
"""It follows at most so many of the latest trainings, and at least so many (assumption)."""

LEAST_MARGIN, MOST_MARGIN = 1.05, 1.6
"""What is learned of it stays between these (assumption). Seconds over their price before
(measured, the study alone on its core): 0.88 to 1.02 on 20,000 rows, 0.6 to 1.6 on 1,030, whose
trainings are short."""


@dataclass
class Prices:
    """Predicts seconds from a calibration, then from the trainings of the study itself.

    The calibration times a few shapes for a moment at the start, when everything starts at once;
    it says how shapes compare. How long they take is learned from what was trained since.

    Attributes:
        model: Cost of a step; None until calibrated.
        pace: Factor on it until the first training has ended.
        calibration: The shapes that were timed.
        trained: Trainings of the study so far, with seconds per step.
        fixed: Seconds of each beside its steps, over the members of its stack.
        surprises: Seconds of each over what they were expected to be, but of the first.
        known: Trials that were learned from.
    """

    model: CostModel | None = None
    pace: float = 1.0
    calibration: tuple[Measured, ...] = ()
    trained: list[Measured] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    surprises: list[float] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    _first: CostModel | None = None

    def calibrated(self, model: CostModel, points: Sequence[Measured]) -> None:
        """Take over a calibration."""
        self.model = self._first = model
        self.calibration = tuple(points)

    def unknown(self, slowness: float) -> None:
        """There was no calibration: the usual machine, as slow as this one was so far."""
        self.model, self.pace = USUAL, slowness

    @property
    def margin(self) -> float:
        """The 90% quantile of the seconds of a training over those that are expected."""
        recent = self.surprises[-SEEN:]
        if len(recent) < ENOUGH:
            return Q90
        return float(np.clip(np.quantile(recent, 0.9), LEAST_MARGIN, MOST_MARGIN))

    def _expected_s(
        self, model: CostModel, recipe: Recipe, inputs: Inputs, steps: int, members: int
    ) -> float:
        """Expected seconds of one worker for a stack."""
        fixed_s = members * float(np.median(self.fixed[-RECENT:] or [0.0]))
        return fixed_s + self.pace * steps * step_s(model, recipe, inputs, members)

    def seconds(self, recipe: Recipe, inputs: Inputs, steps: int, members: int = 1) -> float:
        """Seconds of one worker for a stack, 90% quantile; infinite before anything is known."""
        if self.model is None:
            return float("inf")
        return self.margin * self._expected_s(self.model, recipe, inputs, steps, members)

    def alone_from(self, recipe: Recipe, inputs: Inputs) -> int:
        """The width from which on networks are trained one by one."""
        return alone_from(self.model or USUAL, recipe, inputs)

    def learn(self, done: Measured, inputs: Inputs, steps: int, fixed_s: float) -> None:
        """Follow a finished training.

        Args:
            done: What was trained, with the seconds that a step of all members took.
            inputs: Of its networks.
            steps: That it took.
            fixed_s: Seconds beside the steps, which do not grow with them.
        """
        if self.model is not None and self.trained:  # else only the calibration was surprised
            expected = self._expected_s(self.model, done.recipe, inputs, steps, done.members)
            self.surprises.append((fixed_s + steps * done.step_s) / expected)
        self.trained.append(done)
        self.fixed.append(fixed_s / done.members)
        recent = self.trained[-RECENT:]
        first = self._first or USUAL
        ratios = [
            each.step_s / step_s(first, each.recipe, inputs, each.members) for each in recent
        ]
        factor = float(np.median(ratios))
        timed = [replace(each, step_s=each.step_s * factor) for each in self.calibration]
        self.model, self.pace = fit_cost([*timed, *recent], inputs), 1.0
