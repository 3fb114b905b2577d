"""Explanations name every decision with reason, source and status."""

from __future__ import annotations

from justright.store.memory import MemoryStore
from justright.testing.examples import write_example
from justright.views.cards.decisions import measured_text
from justright.views.explain import WIDTH, explain_lines, size_lines, stages


def test_every_decision_has_reason_and_source() -> None:
    store = MemoryStore()
    name = write_example(store)
    lines, made = explain_lines(store, name), store.ledger.decisions(name)
    text = " ".join(" ".join(line.split()) for line in lines)
    for decision in made:
        measured = measured_text(decision.measured)
        for part in (decision.choice, decision.reason, decision.source, measured):
            assert " ".join(part.split()) in text
        assert f"({decision.status})" in text
    assert any(decision.measured for decision in made)
    assert max(map(len, lines)) <= WIDTH


def test_a_stage_alone() -> None:
    store = MemoryStore()
    name = write_example(store)
    for stage in stages(store, name):
        heads = [line for line in explain_lines(store, name, stage) if not line.startswith(" ")]
        assert heads
        assert all(line.startswith(f"{stage}: ") for line in heads)


def test_sizes_are_a_table_with_the_choice_marked() -> None:
    store = MemoryStore()
    name = write_example(store)
    lines = size_lines(store, name)
    assert "chosen 2×64" in lines[0]
    (marked,) = [line for line in lines if line.startswith("→")]
    assert "2×64" in marked
    store.ledger.put(name, "size", {})
    assert "no time for a size search" in size_lines(store, name)[0]
