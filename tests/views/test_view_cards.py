"""Cards say what the store knows, and no card's failure costs another."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from justright.core.codec import to_document
from justright.core.study import StudyHead
from justright.core.trial import TrialSpec, TrialState
from justright.recipe.recipe import Recipe
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, EXAMPLES, FLOWERS, HOUSES, World, write_example
from justright.views.card import Card
from justright.views.cards.recipes import CURVES
from justright.views.notebook import card_html, cards_html, lines_html, study_html
from justright.views.reader import Reader
from justright.views.registry import VIEWS, View, sections
from justright.views.table import Column, Table


def cards(world: World, **options: Any) -> dict[str, Card]:
    store = MemoryStore()
    write_example(store, world)
    made = sections(store, world.name, **options)
    assert not [part for part in made if part.reason == "failed"]
    return {part.name: part.card for part in made if part.card is not None}


@pytest.mark.parametrize("world", EXAMPLES, ids=lambda world: world.name)
def test_every_card_claims_something_and_its_figure_is_json(world: World) -> None:
    for name, card in cards(world).items():
        assert card.title, name
        assert card.claim.endswith("."), name
        if card.figure is not None:
            json.dumps(card.figure, allow_nan=False)
            assert card.figure["data"], name


def test_names_of_views_are_unique() -> None:
    names = [view.name for view in VIEWS]
    assert len(set(names)) == len(names)


def test_the_task_decides_how_predictions_are_shown() -> None:
    assert {"predictions"} == set(cards(HOUSES)) & {"predictions", "confusion", "calibration"}
    assert {"confusion", "calibration"} == set(cards(BANK)) & {
        "predictions",
        "confusion",
        "calibration",
    }


def test_a_final_training_has_no_validation_loss() -> None:
    """Its loss is of training rows, so low that it would lead the table and the claim."""
    store = MemoryStore()
    write_example(store, HOUSES)
    spec = TrialSpec("network", "longer × 3", "final", to_document(Recipe()), "all", 1, 6000)
    store.trials.plan("houses", [spec])
    attempt = store.trials.start("houses", [spec.id], this_process())
    store.trials.finish(attempt, spec.id, TrialState.DONE, {"loss": 0.0123, "best_step": 6000})
    made = {part.name: part.card for part in sections(store, "houses")}
    for name in ("recipes", "size"):
        card = made[name]
        assert card is not None
        assert card.table is not None
        assert "0.0123" not in card.claim
        assert not any("0.0123" in cell for row in card.table.rows for cell in row), name


def test_several_targets_get_a_panel_each() -> None:
    world = replace(HOUSES, name="many", targets=("a", "b", "c"))
    figure = cards(world)["predictions"].figure
    assert figure is not None
    assert sum(trace["mode"] == "markers" for trace in figure["data"]) == 3


def test_a_failing_view_leaves_a_card_that_says_so() -> None:
    def broken(reader: Reader) -> Card:
        raise KeyError("no such fact")

    store = MemoryStore()
    write_example(store)
    views = (View("broken", "Broken", broken), *VIEWS)
    made = sections(store, "houses", views=views)
    assert made[0].reason == "failed"
    assert made[0].card is not None
    assert "KeyError: 'no such fact'" in made[0].card.claim
    assert made[1].card is not None
    assert made[1].card.title == "The network beats boosting"


def test_a_study_without_facts_says_why_there_is_no_card() -> None:
    store = MemoryStore()
    store.studies.open(StudyHead("new", "d", "g", {}, 0.0), this_process())
    made = sections(store, "new")
    assert all(part.card is None and part.reason not in ("", "failed") for part in made)


def test_rows_of_the_data_can_be_kept_out() -> None:
    with_rows = cards(HOUSES)["predictions"].figure
    without = cards(HOUSES, examples=False)["predictions"].figure
    assert with_rows is not None
    assert without is not None
    assert len(with_rows["data"][0]["x"]) == 2000
    assert len(without["data"][0]["x"]) <= 25
    assert max(without["data"][0]["y"]) < max(with_rows["data"][0]["y"])  # means, not rows


def test_what_is_learned_by_heart_does_not_press_the_validation_curves_together() -> None:
    store = MemoryStore()
    write_example(store)
    spec = TrialSpec("network", "wide", "search", to_document(Recipe()), "block 0", 1, 100)
    store.trials.plan("houses", [spec])
    attempt = store.trials.start("houses", [spec.id], this_process())
    store.curves.extend(attempt, spec.id, "probe_loss", [50, 100], [0.1, 1e-9])
    store.trials.finish(attempt, spec.id, TrialState.DONE, {"loss": 0.5})
    store.curves.flush()
    card = next(p.card for p in sections(store, "houses") if p.name == "recipes")
    assert card is not None
    assert card.figure is not None
    validation = [
        v for t in card.figure["data"] if t["yaxis"] == "y2" for v in t["y"] if v is not None
    ]
    low, _ = card.figure["layout"]["yaxis"]["range"]
    assert min(validation) / 20 < 10**low < min(validation)


def test_failed_trainings_stand_in_the_table_with_their_reason() -> None:
    table = cards(HOUSES)["recipes"].table
    assert table is not None
    assert [row for row in table.rows if row[-1] == "failed: diverged at step 312"]
    assert "1 failed" in cards(HOUSES)["recipes"].claim


def test_many_trainings_are_limited_but_the_extremes_are_drawn() -> None:
    store = MemoryStore()
    write_example(store)
    specs = [
        TrialSpec("network", f"idea {i}", "search", to_document(Recipe()), "block 0", i, 100)
        for i in range(300)
    ]
    store.trials.plan("houses", specs)
    attempt = store.trials.start("houses", [spec.id for spec in specs], this_process())
    for i, spec in enumerate(specs):
        last = 0.001 if i == 150 else 9.0 if i == 200 else 0.3 + i / 1000
        store.curves.extend(attempt, spec.id, "validation_loss", [50, 100], [10.0, last])
        store.trials.finish(attempt, spec.id, TrialState.DONE, {"loss": last, "seconds": 1.0})
    store.curves.flush()
    card = next(p.card for p in sections(store, "houses") if p.name == "recipes")
    assert card is not None
    assert card.figure is not None
    drawn = [v for trace in card.figure["data"] for v in trace["y"]]
    assert sum(v is None for v in drawn) <= 2 * CURVES
    assert {0.001, 9.0} <= set(drawn)
    assert any(trace["name"] == "longer × 3 (champion)" for trace in card.figure["data"])
    assert card.table is not None
    assert len(card.table.rows) <= 110
    assert any("are drawn" in note for note in card.notes)


def test_predictions_stand_beside_what_was_measured() -> None:
    table = cards(HOUSES)["tried"].table
    assert table is not None
    rows = {row[0]: row for row in table.rows}
    assert rows["longer × 3"][2:5] == (
        "better, accepted",
        "55%, gain 0.012 (0.003 to 0.030)",
        "0.013",
    )
    assert rows["dropout 0.15"][2] == "not run"


def test_multi_class_lists_the_confused_pairs() -> None:
    card = cards(FLOWERS)["confusion"]
    assert card.table is not None
    counts = [int(row[2].replace(",", "")) for row in card.table.rows]
    assert counts == sorted(counts, reverse=True)
    assert "taken for" in card.claim


def test_a_table_row_must_fit_its_columns() -> None:
    with pytest.raises(ValueError, match="does not fit 1 columns"):
        Table((Column("a"),), (("1", "2"),))


def test_notebook_markup_escapes_and_limits() -> None:
    table = Table((Column("<i>"),), tuple((f"<b>{i}",) for i in range(30)))
    card = Card("<script>", "a & b.", table=table, code="x < y", notes=("<n>",))
    markup = card_html(card)
    assert markup == card._repr_html_()
    for text in ("<script>", "<i>", "<b>", "<n>", "a & b"):
        assert text not in markup
    assert "10 more rows" in markup
    assert cards_html([card, card]).count("<h4>") == 2
    assert lines_html(["a <b>", "c"]) == "<pre>a &lt;b&gt;\nc</pre>"


def test_a_study_in_a_notebook_shows_its_verdict() -> None:
    store = MemoryStore()
    write_example(store)
    markup = study_html(store, "houses")
    assert markup.startswith("<pre>Data      20,433 rows")
    assert "<h4>The network beats boosting</h4>" in markup
    assert "<script" not in markup


def test_showing_results_needs_no_torch() -> None:
    code = (
        "import sys, justright.report.write, justright.views.registry, justright.cli.screen\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
