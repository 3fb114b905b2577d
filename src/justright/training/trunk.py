"""The trunk of a recipe: its training at a constant rate, which can be judged, and continued,
anywhere."""

from __future__ import annotations

from dataclasses import replace

from justright.recipe.recipe import Recipe, ScheduleSpec

CONSTANT_SHARE = 0.5
"""A constant rate that stands for a schedule is this share of the schedule's peak (measured on
three tables: with the average of weights evaluated it ends at the loss that coslog4 ends at; it is
also the mean of coslog4 and of the cosine)."""

WARM_UP = 0.02
"""Share of a full run over which the rate rises linearly (assumption)."""


def trunk(recipe: Recipe) -> Recipe:
    """The recipe at a constant rate; one that has a constant rate already stays as it is.

    >>> trunk(Recipe()).optimiser.rate, trunk(trunk(Recipe())).optimiser.rate
    (0.02, 0.02)
    """
    if recipe.schedule.name == "constant":
        return recipe
    schedule = ScheduleSpec("constant", warmup=WARM_UP)
    rate = replace(recipe.optimiser, rate=recipe.optimiser.rate * CONSTANT_SHARE)
    return replace(recipe, schedule=schedule, optimiser=rate)


def search_form(recipe: Recipe) -> Recipe:
    """What rates and sizes are searched with: the trunk of one network without members.

    Members share the body, so that its size is that of one network; whether what was found suits
    the members is judged with them (assumption).

    >>> from justright.recipe.network import Shape
    >>> search_form(Recipe(shape=Shape(members=4))).shape.members
    1
    """
    return trunk(replace(recipe, shape=replace(recipe.shape, members=1)))


def peak_of(recipe: Recipe, constant_rate: float) -> float:
    """The peak rate of a recipe's own schedule that a constant rate stands for.

    >>> peak_of(Recipe(), 0.02)
    0.04
    """
    return constant_rate / (1.0 if recipe.schedule.name == "constant" else CONSTANT_SHARE)
