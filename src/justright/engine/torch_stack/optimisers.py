"""Update rules as a handful of in-place operations on flat buffers [k, size].

Each rule equals the rule of the same name in `torch.optim`, with numbers per candidate and step,
a rate factor per tensor, and decay as a share by which matrices shrink. Sources: SGD with
momentum (Sutskever et al. 2013), Adam and Adamax (Kingma & Ba 2015), decoupled decay (Loshchilov &
Hutter 2019), NAdam (Dozat 2016), RMSprop (Hinton 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from justright.engine.torch_stack.controls import Numbers, column
from justright.recipe.recipe import OptimiserName

NADAM_DECAY = 4e-3  # published: momentum decay of Dozat 2016, as in torch


@dataclass(frozen=True)
class Update:
    """What a rule works with in one step.

    Attributes:
        p, g, m, v: Parameters, gradient and moments ``[k, size]``.
        scratch: A free buffer ``[k, size]``; the gradient may be overwritten as well.
        factors: Rate factor ``[size]``, or None.
        steps: Number ``[k]`` of the step, counted from 1.
        rate, beta1, beta2: Controls ``[k]`` of the step.
        products: ``[k]``, NAdam's product of momenta, updated in place.
        epsilon: The rule's ε.
    """

    p: Tensor
    g: Tensor
    m: Tensor
    v: Tensor
    scratch: Tensor
    factors: Tensor | None
    steps: Numbers
    rate: Numbers
    beta1: Numbers
    beta2: Numbers
    products: Numbers
    epsilon: float

    def number(self, values: Numbers) -> float | Tensor:
        """A control as a number or column."""
        return column(values, self.p.dtype)

    def descend(self, direction: Tensor, size: Numbers) -> None:
        """``p -= size * factors * direction``; overwrites the direction."""
        step = self.number(size)
        if isinstance(step, Tensor):
            direction.mul_(step)
            step = 1.0
        if self.factors is None:
            self.p.sub_(direction, alpha=step)
        else:
            self.p.addcmul_(direction, self.factors, value=-step)

    def average_gradient(self) -> None:
        """First moment: ``m += (1 - beta1) (g - m)``."""
        self.m.lerp_(self.g, self.number(1.0 - self.beta1))

    def average_square(self) -> None:
        """Second moment: ``v += (1 - beta2) (g² - v)``."""
        torch.mul(self.g, self.g, out=self.scratch)
        self.v.lerp_(self.scratch, self.number(1.0 - self.beta2))

    def root(self, correction: Numbers) -> Tensor:
        """``sqrt(v) + ε sqrt(correction)``: the denominator times the root of the correction."""
        torch.sqrt(self.v, out=self.scratch)
        return self.scratch.add_(self.number(self.epsilon * np.sqrt(correction)))


def _momentum(update: Update) -> None:
    update.m.mul_(update.number(update.beta1)).add_(update.g)


def sgd(update: Update) -> None:
    """``m = beta1 m + g; p -= rate m``."""
    _momentum(update)
    update.scratch.copy_(update.m)
    update.descend(update.scratch, update.rate)


def nesterov(update: Update) -> None:
    """As `sgd`, looking ahead: ``p -= rate (g + beta1 m)``."""
    _momentum(update)
    torch.mul(update.m, update.number(update.beta1), out=update.scratch)
    update.descend(update.scratch.add_(update.g), update.rate)


def adam(update: Update) -> None:
    """``p -= rate m̂ / (sqrt(v̂) + ε)``; with decay as shrinking, Adam and AdamW are one rule."""
    update.average_gradient()
    update.average_square()
    first = 1.0 - update.beta1**update.steps
    second = 1.0 - update.beta2**update.steps
    root = update.root(second)
    torch.div(update.m, root, out=root)
    update.descend(root, update.rate * np.sqrt(second) / first)


def nadam(update: Update) -> None:
    """Adam with Nesterov's look ahead and a momentum that warms up."""
    t = update.steps
    now = update.beta1 * (1.0 - 0.5 * 0.96 ** (t * NADAM_DECAY))
    ahead = update.beta1 * (1.0 - 0.5 * 0.96 ** ((t + 1) * NADAM_DECAY))
    np.multiply(update.products, now, out=update.products)
    update.average_gradient()
    update.average_square()
    second = 1.0 - update.beta2**t
    root = update.root(second)
    of_gradient = (1.0 - now) / (1.0 - update.products) * np.sqrt(second)
    of_momentum = ahead / (1.0 - update.products * ahead) * np.sqrt(second)
    update.g.mul_(update.number(of_gradient))
    update.g.add_(update.m * update.number(of_momentum)).div_(root)
    update.descend(update.g, update.rate)


def rmsprop(update: Update) -> None:
    """``p -= rate g / (sqrt(v) + ε)``."""
    update.average_square()
    root = update.root(np.ones_like(update.rate))
    update.descend(update.g.div_(root), update.rate)


def adamax(update: Update) -> None:
    """Adam with the infinity norm: ``v = max(beta2 v, |g| + ε)``."""
    update.average_gradient()
    update.v.mul_(update.number(update.beta2))
    torch.maximum(update.v, update.g.abs_().add_(update.epsilon), out=update.v)
    torch.div(update.m, update.v, out=update.scratch)
    update.descend(update.scratch, update.rate / (1.0 - update.beta1**update.steps))


RULES: Mapping[OptimiserName, Callable[[Update], None]] = {
    "sgd": sgd,
    "nesterov": nesterov,
    "adam": adam,
    "adamw": adam,
    "nadam": nadam,
    "rmsprop": rmsprop,
    "adamax": adamax,
}
"""Every rule by name; a new one is a function and a line here and a name in `recipe.recipe`."""
