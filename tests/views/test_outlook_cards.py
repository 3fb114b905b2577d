"""Cards of foresight and of more time: what they claim, and when they claim nothing."""

from __future__ import annotations

from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example
from justright.views.card import Card, NotApplicable
from justright.views.document import verdict_document
from justright.views.reader import Reader
from justright.views.registry import VIEWS

MAKE = {view.name: view.make for view in VIEWS}


def made(view: str, key: str, **changes: Any) -> Card | NotApplicable:
    store = MemoryStore()
    study = write_example(store, HOUSES)
    store.ledger.put(study, key, {**store.ledger.fact(study, key), **changes})
    return MAKE[view](Reader(store, study))


def told(**changes: Any) -> str:
    store = MemoryStore()
    fact = store.ledger.fact(write_example(store, HOUSES), "foresight")
    card = made("foresight", "foresight", all={**fact["all"], **changes})
    assert isinstance(card, Card)
    return card.claim


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.01, 0.03), "they know more, by 0.020 (95% interval 0.010 to 0.030)"),
        ((-0.03, -0.01), "they mislead, by 0.020 (95% interval 0.010 to 0.030)"),
        ((-0.01, 0.01), "no difference is shown"),
        ((None, None), "too few outcomes to say"),
    ],
)
def test_foresight_says_what_the_interval_allows(
    ends: tuple[float | None, float | None], said: str
) -> None:
    low, high = ends
    better = 0.0 if low is None or high is None else (low + high) / 2
    assert said in told(low=low, high=high, better=better)


def test_without_outcomes_there_is_no_foresight() -> None:
    assert made("foresight", "foresight", own=None, all=None) == NotApplicable(
        "no idea has an outcome yet"
    )


def test_more_time_names_what_fits_and_says_that_it_is_expected() -> None:
    card = made("more-time", "more time")
    assert isinstance(card, Card)
    assert card.claim == (
        "--time 3m would test 1 of 2 ideas that had no time; together they are expected to bring "
        "0.0021 RMSE at most; --time 4m may be enough to test sizes from 3×256."
    )
    assert card.table is not None
    assert [row[-1] for row in card.table.rows] == ["--time 4m", "tested", "no"]
    assert "not a measurement" in card.notes[0]


def test_where_nothing_was_left_out_nothing_is_promised() -> None:
    none = made("more-time", "more time", ideas=[], tested=0, size_time=None)
    assert none == NotApplicable("nothing was left out for lack of time")
    size = made("more-time", "more time", ideas=[], tested=0)
    assert isinstance(size, Card)
    assert size.claim.startswith("No idea was left out; --time 4m")


def test_where_no_idea_surely_fits_nothing_is_promised() -> None:
    card = made("more-time", "more time", tested=0, expected=0.0, size_time=None)
    assert isinstance(card, Card)
    assert card.claim == "2 ideas had no time, and --time 3m may not do for any."


def test_programs_read_the_same() -> None:
    store = MemoryStore()
    study = write_example(store, HOUSES)
    document = verdict_document(store, study)
    assert document["more_time"] == store.ledger.fact(study, "more time")
    assert document["foresight"]["all"]["outcomes"] == 31
