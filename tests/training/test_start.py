"""The start recipe can be trained, survives JSON, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.codec import from_document, to_document
from justright.core.task import Task, TaskKind
from justright.recipe.network import Inputs
from justright.recipe.recipe import Recipe
from justright.training.budget import batch_size
from justright.training.start import start_recipe

TASKS = {
    "regression": Task(TaskKind.REGRESSION, ("y",)),
    "outputs": Task(TaskKind.MULTI_REGRESSION, ("y", "z")),
    "binary": Task(TaskKind.BINARY, ("y",), ("a", "b")),
    "classes": Task(TaskKind.MULTICLASS, ("y",), ("a", "b", "c")),
}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rows", [20, 5_000, 300_000])
def test_every_choice_is_explained(name, rows):
    task = TASKS[name]
    recipe, decisions = start_recipe(task, rows, Inputs(5, 3, (20,), task.outputs))
    assert from_document(Recipe, to_document(recipe)) == recipe
    assert (recipe.loss.name == "cross_entropy") == task.is_classification
    for decision in decisions:
        assert decision.choice
        assert decision.reason
        assert decision.source
    assert recipe.batch == batch_size(rows)
    said = " ".join(decision.choice for decision in decisions)
    for figure in (f"{recipe.optimiser.rate:g}", f"{recipe.shape.hidden[0]}", "0.15", "coslog4"):
        assert figure in said


def test_dropout_is_plain_as_published():
    """RealMLP has plain dropout behind SELU, where the activation alone would bring the alpha."""
    for name, task in TASKS.items():
        shape = start_recipe(task, 500, Inputs(5, 3, (20,), task.outputs))[0].shape
        assert shape.dropout_kind == "plain"
        own = "alpha" if task.is_classification else "plain"
        assert replace(shape, dropout=None).dropout_kind == own, name
