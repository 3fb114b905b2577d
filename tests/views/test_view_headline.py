"""A small table's verdict is read from repeated cross-validation, the locked test beside it."""

from __future__ import annotations

from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example
from justright.views.card import Card
from justright.views.cards.verdict import verdict
from justright.views.reader import Reader
from justright.views.verdict import verdict_document, verdict_lines


def headline(**changes: Any) -> dict[str, Any]:
    """Repeated cross-validation that sees a tie where the locked test saw a victory."""
    methods = [
        {"name": name, "title": title, "kind": kind, "scores": {"rmse": score},
         "interval": [score - 0.06, score + 0.06], "seconds": 2.0}
        for name, title, kind, score in (
            ("network", "network", "network", 0.52),
            ("linear", "linear", "baseline", 0.50),
        )
    ]  # fmt: skip
    comparison = {
        "against": "linear", "title": "linear", "word": "ties with",
        "why": "the interval contains 0", "difference": -0.02, "low": -0.07, "high": 0.02,
    }  # fmt: skip
    return {
        "source": "repeated cross-validation, 3 × 5 folds",
        "repetitions": 3,
        "blocks": 15,
        "rows": 160,
        "methods": methods,
        "comparisons": [comparison],
        "word": "ties with",
        "against": "linear",
        "optimism": 0.01,
        "taken_off": 0.01,
        "apparent": 0.51,
        "tried": 4,
        **changes,
    }


def store_with(first: dict[str, Any]) -> MemoryStore:
    store = MemoryStore()
    write_example(store, HOUSES, tested=True)
    test = dict(store.ledger.fact("houses", "test") or {})
    locked = {"word": test["word"], "title": test["against"]}
    words = {key: first.get(key, test[key]) for key in ("word", "against")}
    store.ledger.put("houses", "test", test | words | {"locked": locked, "headline": first})
    return store


def line(store: MemoryStore, label: str) -> str:
    lines = verdict_lines(store, "houses")
    return next((text for text in lines if text.startswith(label)), "")


def test_the_verdict_line_speaks_of_the_folds() -> None:
    assert line(store_with(headline()), "Network") == (
        "Network   0.52 ± 0.06 in 3 × 5 folds of cross-validation (0.010 more for the choice "
        "among ideas): ties with linear (difference −0.02, 95% interval −0.07 to 0.02, the "
        "interval contains 0)"
    )


def test_the_locked_rows_are_a_sanity_check() -> None:
    store = store_with(headline())
    assert "0.411 ± 0.006 on the 4,086 rows of the locked test set" in line(store, "Test")
    assert "sanity check" in line(store, "Test")
    assert line(store, "Baselines") == "Baselines linear 0.50"


def test_a_tie_is_a_tie_everywhere() -> None:
    """Planted: the locked test says "beats"; nothing that is a verdict may repeat it."""
    store = store_with(headline())
    made = verdict_document(store, "houses")
    assert made["verdict"]["word"] == "ties with"
    assert "cross-validation" in made["verdict"]["sentence"]
    assert [c["word"] for c in made["comparisons"]] == ["ties with"]
    assert made["network"]["score"] == 0.52
    assert made["headline"]["source"].startswith("repeated cross-validation")
    assert made["headline"]["optimism"] == 0.01
    assert (made["test"]["word"], made["test"]["score"]) == ("beats", 0.411)
    card = verdict(Reader(store, "houses"))
    assert isinstance(card, Card)
    assert card.title == "The network ties with linear"
    assert "beats" not in card.title + card.claim + " ".join(card.notes)
    assert any("Nadeau" in note for note in card.notes)
    assert any("0.010 was taken off" in note for note in card.notes)


def test_why_a_small_table_has_only_the_locked_test_is_said() -> None:
    store = store_with({"source": "locked test", "reason": "no time for a repetition of 5 folds"})
    assert "no time for a repetition" in line(store, "Test")
    assert "on the locked test set: beats boosting" in line(store, "Network")
    assert verdict_document(store, "houses")["headline"]["reason"].startswith("no time")


@pytest.mark.parametrize("first", [{"source": "locked test", "reason": ""}, {}])
def test_a_table_with_enough_rows_has_no_further_line(first: dict[str, Any]) -> None:
    assert line(store_with(first), "Test") == ""


def test_what_choosing_flattered_is_said_of_the_validation_score() -> None:
    store = store_with({"source": "locked test", "reason": "", "optimism": 0.02, "tried": 7})
    test = dict(store.ledger.fact("houses", "test") or {})
    store.ledger.put("houses", "test", test | {"validation_score": 0.5, "drop": 0.03})
    card = verdict(Reader(store, "houses"))
    assert isinstance(card, Card)
    said = "Choosing among 7 networks flattered the validation score by 0.020"
    assert any(note.startswith(said) for note in card.notes)
    assert "for the choice among ideas" not in line(store, "Network")
