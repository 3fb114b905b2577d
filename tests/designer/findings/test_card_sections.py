"""The sections of the model card say what the facts say, and nothing where they are silent."""

from __future__ import annotations

from typing import Any

import pytest

from justright.core.task import Task, TaskKind
from justright.designer.findings.card_sections import (
    factor_sentences,
    metric_sentences,
    reliability_sentences,
    slice_sentences,
)
from justright.model.card import CardFacts, card_text
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example

HEADINGS = ("Metrics", "Quality by slice", "Factors", "Uncertainty", "How to reproduce")


def fact(key: str) -> Any:
    store = MemoryStore()
    return store.ledger.fact(write_example(store, HOUSES), key)


def text(**facts: Any) -> str:
    task, spec = (
        Task(TaskKind.REGRESSION, ("y",)),
        NetworkSpec(Shape(hidden=(4,)), Inputs(2, 0, (), 1)),
    )
    return card_text(CardFacts("s", 10, **facts), task, spec, 2)


def test_every_score_and_every_baseline_has_its_interval() -> None:
    first, others, baselines = metric_sentences(fact("test"), greater=False)
    assert first.startswith("rmse decides, less is better")
    assert "mae 0.29" in others
    assert "rmse" not in others
    assert "boosting 0.437 (0.431 to 0.443)" in baselines


@pytest.mark.parametrize(
    ("examples", "said"), [(True, "longitude from 31 to 40"), (False, "a range")]
)
def test_weak_slices_are_named_as_far_as_that_is_allowed(examples: bool, said: str) -> None:
    sentences = slice_sentences(fact("slices"), examples=examples)
    assert said in sentences[1]
    assert "0.31 against 0.24 elsewhere, 812 rows" in sentences[1]
    assert ("31 to 40" in " ".join(sentences)) is examples
    assert len(sentences) == 3  # the slice that is no weaker is not named


def test_columns_are_named_with_what_they_are_worth() -> None:
    (said,) = factor_sentences(fact("importance"))
    assert said.startswith("It rests most on longitude (0.2 (0.19 to 0.21)), latitude")
    assert "no statement about causes" in said


def test_calibration_is_held_against_chance() -> None:
    found = {"brier": [0.1, 0.09, 0.11], "error": 0.03, "most": 0.02, "rows": 900}
    (said,) = reliability_sentences(found)
    assert said.startswith("Brier score 0.1 (0.09 to 0.11)")
    assert "3.00%, more than chance makes on 900 test rows" in said


def test_what_nobody_measured_has_no_heading() -> None:
    assert slice_sentences({}, examples=True) == ()
    assert factor_sentences({}) == ()
    assert reliability_sentences({}) == ()
    bare = text()
    assert not [name for name in HEADINGS if f"## {name}\n" in bare]
    assert "## Ethical considerations\n\nNot assessed" in bare
    full = text(
        metrics=("m",), slices=("s",), factors=("f",), uncertainty=("u",), reproduce=("r",)
    )
    assert [name for name in HEADINGS if f"## {name}\n" in full] == list(HEADINGS)
