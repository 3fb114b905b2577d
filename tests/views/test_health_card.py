"""The card of health: every measured figure is a cell, coloured by its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from justright.core.codec import to_document
from justright.core.trial import TrialSpec, TrialState
from justright.diagnosis.ranges import RANGES
from justright.diagnosis.view import HEALTH
from justright.recipe.recipe import OptimiserSpec, Recipe
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.health import health
from justright.views.reader import Reader

Curves = Mapping[str, tuple[Sequence[int], Sequence[float]]]

NAN = float("nan")

STEPS = [100, 200]

SOUND: Curves = {
    "activation_std/0": ([0, *STEPS], [0.4, 0.5, 0.6]),
    "dead_share/0": ([0, *STEPS], [0.0, 0.0, 0.07]),
    "update_ratio/0": (STEPS, [4e-3, 2e-3]),
    "loss": (STEPS, [0.5, 0.4]),
    "first_loss": ([1], [1.0]),
}


def made(curves: Curves, *, failed: str = "", clip: float | None = None) -> Card | NotApplicable:
    """The card of a study whose champion left these curves."""
    store = MemoryStore()
    name = write_example(store)
    recipe = Recipe(optimiser=OptimiserSpec(clip=clip))
    spec = TrialSpec("network", "mine", "champion", to_document(recipe), "block 0", 1, 200)
    store.trials.plan(name, [spec])
    attempt = store.trials.start(name, [spec.id], this_process())
    for curve, (steps, values) in curves.items():
        store.curves.extend(attempt, spec.id, HEALTH + curve, steps, values)
    state = TrialState.FAILED if failed else TrialState.DONE
    store.trials.finish(attempt, spec.id, state, {"loss": 0.5}, failed)
    store.ledger.put(name, "champion", {"subject": "mine"})
    store.curves.flush()
    return health(Reader(store, name))


def cells(card: Card | NotApplicable) -> dict[str, list[tuple[str, int | None]]]:
    """Text and level of each cell by the label of its line."""
    assert isinstance(card, Card)
    assert card.figure is not None
    (heat,) = card.figure["data"]
    labels = card.figure["layout"]["yaxis"]["ticktext"]
    lines = zip(heat["text"], heat["z"], strict=True)
    return {
        label: list(zip(texts, levels, strict=True))
        for label, (texts, levels) in zip(labels, lines, strict=True)
    }


def test_every_figure_is_a_cell_and_what_was_not_measured_a_gap() -> None:
    found = cells(made(SOUND))
    assert found["spread of activations · layer 1"] == [("0.40", 0), ("0.50", 0), ("0.60", 0)]
    assert found["step over weights · layer 1"] == [("", None), ("0.0040", 0), ("0.0020", 0)]
    assert found["training loss over that at the start"][1:] == [("0.50", 0), ("0.40", 0)]
    assert found["share of dead units · layer 1"][-1] == ("7%", 0)


def test_a_sound_training_is_called_so_with_the_number_of_figures() -> None:
    card = made(SOUND)
    assert isinstance(card, Card)
    assert card.claim == (
        "The first training of mine is sound: all 10 figures of its 1 hidden layer and steps lie "
        "in their usual ranges."
    )


def test_figures_outside_the_usual_range_are_counted_though_no_check_objects() -> None:
    card = made({**SOUND, "dead_share/0": ([0, *STEPS], [0.0, 0.2, 0.3])})
    assert isinstance(card, Card)
    assert "2 of 10 figures" in card.claim
    assert "lie outside the usual range, and no check objects." in card.claim
    assert [level for _, level in cells(card)["share of dead units · layer 1"]] == [0, 1, 1]


def test_a_fault_leads_with_what_to_do() -> None:
    clipped = {"clipped_share": (STEPS, [0.9, 0.8]), "dead_share/0": ([0, *STEPS], [0, 0.9, 0.9])}
    card = made({**SOUND, **clipped}, clip=0.1)
    assert isinstance(card, Card)
    assert card.claim.startswith("In the first training of mine, 90% of the units of hidden layer")
    assert "lower the learning rate" in card.claim
    assert any("85% of the steps had their gradient clipped at 0.1" in n for n in card.notes)
    assert cells(card)["share of clipped steps"][1:] == [("90%", 2), ("80%", 2)]
    assert card.table is not None
    strong = {card.table.rows[place][0] for place in card.table.strong}
    assert strong == {"share of dead units", "share of clipped steps"}


def test_the_table_says_the_range_of_each_quantity_and_its_source() -> None:
    card = made(SOUND)
    assert isinstance(card, Card)
    assert card.table is not None
    rows = {row[0]: row[1:] for row in card.table.rows}
    assert rows["spread of activations"] == (
        "0.40", "0.60", "0.1 to 10", "0.02 to 20", "measured: 11 tables",
    )  # fmt: skip
    assert rows["share of dead units"][2:4] == ("up to 10%", "up to 50%")
    assert rows["training loss over that at the start"][-1].startswith("published: fastai")


def test_a_gradient_is_shown_over_that_of_the_last_layer() -> None:
    gradients = {"gradient_norm/0": (STEPS, [0.2, 1e-4]), "gradient_norm/1": (STEPS, [0.1, 0.1])}
    found = cells(made({**SOUND, **gradients}))
    label = f"{RANGES['gradient_ratio'].title} · layer 1"
    assert found[label][1:] == [("2.0", 0), ("0.0010", 2)]


def test_numbers_that_are_none_break_nothing() -> None:
    for value in (NAN, float("inf"), 0.0):
        broken = {name: (steps, [value] * len(steps)) for name, (steps, _) in SOUND.items()}
        card = made({**broken, "gradient": (STEPS, [value, value])}, failed="diverged at step 7")
        assert isinstance(card, Card)
        assert "diverged at step 7" in card.claim


def test_without_a_watched_training_there_is_no_card() -> None:
    found = made({})
    assert isinstance(found, NotApplicable)
    assert found.reason == "no training was watched"


def test_the_first_training_of_the_champion_is_shown_not_another_one() -> None:
    store = MemoryStore()
    name = write_example(store)
    card = health(Reader(store, name))
    assert isinstance(card, Card)
    assert card.claim.startswith("The first training of longer × 3 is sound")
    steps = card.figure["data"][0]["x"] if card.figure else []
    assert steps[0] == "0"
    assert steps[-1] == "6,000"
