"""Update rules as a handful of in-place operations on flat buffers [k, size].

Each rule equals the rule of the same name in `torch.optim`, with numbers per candidate and step,
a rate factor per tensor, and decay as a share by which matrices shrink. Sources: SGD with
momentum (Sutskever et al. 2013), Adam and Adamax (Kingma & Ba 2015), decoupled decay (Loshchilov &
Hutter 2019), NAdam (Dozat 2016), RMSprop (Hinton 2012).

A rule has two halves: `plan` turns the controls of a span into the numbers of each step, in double
precision and once; `apply` is the step itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from justright.engine.torch_stack.controls import Numbers
from justright.recipe.recipe import OptimiserName

NADAM_DECAY = 4e-3  # published: momentum decay of Dozat 2016, as in torch

Number = float | Tensor
"""A number for all candidates, or a column ``[k, 1]``."""


@dataclass(frozen=True)
class Timing:
    """What a rule plans with: controls ``[k, n]`` and the number of each step, from 1."""

    rate: Numbers
    beta1: Numbers
    beta2: Numbers
    step: Numbers
    epsilon: float
    momentum: Numbers
    """``[k, n]``, NAdam's running product of momenta up to and with each step."""


@dataclass(frozen=True)
class Buffers:
    """What a rule works on, ``[k, size]`` each.

    Attributes:
        p, g, m, v: Parameters, gradient and moments.
        scratch: A free buffer; the gradient may be overwritten as well.
        factors: Rate factor ``[size]``, or None.
    """

    p: Tensor
    g: Tensor
    m: Tensor
    v: Tensor
    scratch: Tensor
    factors: Tensor | None

    def descend(self, direction: Tensor, size: Number) -> None:
        """``p -= size * factors * direction``; overwrites the direction."""
        if isinstance(size, Tensor):
            direction.mul_(size)
            size = 1.0
        if self.factors is None:
            self.p.sub_(direction, alpha=size)
        else:
            self.p.addcmul_(direction, self.factors, value=-size)

    def square(self, weight: Number) -> None:
        """``v += weight (g² - v)``."""
        torch.mul(self.g, self.g, out=self.scratch)
        self.v.lerp_(self.scratch, weight)

    def root(self, epsilon: Number) -> Tensor:
        """``sqrt(v) + epsilon``, in the scratch buffer."""
        return torch.sqrt(self.v, out=self.scratch).add_(epsilon)


Values = Mapping[str, Number]


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes:
        plan: The numbers of each step, ``[k, n]`` by name.
        apply: One step on the buffers with its numbers.
        moments: Which moments it keeps.
    """

    plan: Callable[[Timing], dict[str, Numbers]]
    apply: Callable[[Buffers, Values], None]
    moments: tuple[str, ...] = ("m", "v")


def momentum_factors(beta1: Numbers, step: Numbers) -> Numbers:
    """NAdam's momentum of each step, which warms up."""
    return beta1 * (1.0 - 0.5 * 0.96 ** (step * NADAM_DECAY))


def _plan_sgd(timing: Timing) -> dict[str, Numbers]:
    return {"rate": timing.rate, "beta1": timing.beta1}


def _sgd(buffers: Buffers, at: Values) -> None:
    """``m = beta1 m + g; p -= rate m``."""
    buffers.m.mul_(at["beta1"]).add_(buffers.g)
    buffers.descend(buffers.g.copy_(buffers.m), at["rate"])


def _nesterov(buffers: Buffers, at: Values) -> None:
    """As SGD, looking ahead: ``p -= rate (g + beta1 m)``."""
    buffers.m.mul_(at["beta1"]).add_(buffers.g)
    torch.mul(buffers.m, at["beta1"], out=buffers.scratch)
    buffers.descend(buffers.scratch.add_(buffers.g), at["rate"])


def _plan_adam(timing: Timing) -> dict[str, Numbers]:
    first = 1.0 - timing.beta1**timing.step
    root = np.sqrt(1.0 - timing.beta2**timing.step)
    return {
        "first": 1.0 - timing.beta1,
        "second": 1.0 - timing.beta2,
        "epsilon": timing.epsilon * root,
        "size": timing.rate * root / first,
    }


def _adam(buffers: Buffers, at: Values) -> None:
    """``p -= rate m̂ / (sqrt(v̂) + ε)``; with decay as shrinking, Adam and AdamW are one rule."""
    buffers.m.lerp_(buffers.g, at["first"])
    buffers.square(at["second"])
    root = buffers.root(at["epsilon"])
    buffers.descend(torch.div(buffers.m, root, out=root), at["size"])


def _plan_nadam(timing: Timing) -> dict[str, Numbers]:
    now = momentum_factors(timing.beta1, timing.step)
    ahead = momentum_factors(timing.beta1, timing.step + 1)
    root = np.sqrt(1.0 - timing.beta2**timing.step)
    return {
        "first": 1.0 - timing.beta1,
        "second": 1.0 - timing.beta2,
        "epsilon": timing.epsilon * root,
        "gradient": root * (1.0 - now) / (1.0 - timing.momentum),
        "momentum": root * ahead / (1.0 - timing.momentum * ahead),
        "rate": timing.rate,
    }


def _nadam(buffers: Buffers, at: Values) -> None:
    """Adam with Nesterov's look ahead and a momentum that warms up."""
    buffers.m.lerp_(buffers.g, at["first"])
    buffers.square(at["second"])
    root = buffers.root(at["epsilon"])
    direction = buffers.g.mul_(at["gradient"]).add_(buffers.m * at["momentum"])
    buffers.descend(direction.div_(root), at["rate"])


def _plan_rmsprop(timing: Timing) -> dict[str, Numbers]:
    epsilon = np.full_like(timing.rate, timing.epsilon)
    return {"second": 1.0 - timing.beta2, "epsilon": epsilon, "rate": timing.rate}


def _rmsprop(buffers: Buffers, at: Values) -> None:
    """``p -= rate g / (sqrt(v) + ε)``."""
    buffers.square(at["second"])
    buffers.descend(buffers.g.div_(buffers.root(at["epsilon"])), at["rate"])


def _plan_adamax(timing: Timing) -> dict[str, Numbers]:
    return {
        "first": 1.0 - timing.beta1,
        "beta2": timing.beta2,
        "epsilon": np.full_like(timing.rate, timing.epsilon),
        "size": timing.rate / (1.0 - timing.beta1**timing.step),
    }


def _adamax(buffers: Buffers, at: Values) -> None:
    """Adam with the infinity norm: ``v = max(beta2 v, |g| + ε)``."""
    buffers.m.lerp_(buffers.g, at["first"])
    size = buffers.g.abs_().add_(at["epsilon"])
    torch.maximum(buffers.v.mul_(at["beta2"]), size, out=buffers.v)
    buffers.descend(torch.div(buffers.m, buffers.v, out=buffers.scratch), at["size"])


RULES: Mapping[OptimiserName, Rule] = {
    "sgd": Rule(_plan_sgd, _sgd, ("m",)),
    "nesterov": Rule(_plan_sgd, _nesterov, ("m",)),
    "adam": Rule(_plan_adam, _adam),
    "adamw": Rule(_plan_adam, _adam),
    "nadam": Rule(_plan_nadam, _nadam),
    "rmsprop": Rule(_plan_rmsprop, _rmsprop, ("v",)),
    "adamax": Rule(_plan_adamax, _adamax),
}
"""Every rule by name; a new one is two functions and a line here, a name in `recipe.recipe` and,
where it does not divide by the gradient's size, a table in `nets.rates`."""
