"""What the hidden layers show: signals that fade or grow, units that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from justright.core.finding import Finding, Severity
from justright.diagnosis.ranges import RANGES
from justright.diagnosis.view import Training, typical

FEWER = "use fewer layers, residual blocks or layer normalisation, and the initialisation that "
"""What helps against signals that change their size from layer to layer."""


def find_vanishing(training: Training) -> Iterator[Finding]:
    """Report first layers that get next to no gradient, or activations that fade on the way.

    Gradients: at the first evaluation or in the median of all (Glorot & Bengio 2010 show both
    ways). Activations: before the first step.
    """
    low = RANGES["gradient_ratio"].alarm[0]
    ratios = [min(points[0][1], typical(points)) for points in training.ratios() if points]
    if ratios and min(ratios) < low:
        says = f"is {min(ratios):.1g} times that of the last one (below {low:g}): it hardly learns"
        action = f"{FEWER}belongs to the activation; sigmoid and tanh fade fastest"
        yield _gradient("vanishing-gradients", ratios, min(ratios), says, action)
    else:
        yield from _untrained(training, "vanishing-gradients", fades=True)


def find_exploding(training: Training) -> Iterator[Finding]:
    """Report first layers whose gradient dwarfs the last one's, or activations that grow."""
    high = RANGES["gradient_ratio"].alarm[1]
    ratios = [typical(points) for points in training.ratios() if points]
    if ratios and max(ratios) > high:
        says = f"is {max(ratios):,.0f} times that of the last one (above {high:g})"
        remedy = "clip the gradient at the norm that 90% stay below"
        action = f"{FEWER}belongs to the activation; {remedy}"
        yield _gradient("exploding-gradients", ratios, max(ratios), says, action)
    else:
        yield from _untrained(training, "exploding-gradients", fades=False)


def _gradient(code: str, ratios: Sequence[float], worst: float, says: str, action: str) -> Finding:
    """What is wrong with the gradient of the hidden layer whose ratio is the worst."""
    layer = ratios.index(worst) + 1
    message = f"the gradient of hidden layer {layer} {says}"
    numbers = {"layer": layer, "gradient_ratio": worst}
    return Finding(code, Severity.WARNING, message, action, numbers=numbers)


def _untrained(training: Training, code: str, *, fades: bool) -> Iterator[Finding]:
    """Whether activations leave their range before the first step; nothing where all are zero."""
    spread = training.untrained("activation_std")
    low, high = RANGES["activation_std"].alarm
    if not spread or not max(spread) > 0.0:
        return
    worst = min(spread) if fades else max(spread)
    if low <= worst <= high:
        return
    if (worst < low) is not fades:
        return
    layer, words = spread.index(worst) + 1, "fade to" if fades else "grow to"
    bound = f"below {low:g}" if fades else f"above {high:g}"
    yield Finding(
        code,
        Severity.WARNING,
        f"before the first step activations {words} a spread of {worst:.2g} in hidden layer "
        f"{layer} ({bound})",
        f"{FEWER}belongs to the activation",
        numbers={"layer": layer, "activation_std": worst},
    )


def find_dead(training: Training) -> Iterator[Finding]:
    """Report units that say the same for every row at the end."""
    shares = [points[-1][1] for points in training.layers("dead_share")]
    yield from _share(
        "dead-units",
        "dead_share",
        shares,
        "of the units of hidden layer {layer} say the same for every row",
        "lower the learning rate, or take an activation that does not die, such as SELU or Mish",
    )


def find_saturated(training: Training) -> Iterator[Finding]:
    """Report layers that lie on the flat ends of tanh or sigmoid, where no gradient passes."""
    shares = [typical(points) for points in training.layers("saturated_share")]
    yield from _share(
        "saturated-units",
        "saturated_share",
        shares,
        "of what hidden layer {layer} says lies on a flat end of "
        + (training.activation or "its activation"),
        "scale the inputs, start from smaller weights, or take an activation without flat ends",
    )


def _share(
    code: str, quantity: str, shares: Sequence[float], says: str, action: str
) -> Iterator[Finding]:
    """Whether the greatest share of a hidden layer is above its range."""
    high, worst = RANGES[quantity].alarm[1], max(shares, default=0.0)
    if worst > high:
        layer = shares.index(worst) + 1
        message = f"{worst:.0%} {says.format(layer=layer)} (above {high:.0%})"
        numbers = {"layer": layer, quantity: worst}
        yield Finding(code, Severity.WARNING, message, action, numbers=numbers)
