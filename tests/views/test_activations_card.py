"""The card of activations: one ridge a layer before training and at its end."""

from __future__ import annotations

import numpy as np

from justright.core.codec import to_document
from justright.core.trial import TrialSpec, TrialState
from justright.diagnosis.view import HEALTH
from justright.recipe.recipe import Recipe
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.store.records import Histogram
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.activations import activations
from justright.views.reader import Reader

EDGES = np.array([-1.0, 1.0, 3.0])


def made(layers: dict[str, list[tuple[int, float, list[int]]]]) -> Card | NotApplicable:
    """The card of a study whose champion left these histograms: step, scale, counts."""
    store = MemoryStore()
    name = write_example(store)
    spec = TrialSpec("network", "mine", "champion", to_document(Recipe()), "block 0", 1, 200)
    store.trials.plan(name, [spec])
    attempt = store.trials.start(name, [spec.id], this_process())
    for layer, found in layers.items():
        for step, scale, counts in found:
            histogram = Histogram(step, scale * EDGES, np.array(counts))
            store.histograms.log(attempt, spec.id, f"{HEALTH}activation/{layer}", histogram)
    store.trials.finish(attempt, spec.id, TrialState.DONE, {"loss": 0.5}, "")
    store.ledger.put(name, "champion", {"subject": "mine"})
    return activations(Reader(store, name))


def test_layers_in_their_order_with_their_growth() -> None:
    layers = {str(n): [(0, 1.0, [5, 5]), (200, 1.0 + n, [5, 5])] for n in range(11)}
    card = made(layers)
    assert isinstance(card, Card)
    assert "between 1 and 11 times as wide" in card.claim
    assert card.table is not None
    assert [row[0] for row in card.table.rows[::2]] == [str(n) for n in range(1, 12)]
    assert card.table.rows[5][2:] == ("−3.00", "9.00", "3.00", "50%")


def test_an_end_that_is_not_known_is_not_made_up() -> None:
    card = made({"0": [(0, 1.0, [1, 3])]})
    assert isinstance(card, Card)
    assert card.claim == "This is how the outputs of 1 hidden layer of mine are distributed."


def test_nothing_watched_is_no_card() -> None:
    assert isinstance(made({}), NotApplicable)
