"""The first rungs of the ladder, climbed by every entry of the catalogue once and for all.

Unit checks (the initial loss, the same numbers twice, a gradient for every parameter, rows that do
not hear of each other) and a batch learned by heart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from justright.data.encoded import EncodedRows
from justright.diagnosis.sanity import Known, Word, judge
from justright.ideas.registry import RULES, propose_moves
from justright.ideas.rule import Leads, Rule, Situation
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.testing.encoded import write_rows
from justright.training.request import CHECKS, SanityRequest
from justright.training.sanity import check_sanity
from justright.training.start import start_recipe

ROWS = 400
RUNGS = CHECKS.index("heart") + 1
BLOCKS = {"shape.body": "residual"}
"""Some rules apply to a network of blocks only."""


@pytest.fixture(scope="module", params=[False, True], ids=["values", "classes"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Encoded rows that can be learned, skewed and with outliers where they are values."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 6))
    y = np.exp(np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=ROWS))
    y = (y > np.median(y)).astype(np.int64) if request.param else y
    return write_rows(tmp_path_factory.mktemp("rows") / "rows", x, y)


def situation(folder: str, **changes: Any) -> Situation:
    """A champion that every rule finds something to change in, as far as one can be that."""
    meta = EncodedRows(Path(folder)).meta
    recipe, _ = start_recipe(meta.task, ROWS, meta.inputs)
    recipe = Patch("changed", {"shape.hidden": [32, 32]} | changes).apply(recipe)
    classes = meta.task.is_classification
    return Situation(
        recipe,
        meta.task,
        "balanced_accuracy" if classes else "rmse",
        meta.inputs,
        ROWS,
        loss=0.5,
        best_at=0.9,
        outliers=0.0 if classes else 0.02,
        skewness=0.0 if classes else 2.0,
        leads=Leads(rate=0.01, size=(16,)),
    )


def failed(folder: str, recipe: Recipe) -> list[str]:
    """Checks of the first rungs that a recipe does not pass."""
    rows = np.arange(ROWS)
    request = SanityRequest(recipe, folder, rows[:320], rows[320:], 0, RUNGS)
    found = check_sanity(request, lambda _: None)
    assert found["reached"] == RUNGS
    return [each.name for each in judge(found, Known()) if each.word is Word.FAILED]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slot)
def test_every_idea_passes_the_unit_checks_and_learns_a_batch_by_heart(
    rule: Rule, folder: str
) -> None:
    seen: set[Recipe] = set()
    for changes in ({}, BLOCKS):
        for move in propose_moves(situation(folder, **changes), (rule,)):
            if move.recipe not in seen and not (changes and move.lasting and seen):
                seen.add(move.recipe)
                assert failed(folder, move.recipe) == [], move.idea.title


def test_an_idea_that_breaks_the_network_does_not_pass(folder: str) -> None:
    """A step so long that nothing can be learned by heart."""
    recipe = situation(folder).recipe
    assert failed(folder, recipe) == []
    broken = Patch("rate × 1000", {"optimiser.rate": 1000 * recipe.optimiser.rate}).apply(recipe)
    assert "heart" in failed(folder, broken)
