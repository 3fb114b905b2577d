"""The three most important findings: by what they cost, with their action, or none."""

from __future__ import annotations

from typing import Any

import pytest

from justright.core.finding import COST, Finding, Severity
from justright.store.memory import MemoryStore
from justright.testing.examples import HOUSES, write_example
from justright.views.important import important
from justright.views.reader import Reader
from justright.views.verdict import verdict_document, verdict_lines


def finding(code: str, severity: Severity, cost: float | None = None) -> Finding:
    numbers = {} if cost is None else {COST: cost}
    return Finding(code, severity, f"{code} was seen", f"mend {code}", (), numbers)


def reader(*found: Finding, state: dict[str, Any] | None = None, **test: Any) -> Reader:
    """A study that saw nothing but this."""
    store = MemoryStore()
    study = write_example(store)
    fact = {**(store.ledger.fact(study, "test") or {}), **test}
    made = Reader(store, study)
    made.__dict__["findings"] = found
    made.__dict__["facts"] = {"state": state or {}, "test": fact}
    return made


def test_doubt_in_the_score_comes_first_then_what_costs_most() -> None:
    made = reader(
        finding("unknown", Severity.WARNING),
        finding("small", Severity.WARNING, 0.02),
        finding("large", Severity.NOTE, 0.3),
        finding("leak", Severity.CRITICAL),
    )
    assert [each.code for each in important(made)] == ["leak", "large", "small"]
    assert [each.code for each in important(made, 9)][3:] == ["unknown"]


def test_nothing_is_said_where_there_is_nothing() -> None:
    assert important(reader()) == ()
    made = reader(finding("note", Severity.NOTE), finding("tiny", Severity.NOTE, 0.002))
    assert important(made) == ()
    sound = {"state": "just right", "reason": "all is well", "numbers": {"validation": 1.0}}
    assert important(reader(state=sound)) == ()


def test_each_has_its_cost_and_its_action_in_one_line() -> None:
    (one,) = important(reader(finding("large", Severity.NOTE, 0.3)))
    assert one.text == "large was seen (up to 30% of the loss) → mend large"


@pytest.mark.parametrize(
    ("word", "numbers", "cost"),
    [
        ("overfitting", {"rise": 0.1}, 0.2),
        ("compute-bound", {"fall": 0.1}, 0.1),
        ("underfitting", {"baseline": 0.4}, 0.2),
        ("noise-limited", {}, None),
        ("broken", {}, None),
    ],
)
def test_the_state_of_the_training_is_a_finding_too(
    word: str, numbers: dict[str, float], cost: float | None
) -> None:
    state = {"state": word, "reason": "so it is", "action": "do this"}
    (one,) = important(reader(state={**state, "numbers": {"validation": 0.5, **numbers}}))
    assert one.action == "do this"
    assert one.cost == (None if cost is None else pytest.approx(cost))


def test_drift_costs_what_the_test_lost() -> None:
    drift = finding("drift", Severity.WARNING)
    (one,) = important(reader(drift, validation_score=0.4, drop=0.1))
    assert one.cost == pytest.approx(0.2)
    (one,) = important(reader(drift, validation_score=0.4, drop=-0.1))
    assert not one.cost
    assert "of the loss" not in one.text


def test_the_screen_the_report_and_the_document_say_the_same() -> None:
    store = MemoryStore()
    study = write_example(store)
    weak = finding("weak-slice", Severity.NOTE, 0.25)
    store.ledger.find(study, [weak])
    first = important(Reader(store, study))
    assert [each.code for each in first] == ["leakage", "weak-slice", "duplicates"]
    (following,) = [line for line in verdict_lines(store, study) if line.startswith("Next")]
    assert "weakest slice" not in following  # a finding has named it
    lines = [line.strip() for line in verdict_lines(store, study) if "! " in line]
    assert lines == [f"! {each.text}" for each in first]
    made = verdict_document(store, study)["important"]
    assert [each["cost"] for each in made] == [None, 0.25, None]
    assert all(each["action"] for each in made)


def test_what_a_finding_said_is_not_said_again_as_a_next_step() -> None:
    store = MemoryStore()
    study = write_example(store)
    action = next(f.action for f in store.ledger.findings(study) if f.code == "leakage")
    store.ledger.put(study, "next", [{"title": action, "why": "x"}, {"title": "go on", "why": ""}])
    (line,) = [line for line in verdict_lines(store, study) if line.startswith("Next")]
    assert line.startswith("Next      go on")
    assert HOUSES.name == study
