"""What the steps show: losses that rise, rates that are far off, gradients that are cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from statistics import fmean

from justright.core.finding import Finding, Severity
from justright.diagnosis.ranges import RANGES
from justright.diagnosis.view import Training, typical

BACK = 0.5
"""Share of the first loss that a loss has to come back to for a jump to be one: what is learned by
heart rises a hundredfold within a cycle of the rate (measured: benchmarks/health.py, at most 9% of
the first loss in sound trainings on 11 tables)."""

LEARNED = 0.01
"""Share of the first loss below which rows are learned by heart, and there is no gradient left to
be clipped (assumption)."""


def find_unstable(training: Training) -> Iterator[Finding]:
    """Report a training that diverged, or lost again what it had learned."""
    if training.failed:
        yield Finding(
            "unstable",
            Severity.CRITICAL,
            f"the training {training.failed}: its loss or gradient was no longer finite",
            "lower the learning rate, or clip the gradient",
        )
        return
    rise = RANGES["loss_rise"].alarm[1]
    first, losses = training.start_loss, training.values("loss")
    for place, (loss, best) in enumerate(
        zip(losses[1:], accumulate(losses, min), strict=False), start=1
    ):
        if loss > rise * best and loss > BACK * first:
            step = training.curves["loss"][0][place]
            yield Finding(
                "unstable",
                Severity.WARNING,
                f"by step {step:,.0f} the training loss jumped back from {best:.3g} to {loss:.3g} "
                f"(more than {rise:g} times)",
                "lower the learning rate, or clip the gradient at the norm that 90% stay below",
                numbers={"step": step, "loss": loss, "best": best},
            )
            return


def find_too_high(training: Training) -> Iterator[Finding]:
    """Report steps that lead away from where the training began.

    Not where activations explode before the first step: then the rate is not to blame.
    """
    first, losses = training.start_loss, training.values("loss")
    if not first or not losses or _explodes(training):
        return
    rise, high = max(losses) / first, RANGES["loss_rise"].alarm[1]
    if rise <= high:
        return
    yield Finding(
        "rate-too-high",
        Severity.WARNING,
        f"the training loss rose to {max(losses):.3g}, {rise:.3g} times that at the start "
        f"(above {high:g})",
        "divide the learning rate by ten",
        numbers={"loss_rise": rise},
    )


def find_too_low(training: Training) -> Iterator[Finding]:
    """Report weights that hardly move although gradients reach them."""
    steps = [typical(points) for points in training.layers("update_ratio") if points]
    low = RANGES["update_ratio"].warn[0]
    if not steps or not 0.0 < max(steps) < low or _explodes(training) or _is_silent(training):
        return
    if next(find_too_high(training), None) is not None:
        return  # it went so far that nothing moves any more
    yield Finding(
        "rate-too-low",
        Severity.WARNING,
        f"a step moves the weights by {max(steps):.1g} of their size (below {low:g})",
        "multiply the learning rate by ten",
        numbers={"update_ratio": max(steps)},
    )


def find_clipped(training: Training) -> Iterator[Finding]:
    """Report gradients that are clipped more often than not."""
    shares, high = training.values("clipped_share"), RANGES["clipped_share"].alarm[1]
    first, losses = training.start_loss, training.values("loss")
    both = zip(shares, losses, strict=False)
    kept = [share for share, loss in both if not loss < LEARNED * first]
    if not kept or fmean(kept) <= high:
        return
    bound = "" if training.clip is None else f" at {training.clip:g}"
    yield Finding(
        "clipped-often",
        Severity.WARNING,
        f"{fmean(kept):.0%} of the steps had their gradient clipped{bound} (above {high:.0%})",
        "clip at the norm that 90% of the gradients stay below; if it is that already, lower the "
        "learning rate",
        numbers={"clipped_share": fmean(kept)},
    )


def _explodes(training: Training) -> bool:
    """Whether activations are too large before the first step."""
    high = RANGES["activation_std"].alarm[1]
    return any(value > high for value in training.untrained("activation_std"))


def _is_silent(training: Training) -> bool:
    """Whether a layer is dead, so that no gradient comes through."""
    high = RANGES["dead_share"].alarm[1]
    return any(points[-1][1] > high for points in training.layers("dead_share"))
