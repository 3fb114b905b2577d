"""The card of calibration: probabilities against chance, intervals by thirds of the prediction."""

from __future__ import annotations

from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, HOUSES, World, write_example
from justright.views.card import Card, NotApplicable
from justright.views.document import verdict_document
from justright.views.figures import NETWORK, WARNING
from justright.views.reader import Reader
from justright.views.registry import VIEWS

MAKE = {view.name: view.make for view in VIEWS}
MEASURED = {
    "rows": 4086,
    "brier": [0.071, 0.065, 0.077],
    "error": 0.021,
    "perfect": 0.012,
    "most": 0.017,
    "log_loss": [0.251, 0.243],
    "gain": [0.008, 0.003, 0.013],
}


def third(name: str, share: float, half: float = 0.03) -> dict[str, Any]:
    ends = {"low": share - half, "high": share + half}
    return {"third": name, "rows": 400, "coverage": share, **ends}


def intervals(shares: tuple[float, float, float], targets: int = 1) -> dict[str, Any]:
    own = [third(n, s) for n, s in zip(("lowest", "middle", "highest"), shares, strict=True)]
    level = {
        "level": 0.9,
        "coverage": [0.901] * targets,
        "low": [0.88] * targets,
        "high": [0.92] * targets,
        "width": [1.5] * targets,
        "thirds": [own] * targets,
    }
    return {"rows": 900, "test_rows": 1200, "levels": [level], "remarks": []}


def made(world: World, **facts: Any) -> Card | NotApplicable:
    store = MemoryStore()
    study = write_example(store, world)
    for key, fact in facts.items():
        store.ledger.put(study, key, fact)
    return MAKE["calibration"](Reader(store, study))


def test_probabilities_are_judged_against_chance() -> None:
    card = made(BANK, reliability=MEASURED)
    assert isinstance(card, Card)
    notes = " ".join(card.notes)
    assert "Brier score 0.071 ± 0.006" in notes
    assert "2.1 percentage points, which is more than chance makes" in notes
    assert "from 0.251 to 0.243: 0.008 better (95% interval 0.003 to 0.013)" in notes
    fair = made(BANK, reliability={**MEASURED, "error": 0.011, "log_loss": [0.24, 0.24]})
    assert isinstance(fair, Card)
    assert "which chance may make" in " ".join(fair.notes)
    assert "The temperature changed" not in " ".join(fair.notes)


def test_each_bin_has_its_interval() -> None:
    card = made(BANK)
    assert isinstance(card, Card)
    assert card.table is not None
    low, high = (float(end) for end in card.table.rows[4][3].split(" to "))
    assert low < float(card.table.rows[4][2]) < high


def test_intervals_that_miss_a_third_are_told() -> None:
    card = made(HOUSES, intervals=intervals((0.97, 0.91, 0.79)))
    assert isinstance(card, Card)
    assert "too narrow in the highest third" in card.claim
    assert "2 of 3 shares are off beyond chance" in card.claim
    assert card.table is not None
    assert card.table.strong == {0, 2}
    assert card.figure is not None
    colours = [trace["marker"]["color"] for trace in card.figure["data"]]
    assert colours == [WARNING, NETWORK, WARNING]


def test_intervals_that_hold_are_told_so() -> None:
    card = made(HOUSES, intervals=intervals((0.92, 0.89, 0.9)))
    assert isinstance(card, Card)
    assert "hold 90.1% of the test rows, and in each third" in card.claim
    two = made(HOUSES, intervals=intervals((0.92, 0.89, 0.79), targets=2))
    assert isinstance(two, Card)
    assert two.figure is None
    assert two.table is not None
    assert len(two.table.rows) == 6


@pytest.mark.parametrize("world", [HOUSES, BANK], ids=lambda world: world.name)
def test_programs_read_the_same(world: World) -> None:
    store = MemoryStore()
    study = write_example(store, world)
    store.ledger.put(study, "reliability", MEASURED)
    assert verdict_document(store, study)["reliability"] == MEASURED


def test_without_intervals_there_is_no_card_for_numbers() -> None:
    assert made(HOUSES) == NotApplicable("no intervals were measured")
