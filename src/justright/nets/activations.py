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
    """

    function: Callable[[Tensor], Tensor]
    initialisation: Initialisation
    slope: float = 0.0
    homogeneous: bool = False

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


ACTIVATIONS: Mapping[ActivationName, Activation] = {
    "relu": Activation(torch.relu_, "he", homogeneous=True),
    "leaky_relu": Activation(
        lambda z: functional.leaky_relu_(z, LEAKY_SLOPE), "he", LEAKY_SLOPE, homogeneous=True
    ),
    "elu": Activation(functional.elu_, "lecun"),
    "selu": Activation(torch.selu_, "lecun"),
    "gelu": Activation(functional.gelu, "he"),
    "silu": Activation(functional.silu, "he"),
    "mish": Activation(functional.mish, "he"),
    "tanh": Activation(torch.tanh_, "glorot"),
    "sigmoid": Activation(torch.sigmoid_, "glorot"),
    "softplus": Activation(functional.softplus, "lecun"),
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
