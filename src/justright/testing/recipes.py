"""The recipe that tests of a study's stages train: small, plain, done in a moment."""

from __future__ import annotations

from justright.recipe.network import Shape
from justright.recipe.recipe import LossSpec, OptimiserSpec, PreprocessingSpec, Recipe


def plain_recipe(
    spec: PreprocessingSpec, *hidden: int, rate: float = 0.03, batch: int = 32
) -> Recipe:
    """A regression by squared error, with the average of its weights.

    Args:
        spec: How the study's columns become numbers.
        hidden: Units of each layer.
        rate: Peak rate.
        batch: Rows a step.
    """
    return Recipe(
        preprocessing=spec,
        shape=Shape(hidden=hidden),
        loss=LossSpec("mse"),
        optimiser=OptimiserSpec(rate=rate),
        batch=batch,
        ema_epochs=1.0,
    )
