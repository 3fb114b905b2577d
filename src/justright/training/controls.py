"""From a recipe to the numbers of each step: what the engine calls controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed
from justright.recipe.recipe import Recipe
from justright.training.schedules import (
    PATIENCE,
    SWA_FROM,
    flat_cosine,
    plateau_factor,
    rate_factors,
)

_MIXUP_BLOCK = 1024


@dataclass(frozen=True)
class Course:
    """One candidate's way through a run, from which any of its steps can be computed.

    Attributes:
        recipe: What the controls follow from.
        steps: Steps of the whole run.
        steps_per_epoch: Training rows over rows a step.
        seed: The candidate's seed, for the shares of mixup.
    """

    recipe: Recipe
    steps: int
    steps_per_epoch: float
    seed: int = 0

    def controls(
        self, start: int, count: int, losses: Sequence[float] = ()
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Controls of some steps: name to float64 ``[count]``, the same however a run is cut up.

        Args:
            start: First step.
            count: How many.
            losses: The evaluations before `start`, which a plateau is judged by.

        >>> course = Course(Recipe(), steps=100, steps_per_epoch=10.0)
        >>> float(course.controls(40, 1)["beta2"][0])
        0.95
        """
        optimiser, regular = self.recipe.optimiser, self.recipe.regularisation
        step = np.arange(start, start + count, dtype=np.float64)
        schedule = rate_factors(self.recipe.schedule, self.steps, start, count)
        if self.recipe.schedule.name == "plateau":
            schedule = schedule * plateau_factor(losses, patience=PATIENCE)
        ones = np.ones(count)
        # a run at a constant rate has no end that dropout and decay could fall towards, so it can
        # be continued: what a step does then depends on the step alone
        endless = self.recipe.schedule.name == "constant"
        flat = ones if endless else flat_cosine(step, self.steps)
        controls = {
            "rate": optimiser.rate * schedule,
            "beta1": optimiser.beta1 * ones,
            "beta2": optimiser.beta2 * ones,
            "dropout": regular.dropout * flat,
            "stochastic_depth": regular.stochastic_depth * ones,
            "smoothing": self.recipe.loss.smoothing * ones,
        }
        if optimiser.decay_epochs is not None:
            controls["shrink"] = shrink(
                optimiser.decay_epochs, self.steps_per_epoch, schedule * flat
            )
        if optimiser.clip is not None:
            controls["clip"] = optimiser.clip * ones
        if self.recipe.ema_epochs is not None:
            controls["ema"] = average(self.recipe.ema_epochs, self.steps_per_epoch, step)
        if regular.dropout_layers is not None:
            controls["dropout_layers"] = regular.dropout_layers * ones
        if regular.input_dropout > 0:
            controls["input_dropout"] = regular.input_dropout * flat
        if regular.input_noise > 0:
            controls["input_noise"] = regular.input_noise * flat
        if self.recipe.schedule.name == "swa":
            controls["ema"] = tail_average(step, self.steps, controls.get("ema", 0.0 * ones))
        if regular.mixup > 0:
            controls["mixup"] = mixup_shares(regular.mixup, self.seed, start, count)
        return controls


def shrink(
    decay_epochs: float, steps_per_epoch: float, factors: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Share by which weights shrink in each step, from the time scale of weight decay.

    At factor one a weight without gradient has shrunk to 1/e after `decay_epochs`, whatever the
    rate, the width and the batch; to first order the share is factor / (decay_epochs ·
    steps_per_epoch). AdamW's own share, rate · decay (Loshchilov & Hutter 2019), changes with
    each of them, which confounds every comparison of rates or sizes.

    Args:
        decay_epochs: The time scale, in epochs.
        steps_per_epoch: Steps per epoch.
        factors: Schedule of the decay, 1 at its peak.

    >>> steps = shrink(2.0, 50.0, np.ones(100))
    >>> round(float(np.prod(1 - steps)), 6) == round(float(np.exp(-1)), 6)
    True
    """
    return -np.expm1(-factors / (decay_epochs * steps_per_epoch))


def average(
    ema_epochs: float, steps_per_epoch: float, step: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weight of the old average after each step of an exponential moving average of weights.

    1 - 1 / (ema_epochs · steps_per_epoch), but in the beginning at most (1 + step) / (10 + step),
    so that the average does not remember the initialisation (the ramp is TensorFlow's).
    """
    settled = max(0.0, 1.0 - 1.0 / (ema_epochs * steps_per_epoch))
    return np.minimum(settled, (1 + step) / (10 + step))


def tail_average(
    step: npt.NDArray[np.float64], steps: int, before: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weight of the old average where all weights of the last quarter of a run count alike.

    Stochastic weight averaging (Izmailov et al. 2018) takes the weights once an epoch; here those
    of every step count, since a short run has few epochs (more often than once an epoch:
    Athiwaratkun et al. 2019).

    Args:
        step: Steps, from 0.
        steps: Steps of the whole run.
        before: What holds until then; the average then starts anew.

    >>> tail_average(np.arange(4.0, 8.0), 8, np.full(4, 0.9)).tolist()
    [0.9, 0.9, 0.0, 0.5]
    """
    seen = step - np.ceil(SWA_FROM * steps)
    return np.where(seen < 0, before, seen / (np.maximum(seen, 0.0) + 1.0))


def mixup_shares(alpha: float, seed: int, start: int, count: int) -> npt.NDArray[np.float64]:
    """Shares of mixup for some steps, from Beta(alpha, alpha) (Zhang et al. 2018).

    A function of (seed, step) alone; drawn in blocks because a generator per step is slow.
    """
    first, last = start // _MIXUP_BLOCK, (start + count - 1) // _MIXUP_BLOCK
    blocks = [
        np.random.default_rng(child_seed(seed, "mixup", block)).beta(alpha, alpha, _MIXUP_BLOCK)
        for block in range(first, last + 1)
    ]
    offset = start - first * _MIXUP_BLOCK
    return np.concatenate(blocks)[offset : offset + count]
