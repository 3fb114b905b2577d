"""What a user allows a network to weigh, honoured by everything that chooses a shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

from justright.core.errors import OptionError
from justright.recipe.network import Inputs, NetworkSpec, parameter_count
from justright.recipe.recipe import Recipe
from justright.sizing.shapes import SHAPES, Limits, name_of

BYTES_A_WEIGHT = 4


@dataclass(frozen=True)
class SizeWishes:
    """What a user says about sizes.

    Attributes:
        params: Most learned weights; None = any number.
        memory: Most bytes of all weights; None = any number.
        prefer: "small": the lightest size that is as good as the best; "accuracy": the best mean.

    Raises:
        OptionError: If a number is not positive, or the preference is unknown.
    """

    params: int | None = None
    memory: int | None = None
    prefer: str = "small"

    def __post_init__(self) -> None:
        """Refuse nonsense before any work."""
        for name, value in (("--max-params", self.params), ("--max-memory", self.memory)):
            if value is not None and value < 1:
                raise OptionError(f"{name} {value}", hint="give a positive number")
        if self.prefer not in ("small", "accuracy"):
            raise OptionError(f"--prefer {self.prefer!r}", hint="write small or accuracy")

    @property
    def weights(self) -> int | None:
        """Most learned weights that all wishes allow."""
        bounds = [self.params, self.memory // BYTES_A_WEIGHT if self.memory else None]
        return min((bound for bound in bounds if bound is not None), default=None)

    @property
    def limits(self) -> Limits:
        """The same for the size search."""
        return Limits(weights=self.weights)

    def allow(self, recipe: Recipe, inputs: Inputs) -> bool:
        """Whether a recipe's network is light enough."""
        return self.weights is None or weight_of(recipe, inputs) <= self.weights

    def within(self, recipe: Recipe, inputs: Inputs) -> Recipe:
        """The recipe itself, or with the heaviest lighter body that is allowed.

        Raises:
            OptionError: If even the lightest body is too heavy for these inputs.
        """
        if self.allow(recipe, inputs):
            return recipe
        others = [with_hidden(recipe, hidden) for hidden in SHAPES]
        light = [each for each in others if self.allow(each, inputs)]
        if light:
            return max(light, key=lambda each: weight_of(each, inputs))
        least = min(others, key=lambda each: weight_of(each, inputs))
        raise OptionError(
            f"no network for this table has at most {self.weights:,} weights",
            hint=f"the lightest, {name_of(least.shape.hidden)}, has "
            f"{weight_of(least, inputs):,}: give --max-params {weight_of(least, inputs)} or more",
        )


def weight_of(recipe: Recipe, inputs: Inputs) -> int:
    """Learned weights of a recipe's network."""
    return parameter_count(NetworkSpec(recipe.shape, inputs))


def with_hidden(recipe: Recipe, hidden: tuple[int, ...]) -> Recipe:
    """The recipe with another body."""
    return replace(recipe, shape=replace(recipe.shape, hidden=hidden))
