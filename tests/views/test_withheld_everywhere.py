"""A study that was told to show no values shows none, whoever asks and however."""

from __future__ import annotations

import json

import pytest

from justright.core.decision import Decision, Status
from justright.core.finding import Finding, Severity
from justright.report.build import report_html
from justright.store.base import AbstractStore
from justright.store.memory import MemoryStore
from justright.testing.examples import BANK, write_example
from justright.views.explain import explain_lines
from justright.views.notebook import study_html
from justright.views.verdict import verdict_document, verdict_lines

SECRET = "Rosenheim"


def study(*, examples: bool) -> AbstractStore:
    """One whose findings, decisions, slices and next steps quote a cell."""
    store = MemoryStore()
    name = write_example(store, BANK)
    store.ledger.put(name, "shown", {"examples": examples})
    slices = dict(store.ledger.fact(name, "slices") or {})
    slices["slices"][0]["label"] = f"town = {SECRET}"
    store.ledger.put(name, "slices", slices)
    quoted = f"where 'town = {SECRET}' the network errs more than elsewhere: log-loss 3 against 1"
    store.ledger.find(name, [Finding("weak-slice", Severity.WARNING, quoted, "collect more")])
    constant = f"town is always '{SECRET}' in all 20 rows"
    store.ledger.put(name, "next", [{"title": "drop it", "why": constant}])
    store.ledger.decide(
        name, Decision("read", f"text, such as '{SECRET}'", constant, "here", Status.MEASURED)
    )
    return store


def everything(store: AbstractStore) -> dict[str, str]:
    return {
        "terminal": "\n".join(verdict_lines(store, BANK.name)),
        "notebook": study_html(store, BANK.name),
        "explain": "\n".join(explain_lines(store, BANK.name)),
        "document": json.dumps(verdict_document(store, BANK.name)),
        "report": report_html(store, BANK.name),
    }


@pytest.mark.parametrize("where", ["terminal", "notebook", "explain", "document", "report"])
def test_values_are_kept_out_everywhere(where: str) -> None:
    assert SECRET in everything(study(examples=True))[where]
    assert SECRET not in everything(study(examples=False))[where]


def test_a_reader_cannot_allow_what_the_study_forbade() -> None:
    assert SECRET not in report_html(study(examples=False), BANK.name, examples=True)
    assert SECRET not in report_html(study(examples=True), BANK.name, examples=False)
