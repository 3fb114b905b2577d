"""The lines about size and rate say what was found, and what was not looked for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from justright.store.memory import MemoryStore
from justright.testing.example_facts import RATE, SIZE
from justright.testing.examples import write_example
from justright.views.leads import rate_line, size_line
from justright.views.reader import Reader
from justright.views.verdict import verdict_document, verdict_lines

CHOSEN = {"shape": {"hidden": [64, 64]}, "parameters": 6_100, "bytes": 31_000}


def reader_of(**facts: Any) -> Reader:
    """A study without a final network, as `--only size` or Ctrl-C leaves it."""
    store = MemoryStore()
    name = write_example(store, tested=False)
    for key, fact in ({"network": None} | facts).items():
        store.ledger.put(name, key, fact)
    return Reader(store, name)


def size_of(sentence: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(dict(SIZE)), "sentence": sentence, **changes}


def test_a_study_that_ends_with_the_size_says_size_and_rate() -> None:
    store = MemoryStore()
    name = write_example(store, tested=False)
    store.ledger.put(name, "network", None)
    lines = verdict_lines(store, name)
    assert (
        "Size      2×64 (6.1 k weights, 24 kB, 0.051 ms for one row by itself): too small below "
        "2×64 · just right 2×64 to 2×128 · no evidence for larger"
    ) in lines
    assert "Rate      0.16 came out of a race of 4 rates; before it was 0.040" in lines
    made = verdict_document(store, name)
    assert made["size"]["chosen"] == [64, 64]
    assert made["size"]["sentence"] == SIZE["sentence"]
    assert [row["weights"] for row in made["size"]["rows"]] == [640, 1240, 6100, 21_000, 140_000]
    assert made["size"]["rows"][0]["low"] is None
    assert made["rate"] == {"prior": 0.04, "peak": 0.16, "rate": 0.08, "reason": None}


def test_the_chosen_size_is_named_once() -> None:
    said = size_of("just right 2×64 · not tested above 2×128 · chosen 2×64")
    assert size_line(reader_of(size=said, network=CHOSEN)) == (
        "2×64 (6.1 k weights, 31 kB on disk): just right · not tested above 2×128"
    )


def test_what_was_not_confirmed_or_compared_is_said() -> None:
    said = size_of("just right 2×64 · not tested above 2×64 · chosen 2×64", confirmed=False)
    assert size_line(reader_of(size=said)).endswith("not confirmed on fresh blocks")
    rows = [row for row in SIZE["rows"] if row["hidden"] == [64, 64]]
    alone = "only 2×64 was trained in full · not tested above 2×64 · chosen 2×64"
    unmeasured = {"confirmed": False, "bytes": None, "ms_to_answer": None}
    assert size_line(reader_of(size=size_of(alone, rows=rows, **unmeasured))) == (
        "2×64 (6.1 k weights): the only one trained in full · not tested above 2×64"
    )


@pytest.mark.parametrize(
    ("clock", "why"),
    [
        ({"limit_s": 9.0, "interrupted": False}, "no time for a size search"),
        ({"limit_s": 9.0, "interrupted": True}, "stopped before a size search"),
    ],
)
def test_without_a_search_the_reason_is_said(clock: dict[str, Any], why: str) -> None:
    reason = "there was no time for a range test"
    reader = reader_of(size=None, clock=clock, rate={"prior": 0.07, "reason": reason})
    assert size_line(reader) == f"2×128 so far · {why}"
    assert rate_line(reader) == f"0.070 · {reason}"
    assert size_line(reader_of(size=None, clock=clock, network=CHOSEN)).endswith(f") · {why}")


def test_nothing_is_said_before_anything_is_known() -> None:
    reader = reader_of(size=None, rate=None, clock=None)
    assert (size_line(reader), rate_line(reader)) == ("", "")


@pytest.mark.parametrize(
    ("peak", "taken", "said"),
    [
        (0.04, 0.04, "0.040 stays after a race of 4 rates"),
        (0.16, 0.16, "0.16 instead of 0.040: it came out of a race of 4 rates, and was confirmed"),
        (0.16, 0.04, "0.16 came out of a race of 4 rates · kept 0.040, as it was not confirmed"),
    ],
)
def test_the_rate_of_the_network_is_told_from_the_rate_that_won(
    peak: float, taken: float, said: str
) -> None:
    network = {**CHOSEN, "recipe": {"optimiser": {"rate": taken}}}
    assert rate_line(reader_of(rate={**RATE, "peak": peak}, network=network)) == said
