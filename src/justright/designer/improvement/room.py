"""What the start recipe in full may take of the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from justright.data.split import FOLDS
from justright.designer.work.admission import SHORTEST, TEST_S, Admission, expected_best
from justright.designer.work.session import Arm
from justright.sizing.evidence import NINTH

LEAST_FACTOR = 1.3
"""A run that is not at least this much longer is not worth its comparison (assumption)."""

LONG_FINISH_SHARE = 0.6
"""Share of the time left that the final training of a lengthened run may take (assumption)."""

SIZE_KEPT = 0.15
"""Share of the time left that the longer run of a large table leaves to the size search
(assumption; measured on flights_late at five minutes: without it a search had time once in three
runs, with 0.1 in none of one, with 0.2 in two of two, but the network had few steps in one)."""

SEARCHED = round(SHORTEST / NINTH)
"""Steps of which a ninth is enough to compare sizes; fewer leave no time to the size search."""

PROBED = (1_000, 2_000)
"""Steps that are priced to tell what a step costs from what a training costs beside its steps."""


def _steps_in(seconds: float, probed: Sequence[float]) -> float:
    """Steps that take so many seconds, from the seconds of `PROBED` steps.

    >>> _steps_in(8.0, (3.0, 5.0))
    3500.0
    """
    step_s = (probed[1] - probed[0]) / (PROBED[1] - PROBED[0])
    return PROBED[0] + (seconds - probed[0]) / step_s


@dataclass(frozen=True)
class Room:
    """How much of a training there is time for: on the screening blocks, then on all rows.

    Attributes:
        admission: Prices work.
        kept_s: Seconds to keep for something else before it.
    """

    admission: Admission
    kept_s: float = 0.0

    def longer_steps(self, champion: Arm, full: int) -> int:
        """Steps that a longer run, and then its final training, can have; 0 if too few more."""
        most, spared = self._most_steps(champion)
        steps = min(full, most)
        if self.admission.session.blocks.fixed_holdout:
            steps = max(min(steps, spared), min(steps, SEARCHED))
        return steps if steps >= LEAST_FACTOR * champion.steps else 0

    def all_steps(self, arm: Arm, best_at: float) -> int:
        """The steps of an arm if there is time for all of them, else 0.

        Args:
            arm: What is trained.
            best_at: The final training is cut there, a share of the steps; not known of the arm,
                but of a network that is like it.
        """
        finish_s = self.admission.finish_s(arm, expected_best(best_at))
        left = self._left_s(arm)
        share = 1.0 - SIZE_KEPT if self.admission.session.blocks.fixed_holdout else 1.0
        last_s = max(finish_s, self.admission.beside_s)
        fits = self.screened_s(arm) + last_s <= share * left
        return arm.steps if fits and finish_s <= LONG_FINISH_SHARE * left else 0

    def screened_s(self, arm: Arm) -> float:
        """Wall seconds of an arm on the screening blocks, and of one repetition of
        cross-validation where there is one.
        """
        session = self.admission.session
        blocks = len(session.blocks.first)
        screen_s = self.admission.costs.work(arm, blocks) / min(blocks, session.crew.capacity)
        return screen_s + (self.admission.repeat_s(arm, 0.0) if self.admission.repeats else 0.0)

    def _most_steps(self, arm: Arm) -> tuple[int, int]:
        """Most steps that a training like an arm's can have: at all, and beside a size search."""
        left = self._left_s(arm)
        probes = [replace(arm, steps=steps) for steps in PROBED]
        screened = [self.screened_s(each) for each in probes]
        final = [self.admission.finish_s(each) for each in probes]
        whole = [first + last for first, last in zip(screened, final, strict=True)]
        most = min(
            _steps_in(left, whole),
            _steps_in(left - self.admission.beside_s, screened),
            _steps_in(LONG_FINISH_SHARE * left, final),
        )
        return int(most), int(_steps_in((1.0 - SIZE_KEPT) * left, whole))

    def _left_s(self, arm: Arm) -> float:
        """Wall seconds that the training and its final training may take together."""
        admission, session = self.admission, self.admission.session
        each = FOLDS * admission.baselines_s / session.crew.capacity
        baselines = each if admission.repeats else 0.0
        left = session.clock.work_left_s - self.kept_s - TEST_S - admission.after_s
        return left - admission.encoding_everything_s(arm) - baselines
