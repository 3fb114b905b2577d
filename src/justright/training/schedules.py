"""Shapes of the learning rate over a run, as pure functions of the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from justright.recipe.recipe import ScheduleName, ScheduleSpec

Factors = npt.NDArray[np.float64]

FINAL_SHARE = 0.01
"""Share of the rate an exponential schedule ends at (assumption)."""

STEP_FACTOR, STEP_STAGES = 0.1, 3
"""A step schedule divides the rate by ten after each third of the run (He et al. 2016 divide by
ten twice; equal thirds: assumption)."""

ONECYCLE_RISE, ONECYCLE_START, ONECYCLE_END = 0.3, 1 / 25, 1e-4
"""Two-phase 1cycle as in PyTorch's `OneCycleLR`: 30% of the run up by a cosine from 1/25 of the
peak, the rest down by a cosine to 1e-4 of the start (published: Smith 2018, fastai's form)."""

SWA_FROM = 0.75
"""Share of a run from which on weights are averaged at a constant rate (published: Izmailov et
al. 2018)."""

SWA_FLAT, SWA_LOW, SWA_RATE = 0.5, 0.9, 0.5
"""The rate falls in a line to a half of its peak between these shares of what comes before
(published: the code of Izmailov et al. 2018; a half is theirs for residual networks)."""


def rate_factors(
    spec: ScheduleSpec, steps: int, start: int = 0, count: int | None = None
) -> Factors:
    """Factor in [0, 1] on the learning rate, for some steps of a run.

    The linear warm-up, over the first ``warmup`` share of the steps, multiplies the schedule (as
    two chained schedulers do): step i of w gets (i + 1) / w.

    Args:
        spec: Name of the schedule and share of warm-up steps.
        steps: Steps of the whole run.
        start: First step wanted.
        count: How many; all that are left when None.

    Returns:
        float64 ``[count]``; any part of a run can be asked for alone.

    >>> rate_factors(ScheduleSpec("cosine"), 4).round(3).tolist()
    [1.0, 0.854, 0.5, 0.146]
    >>> rate_factors(ScheduleSpec("constant", warmup=0.5), 4).tolist()
    [0.5, 1.0, 1.0, 1.0]
    """
    step = np.arange(start, steps if count is None else start + count, dtype=np.float64)
    factors = SCHEDULES[spec.name](step, steps)
    warm = round(spec.warmup * steps)
    if warm:
        factors = factors * np.minimum(1.0, (step + 1) / warm)
    return factors


def flat_cosine(step: Factors, steps: int) -> Factors:
    """One for the first half of the run, then a half cosine to zero (Holzmüller et al. 2024)."""
    late = np.clip(2 * step / steps - 1, 0.0, 1.0)
    return 0.5 * (1 + np.cos(np.pi * late))


def _constant(step: Factors, _: int) -> Factors:
    return np.ones_like(step)


def _exponential(step: Factors, steps: int) -> Factors:
    return FINAL_SHARE ** (step / steps)


def _step(step: Factors, steps: int) -> Factors:
    return STEP_FACTOR ** (step // max(1, -(-steps // STEP_STAGES)))


def _cosine(step: Factors, steps: int) -> Factors:
    """Loshchilov & Hutter 2017, one period."""
    return 0.5 * (1 + np.cos(np.pi * step / steps))


def _coslog4(step: Factors, steps: int) -> Factors:
    """Four cosine cycles of doubling length, each from 0 up and back (Holzmüller et al. 2024)."""
    return 0.5 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * step / steps)))


def _onecycle(step: Factors, steps: int) -> Factors:
    """Smith 2018 in PyTorch's two-phase form; the moments are left alone."""
    top = max(ONECYCLE_RISE * steps - 1, 1e-9)
    rising = np.clip(step / top, 0.0, 1.0)
    falling = np.clip((step - top) / max(steps - 1 - top, 1e-9), 0.0, 1.0)
    end = ONECYCLE_START * ONECYCLE_END
    up = 1.0 + (ONECYCLE_START - 1.0) / 2 * (1 + np.cos(np.pi * rising))
    down = end + (1.0 - end) / 2 * (1 + np.cos(np.pi * falling))
    return np.where(step <= top, up, down)


def _swa(step: Factors, steps: int) -> Factors:
    """High, then constant at half of it for the last quarter (Izmailov et al. 2018)."""
    fallen = (step / (SWA_FROM * steps) - SWA_FLAT) / (SWA_LOW - SWA_FLAT)
    return 1.0 - (1.0 - SWA_RATE) * np.clip(fallen, 0.0, 1.0)


SCHEDULES: Mapping[ScheduleName, Callable[[Factors, int], Factors]] = {
    "constant": _constant,
    "exponential": _exponential,
    "step": _step,
    "cosine": _cosine,
    "coslog4": _coslog4,
    "flat_cosine": flat_cosine,
    "onecycle": _onecycle,
    "plateau": _constant,  # times `plateau_factor`
    "swa": _swa,  # with `controls.tail_average`
}

PATIENCE = 1
"""Evaluations without improvement that a plateau bears: a run has ten at most (assumption)."""


def plateau_factor(
    losses: Sequence[float],
    *,
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    cooldown: int = 0,
) -> float:
    """Factor on the rate after some evaluations: it falls when the loss no longer does.

    A decision between spans, a function of the history alone; equals PyTorch's
    `ReduceLROnPlateau` (mode "min", relative threshold), whose defaults it has.

    Args:
        losses: The evaluations so far, lower is better, oldest first.
        factor: What the rate is multiplied with at each plateau.
        patience: Evaluations without improvement that are borne.
        threshold: Share by which the best loss must be undercut to count as improvement.
        cooldown: Evaluations after a reduction that are not counted.

    >>> plateau_factor([1.0, 0.9, 0.9, 0.9], patience=1)
    0.1
    """
    current, best, bad, resting = 1.0, float("inf"), 0, 0
    for loss in losses:
        if loss < best * (1 - threshold):
            best, bad = loss, 0
        else:
            bad += 1
        if resting:
            resting, bad = resting - 1, 0
        if bad > patience:
            current, bad, resting = current * factor, 0, cooldown
    return current
