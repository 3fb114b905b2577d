"""Cards and the model card say what a temperature and intervals are worth."""

from __future__ import annotations

from typing import Any

import pytest

from justright.core.task import Task, TaskKind
from justright.model.card import CardFacts, card_text
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, HOUSES, World, write_example
from justright.views.card import Card
from justright.views.document import verdict_document
from justright.views.registry import sections


def level(aimed: float, **more: Any) -> dict[str, Any]:
    found = {"level": aimed, "coverage": [0.91], "low": [0.88], "high": [0.935]}
    return {**found, "width": None, "size": None, **more}


def card(world: World, name: str, **facts: Any) -> Card:
    store = MemoryStore()
    write_example(store, world, tested=True)
    for key, document in facts.items():
        store.ledger.put(world.name, key.replace("_", " "), document)
    made = {part.name: part for part in sections(store, world.name)}[name]
    assert made.reason != "failed"
    assert made.card is not None
    return made.card


SCALED = {
    "temperature": 1.8,
    "kept": True,
    "rows": 900,
    "log_loss": [0.5, 0.42],
    "error": [0.12, 0.021],
    "gain": [0.08, 0.06, 0.1],
    "reason": "log-loss 0.5 → 0.42 on rows that did not fit it, gain 0.08",
}
HELD = {"rows": 900, "never": 100, "trainings": [1, 2], "repeated": 0}


def test_a_temperature_is_said_on_the_calibration_card() -> None:
    notes = " ".join(card(BANK, "calibration", calibration=SCALED).notes)
    assert "The network was overconfident: its logits are divided by 1.8" in notes
    assert "log-loss 0.5 → 0.42" in notes
    assert "12.0 → 2.1 percentage points" in notes


def test_that_there_is_none_is_said_too() -> None:
    none = {**SCALED, "temperature": 1.0, "kept": False, "reason": "only 30 rows were held out"}
    notes = card(BANK, "calibration", calibration=none).notes
    assert notes[-1] == "No temperature was applied (Guo et al. 2017): only 30 rows were held out."
    assert not any("temperature" in note for note in card(BANK, "calibration").notes)


def test_sets_of_classes() -> None:
    found = {"rows": 900, "test_rows": 500, "levels": [level(0.9, size=1.25)], "remarks": ["So."]}
    notes = " ".join(card(BANK, "calibration", intervals=found, out_of_fold=HELD).notes)
    assert "90%: 91.0% (88.0% to 93.5%), 1.25 classes on average" in notes
    assert "So. 900 rows were held out of training; 100 rows beside the test never were" in notes


@pytest.mark.parametrize("low", [0.88, None, float("nan")])
def test_intervals_are_a_table_of_the_predictions_card(low: float | None) -> None:
    levels = [level(0.8, width=[1.5], low=[low]), level(0.95, width=[3.25])]
    found = {"rows": 900, "test_rows": 500, "levels": levels, "remarks": []}
    made = card(HOUSES, "predictions", intervals=found, out_of_fold=HELD)
    assert made.table is not None
    first, second = made.table.rows
    assert first == ("80%", "91.0%", "88.0% to 93.5%" if low == 0.88 else "unknown", "1.50")
    assert second == ("95%", "91.0%", "88.0% to 93.5%", "3.25")
    assert card(HOUSES, "predictions").table is None


def test_several_targets_have_a_row_each() -> None:
    store = MemoryStore()
    write_example(store, HOUSES, tested=True)
    two = {"coverage": [0.9, 0.8], "low": [0.8, 0.7], "high": [0.95, 0.85], "width": [1.0, 20.0]}
    found = {"rows": 9, "test_rows": 5, "levels": [level(0.9, **two)], "remarks": []}
    table = store.ledger.fact("houses", "table")
    store.ledger.put("houses", "table", {**table, "target": ["price", "rent"]})
    store.ledger.put("houses", "intervals", found)
    (made,) = [part.card for part in sections(store, "houses") if part.name == "predictions"]
    assert made is not None
    assert made.table is not None
    assert [row[:2] for row in made.table.rows] == [("price", "90%"), ("rent", "90%")]
    document = verdict_document(store, "houses")
    assert document["intervals"]["levels"] == found["levels"]
    assert document["calibration"]["temperature"] is None


def test_the_model_card_has_a_section_of_its_own() -> None:
    task = Task(TaskKind.REGRESSION, ("y",))
    spec = NetworkSpec(Shape(hidden=(4,)), Inputs(2, 0, (), 1))
    said = ("Intervals of 90% hold 91.0% of 500 test rows.",)
    text = card_text(CardFacts("s", 10, uncertainty=said), task, spec, 2)
    assert "## Uncertainty\n\nIntervals of 90% hold" in text
    assert "Uncertainty" not in card_text(CardFacts("s", 10), task, spec, 2)
