"""Whatever number is missing or not finite, the verdict and every card still come out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from justright.report.html import report_html
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, HOUSES, World, write_example
from justright.views.registry import sections
from justright.views.verdict import verdict_document, verdict_lines

KEYS = (
    "table",
    "schema",
    "splits",
    "baselines",
    "champion",
    "noise",
    "rate",
    "size",
    "rounds",
    "network",
    "test",
    "stages",
    "clock",
    "next",
    "paths",
    "plan",
    "versions",
)


def without_numbers(document: Any, instead: float | None) -> Any:
    """The same document with every measured number replaced."""
    if isinstance(document, dict):
        return {key: without_numbers(value, instead) for key, value in document.items()}
    if isinstance(document, list):
        return [without_numbers(value, instead) for value in document]
    return instead if isinstance(document, float) else document


def check(store: MemoryStore, name: str) -> None:
    failed = [part.card for part in sections(store, name) if part.reason == "failed"]
    assert failed == []
    assert all(isinstance(line, str) for line in verdict_lines(store, name))
    json.dumps(verdict_document(store, name), allow_nan=False)


@pytest.mark.parametrize("world", [HOUSES, BANK], ids=lambda world: world.name)
@pytest.mark.parametrize("instead", [float("nan"), float("inf"), None])
@pytest.mark.parametrize("key", KEYS)
def test_a_fact_without_numbers(world: World, instead: float | None, key: str) -> None:
    store = MemoryStore()
    name = write_example(store, world)
    damaged = without_numbers(store.ledger.fact(name, key), instead)
    store.ledger.put(name, key, damaged)
    check(store, name)


@pytest.mark.parametrize("key", KEYS)
def test_a_fact_that_is_not_there(key: str) -> None:
    store = MemoryStore()
    name = write_example(store)
    store.ledger.put(name, key, None)
    check(store, name)
    assert report_html(store, name).endswith("</html>\n")
