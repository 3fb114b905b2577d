"""The cards of the size search say what is right, what is not, and what was not tested."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.example_facts import SIZE
from justright.testing.examples import write_example
from justright.views.card import Card, NotApplicable
from justright.views.cards.size_fit import size_fit
from justright.views.cards.size_search import size_map, size_search
from justright.views.reader import Reader
from justright.views.verdict import verdict_lines


def reader_of(**changes: Any) -> tuple[MemoryStore, str, Reader]:
    store = MemoryStore()
    name = write_example(store)
    store.ledger.put(name, "size", {**copy.deepcopy(dict(SIZE)), **changes})
    return store, name, Reader(store, name)


def test_the_claim_is_the_verdict_and_the_chosen_size_is_marked() -> None:
    card = size_search(reader_of()[2])
    assert isinstance(card, Card)
    assert card.claim.startswith("Too small below 2×64 · just right 2×64 to 2×128")
    assert card.table is not None
    assert card.table.strong == {2}
    assert card.table.rows[1][5:] == ("0.055 (0.020 to 0.090)", "worse")
    assert card.table.rows[0][2] == "1/3"


def test_every_size_is_a_point_and_judged_ones_have_an_interval() -> None:
    card = size_search(reader_of()[2])
    assert isinstance(card, Card)
    assert card.figure is not None
    points = {trace["name"]: trace for trace in card.figure["data"]}
    assert sum(len(trace["x"]) for trace in points.values()) == 5
    assert points["given up"]["error_y"]["array"] == [0.0]
    assert points["worse"]["error_y"]["array"][0] > 0.0


def test_intervals_lie_around_their_own_points() -> None:
    """Sizes that were confirmed have more blocks, so their losses have another level."""
    card = size_search(
        reader_of(
            rows=[
                {**row, "loss": level + row["loss"]}
                for level, row in zip((0.0, 0.0, -0.1, -0.1, 0.0), SIZE["rows"], strict=True)
            ]
        )[2]
    )
    assert isinstance(card, Card)
    assert card.figure is not None
    bars = {
        x: (up, down)
        for trace in card.figure["data"]
        for x, up, down in zip(
            trace["x"], trace["error_y"]["array"], trace["error_y"]["arrayminus"], strict=True
        )
    }
    for row in SIZE["rows"]:
        if row["difference"] is not None:
            room = (row["high"] - row["difference"], row["difference"] - row["low"])
            assert bars[row["weights"]] == pytest.approx(room), row["name"]


def test_what_was_not_confirmed_is_said() -> None:
    card = size_search(reader_of(confirmed=False)[2])
    assert isinstance(card, Card)
    assert any("no time to confirm" in note for note in card.notes)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("", "Not tested: 3×512 and larger."),
        (
            "4m",
            "Not tested: 3×512 and larger; --time 4m may be enough, at today's prices.",
        ),
    ],
)
def test_what_was_not_tested_is_said_and_when_it_would_be(time: str, said: str) -> None:
    card = size_search(reader_of(untested=[512, 512, 512], time=time)[2])
    assert isinstance(card, Card)
    assert said in card.notes


def test_the_claim_says_weights_bytes_and_speed() -> None:
    card = size_search(reader_of()[2])
    assert isinstance(card, Card)
    assert card.claim.endswith(
        "chosen 2×64 (6.1 k weights, 24 kB, 0.051 ms for one row by itself)."
    )


def test_a_search_of_shorter_runs_says_so() -> None:
    whole, shorter = (size_search(reader_of(part=part)[2]) for part in (1, 3))
    assert isinstance(whole, Card)
    assert isinstance(shorter, Card)
    (note,) = set(shorter.notes) - set(whole.notes)
    assert "1/3 of the network's own length" in note


def test_cells_of_the_map_say_their_interval() -> None:
    card = size_map(reader_of()[2])
    assert isinstance(card, Card)
    assert card.figure is not None
    said = [text for line in card.figure["data"][0]["text"] for text in line if text]
    assert "0.290<br>0.255 to 0.325" in said
    assert "0.310" in said  # it was given up, so nothing was judged


def test_the_map_shows_depth_and_width() -> None:
    card = size_map(reader_of()[2])
    assert isinstance(card, Card)
    assert card.figure is not None
    (heat,) = card.figure["data"]
    assert heat["y"] == ["1", "2", "3"]
    assert heat["x"] == ["16", "32", "64", "128", "256"]
    assert sum(cell is not None for line in heat["z"] for cell in line) == 5


@pytest.mark.parametrize("greater", [False, True])
def test_the_good_colour_of_the_map_is_at_the_good_scores(greater: bool) -> None:
    store, name, reader = reader_of()
    store.ledger.put(name, "table", {**reader.fact("table"), "greater_is_better": greater})
    card = size_map(Reader(store, name))
    assert isinstance(card, Card)
    assert card.figure is not None
    assert card.figure["data"][0]["reversescale"] == greater


def test_sizes_that_were_given_up_have_no_place_in_the_claim_of_the_map() -> None:
    """Their score is of another length and of fewer blocks, so it may well look best."""
    first, *rest = copy.deepcopy(list(SIZE["rows"]))
    card = size_map(reader_of(rows=[{**first, "loss": 0.01}, *rest])[2])
    assert isinstance(card, Card)
    assert "Of 4 uniform sizes trained in full, 2×128 has the best score" in card.claim
    card = size_map(reader_of(rows=[{**row, "word": "given up"} for row in SIZE["rows"]])[2])
    assert isinstance(card, Card)
    assert "none in full" in card.claim


def test_without_a_search_there_are_no_cards() -> None:
    reader = reader_of(rows=[])[2]
    assert isinstance(size_search(reader), NotApplicable)
    assert isinstance(size_map(reader), NotApplicable)


def test_the_closing_line_says_whether_the_choice_was_kept() -> None:
    store, name, reader = reader_of()
    hidden = reader.fact("network")["shape"]["hidden"]
    line = next(line for line in verdict_lines(store, name) if line.startswith("Size"))
    assert "just right 2×64 to 2×128" in line
    assert ("not confirmed against it" in line) == (list(hidden) != [64, 64])
    store.ledger.put(name, "size", {**SIZE, "chosen": list(hidden)})
    line = next(line for line in verdict_lines(store, name) if line.startswith("Size"))
    assert "not confirmed" not in line


def test_training_and_validation_losses_stand_side_by_side_for_full_lengths_only() -> None:
    card = size_fit(reader_of()[2])
    assert isinstance(card, Card)
    assert card.claim.startswith("From 1×32 to 3×256 the loss of training rows goes from 0.232 to")
    assert card.figure is not None
    train, validation = card.figure["data"]
    assert train["x"] == validation["x"] == [1_240, 6_100, 21_000, 140_000]
    assert all(a < b for a, b in zip(train["y"], validation["y"], strict=True))


def test_one_full_size_has_no_curve_over_sizes() -> None:
    rows = [{**row, "word": "no time"} for row in SIZE["rows"][1:]]
    assert isinstance(size_fit(reader_of(rows=[SIZE["rows"][0], *rows])[2]), NotApplicable)
    unknown = [{**row, "train": None} for row in SIZE["rows"]]
    assert isinstance(size_fit(reader_of(rows=unknown)[2]), NotApplicable)
