"""The start recipe: a published default for tables, each of its choices with reason and source.

It is RealMLP (Holzmüller, Grinsztajn & Steinwart, NeurIPS 2024) with a body small enough to be
trained in seconds on one core, the rates of its simple form, and an average of weights. Numbers
are embedded as the task asks for, and in full it has members (TabM, Gorishniy et al. 2024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt
from typing import Any

from justright.core.decision import Decision, Status
from justright.core.task import Task, TaskKind
from justright.recipe.network import Inputs, Shape
from justright.recipe.recipe import (
    LossSpec,
    OptimiserSpec,
    Recipe,
    RegularisationSpec,
    ScheduleSpec,
)
from justright.training.budget import batch_size

REALMLP = "RealMLP, Holzmüller et al. 2024"

WIDTHS = (128, 128)
"""Assumption: a size that trains in seconds. Measured on four tables at equal steps: a third layer
changes the loss by -2% to +4%; what size is right is for the study to find out."""

MAX_EMBEDDED = 64
"""Most number columns that are embedded: each costs four inputs and sixteen cosines a row, or
eight inputs and 32 bins, so beyond this the embedding costs several times what the body does
(assumption)."""

PERIODIC: Mapping[str, Any] = {
    "numbers": "periodic",
    "bins": 16,
    "number_width": 4,
    "sigma": 0.1,
}
"""Cosines of numbers. Published: 16 of them and four inputs (Holzmüller et al. 2024)."""

PIECEWISE: Mapping[str, Any] = {"numbers": "piecewise", "bins": 32, "number_width": 8}
"""Bins of numbers, within which the encoding is linear. 32 bins and eight inputs are two thirds
of what is usual (48 and 12: Gorishniy et al. 2022), to save time (assumption)."""

OF_TASK = {TaskKind.MULTICLASS: PERIODIC}
"""Cosines for many classes, bins for everything else. Measured (LOG.md, bins or cosines): of
eleven tables with values or two classes bins are better beyond noise on three, by 6 to 10%, and
worse on none; of two with many classes they are worse on one, by 28%. Fourteen others agree."""

EMA_EPOCHS = 1.0
"""Time scale of the average of weights (measured on five tables: 0% to 4% lower loss)."""

EPOCHS = 64.0
"""Length asked for (assumption: a quarter of RealMLP's 256 epochs is what a core does in seconds;
longer is a move of the study)."""

RATE_CLASSES, RATE_VALUES = 0.04, 0.07
"""Published: RealMLP-TD-S, at width 256."""

DROPOUT = 0.15
"""Published: RealMLP-TD, flat for half the run, then falling to zero."""

MEMBERS, MEMBERS_WIDEST = 4, 128
"""Members of the start recipe in full, and the widest layer that they share. Published: members
are better than the tuned plain network on 76 of 86 tables, worse on 3 (TabM, Gorishniy et al.
2024). Four of them, measured: 3% lower loss in the median of thirteen tables for 2.4 times the
seconds, none worse beyond noise; 0.5% on fourteen others, one worse beyond noise, by 0.2%. Eight
take 1.8 times as long again for 0.2% (LOG.md)."""

DECAY_EPOCHS = 16.0
"""RealMLP-TD's decay (0.02 · rate 0.04) is 1 / 1,250 a step, so the weights forget eight times in
its 256 epochs of about ten thousand rows; 16 epochs keep half of that in 64 (assumption)."""


def start_recipe(task: Task, rows: int, inputs: Inputs) -> tuple[Recipe, tuple[Decision, ...]]:
    """A very good default for a table, before anything was tried on it.

    Args:
        task: What is predicted.
        rows: Training rows.
        inputs: What the network receives.

    Returns:
        The recipe, and why it is so.

    >>> from justright.core.task import TaskKind
    >>> task = Task(TaskKind.BINARY, ("churn",), ("no", "yes"))
    >>> recipe, decisions = start_recipe(task, 5_000, Inputs(10, 0, (), 1))
    >>> recipe.shape.activation, recipe.optimiser.rate, len(decisions)
    ('selu', 0.04, 10)
    """
    classes = task.is_classification
    shape = Shape(
        hidden=WIDTHS,
        activation="selu" if classes else "mish",
        dropout="plain" if classes else None,
    )
    if 0 < inputs.numbers <= MAX_EMBEDDED:
        shape = replace(shape, **OF_TASK.get(task.kind, PIECEWISE))
    recipe = Recipe(
        shape=shape,
        loss=LossSpec("cross_entropy" if classes else "mse"),
        optimiser=OptimiserSpec(
            rule="adamw",
            rate=RATE_CLASSES if classes else RATE_VALUES,
            beta1=0.9,
            beta2=0.95,
            decay_epochs=DECAY_EPOCHS,
        ),
        schedule=ScheduleSpec("coslog4"),
        regularisation=RegularisationSpec(dropout=DROPOUT),
        epochs=EPOCHS,
        batch=batch_size(rows),
        ema_epochs=EMA_EPOCHS,
    )
    return recipe, _decisions(recipe, rows, inputs, classes)


def with_members(recipe: Recipe) -> Recipe:
    """The recipe with its members; as it is where it has some, or is too wide for them.

    >>> with_members(Recipe(shape=Shape(hidden=(128, 128)))).shape.members
    4
    >>> with_members(Recipe(shape=Shape(hidden=(512,)))).shape.members
    1
    """
    shape = recipe.shape
    if shape.members > 1 or max(shape.hidden) > MEMBERS_WIDEST:
        return recipe
    return replace(recipe, shape=replace(shape, members=MEMBERS))


def _decisions(recipe: Recipe, rows: int, inputs: Inputs, classes: bool) -> tuple[Decision, ...]:
    batch = recipe.batch
    return (
        _network(recipe, inputs),
        _embedding(recipe, inputs),
        _activation(recipe, classes),
        _loss(classes),
        _rate(recipe),
        Decision(
            stage="recipe",
            choice="AdamW with moments 0.9 and 0.95",
            reason="a second moment of 20 steps follows the fast cycles of the rate",
            source=REALMLP,
            status=Status.PUBLISHED,
        ),
        Decision(
            stage="recipe",
            choice="rate in four cosine cycles of doubling length (coslog4)",
            reason="starts at zero, which is its own warm-up, and ends each cycle with a network "
            "that can be used",
            source=REALMLP,
            status=Status.PUBLISHED,
        ),
        _regularisation(recipe),
        Decision(
            stage="recipe",
            choice=f"the average of weights over about {EMA_EPOCHS:g} epoch is evaluated and kept",
            reason="it is at least as good as the last weights, and less a matter of luck when "
            "the best evaluation is chosen",
            source="averages of weights: Polyak & Juditsky 1992; time scale: measured on five "
            "tables",
            status=Status.MEASURED,
            measured={"lower loss, %": (0.0, 4.0)},
        ),
        Decision(
            stage="recipe",
            choice=f"{batch} rows a step, {recipe.epochs:g} epochs or what the time allows",
            reason=f"{rows:,} training rows give {rows / batch:.0f} steps an epoch; the batch is "
            "the power of two that gives 16 to 32, between 32 and 1,024",
            source="rows per step: measured before building; epochs: assumption",
            status=Status.ASSUMPTION,
        ),
    )


def _network(recipe: Recipe, inputs: Inputs) -> Decision:
    hidden = recipe.shape.hidden
    size = f"{len(hidden)} hidden layers of {hidden[0]} units"
    seen = inputs.numbers + inputs.indicators + len(inputs.categories)
    return Decision(
        stage="recipe",
        choice=f"{size} behind a learned factor per input",
        reason=f"{seen} inputs; a size that trains in seconds on one core, from which the study "
        "looks for a better one; tuned plain networks show no clear best depth or width",
        source="size: assumption, a step of the published 3 × 256 takes four to six times as long "
        f"(measured); factor per input: {REALMLP}",
        status=Status.ASSUMPTION,
    )


def _embedding(recipe: Recipe, inputs: Inputs) -> Decision:
    if recipe.shape.numbers == "periodic":
        return Decision(
            stage="recipe",
            choice=f"{inputs.numbers} number columns become four inputs each: three learned sums "
            "of 16 cosines and the value itself",
            reason="plain networks are too smooth in a number; over 86 tables cosines help 62 "
            "times and hurt 6 times, by 1.4% in the median",
            source=f"{REALMLP}; Gorishniy et al. 2022, results of Gorishniy et al. 2024",
            status=Status.PUBLISHED,
        )
    if recipe.shape.numbers == "piecewise":
        return Decision(
            stage="recipe",
            choice=f"{inputs.numbers} number columns become eight inputs each: learned sums of "
            "how far the value lies in each of 32 bins",
            reason="plain networks are too smooth in a number; for values and two classes bins "
            "were better than cosines on seven of 22 tables beyond noise, and worse on none",
            source="bins: Gorishniy et al. 2022; against cosines: measured, LOG.md",
            status=Status.MEASURED,
        )
    return Decision(
        stage="recipe",
        choice="number columns enter as they are, centred and scaled",
        reason=f"{inputs.numbers} number columns; from 1 to {MAX_EMBEDDED} an embedding is worth "
        "its time",
        source="assumption: beyond that the embedding costs more than the network",
        status=Status.ASSUMPTION,
    )


def _activation(recipe: Recipe, classes: bool) -> Decision:
    name = {"selu": "SELU", "mish": "Mish"}[recipe.shape.activation]
    return Decision(
        stage="recipe",
        choice=f"{name} between layers, with the initialisation that belongs to it",
        reason=f"best of those compared for {'classes' if classes else 'values'} on 118 tables",
        source=REALMLP,
        status=Status.PUBLISHED,
    )


def _loss(classes: bool) -> Decision:
    if classes:
        choice = "cross-entropy without label smoothing; the head starts at the class frequencies"
        reason = "decisions are made on the log-loss, which smoothing makes worse"
    else:
        choice = "squared error of the standardised target; predictions stay in its range"
        reason = "the proper loss for a mean; the range is clamped as the trees' is by nature"
    return Decision("recipe", choice, reason, REALMLP, Status.PUBLISHED)


def _rate(recipe: Recipe) -> Decision:
    return Decision(
        stage="rate",
        choice=f"peak rate {recipe.optimiser.rate:g}, meant at width 256",
        reason="one rate serves all widths: each matrix's rate is scaled by its inputs "
        f"(× √(256 / width), here × {sqrt(256 / recipe.shape.hidden[0]):.2f})",
        source=f"{REALMLP} (TD-S); scaling: Yang et al. 2021, and measured before building",
        status=Status.PUBLISHED,
    )


def _regularisation(recipe: Recipe) -> Decision:
    decay = recipe.optimiser.decay_epochs
    plain = "plain " if recipe.shape.dropout == "plain" else ""
    return Decision(
        stage="recipe",
        choice=f"{plain}dropout {recipe.regularisation.dropout:g} and weight decay over {decay:g} "
        "epochs, both flat for half the run, then falling to zero",
        reason="without them the loss of the last step is far above the best one; decay is a "
        "time scale, so that it does not change with the rate or the width",
        source=f"{REALMLP}; the time scale: assumption",
        status=Status.PUBLISHED,
    )
