"""What a user wishes of the size of a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from justright.core.errors import OptionError
from justright.recipe.network import Inputs, NetworkSpec, parameter_count
from justright.recipe.recipe import Recipe

BYTES_A_WEIGHT = 4


@dataclass(frozen=True)
class SizeWishes:
    """What a user says about sizes.

    Attributes:
        params: Most learned weights; None = any number.
        memory: Most bytes of all weights; None = any number.
        latency_s: Most seconds in which the network answers for one row on one core of this
            machine; None = any number.
        prefer: "small": the lightest size that is as good as the best; "accuracy": the best mean.

    Raises:
        OptionError: If a number is not positive, or the preference is unknown.
    """

    params: int | None = None
    memory: int | None = None
    latency_s: float | None = None
    prefer: str = "small"

    def __post_init__(self) -> None:
        """Refuse nonsense before any work."""
        for name, value in (("--max-params", self.params), ("--max-memory", self.memory)):
            if value is not None and value < 1:
                raise OptionError(f"{name} {value}", hint="give a positive number")
        if self.latency_s is not None and self.latency_s <= 0:
            raise OptionError(f"--max-latency {self.latency_s}", hint="write 2ms or 500us")
        if self.prefer not in ("small", "accuracy"):
            raise OptionError(f"--prefer {self.prefer!r}", hint="write small or accuracy")

    @property
    def weights(self) -> int | None:
        """Most learned weights that all wishes allow."""
        bounds = [self.params, self.memory // BYTES_A_WEIGHT if self.memory else None]
        return min((bound for bound in bounds if bound is not None), default=None)


def weight_of(recipe: Recipe, inputs: Inputs) -> int:
    """Learned weights of a recipe's network."""
    return parameter_count(NetworkSpec(recipe.shape, inputs))


def with_hidden(recipe: Recipe, hidden: tuple[int, ...]) -> Recipe:
    """The recipe with another body."""
    return replace(recipe, shape=replace(recipe.shape, hidden=hidden))
