"""Ideas on a terminal: what was tried, what is left, what is known of one."""

from __future__ import annotations

from math import nan

import pytest

from justright.core.idea import PART, Verdict
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.testing.examples import write_example
from justright.views.ideas import idea_lines, one_idea_lines, verdict_text
from justright.views.numbers import significant
from justright.views.verdict import verdict_lines


@pytest.fixture(name="example")
def an_example() -> tuple[MemoryStore, str]:
    store = MemoryStore()
    return store, write_example(store)


def test_what_was_tried_comes_before_what_had_no_time(example: tuple[MemoryStore, str]) -> None:
    store, name = example
    lines = idea_lines(store, name)
    rounds = store.ledger.fact(name, "rounds") or []
    tried = [entry["subject"] for entry in rounds]
    titles = [record.idea.title for record in store.ideas.list(name)]
    left = [title for title in titles if title not in tried]
    assert tried
    assert left
    place = {t: next(i for i, s in enumerate(lines) if s.strip().startswith(t)) for t in titles}
    assert max(place[title] for title in tried) < min(place[title] for title in left)
    for entry in rounds:
        assert entry["verdict"]["word"] in lines[place[entry["subject"]]]
        assert (", kept" in lines[place[entry["subject"]]]) == entry["accepted"]


def test_an_idea_of_whose_trainings_none_ran_is_left_to_try(
    example: tuple[MemoryStore, str],
) -> None:
    store, name = example
    rounds = store.ledger.fact(name, "rounds") or []
    rounds[0]["verdict"] |= {"word": "not run", "difference": None, "low": None, "high": None}
    store.ledger.put(name, "rounds", rounds)
    lines = idea_lines(store, name)
    heading = next(i for i, line in enumerate(lines) if "not tried" in line)
    assert any(line.strip().startswith(rounds[0]["subject"]) for line in lines[heading:])


def test_a_study_without_ideas_says_so() -> None:
    store = MemoryStore()
    name = write_example(store)
    empty = MemoryStore()
    head = store.studies.head(name)
    assert head is not None
    empty.studies.open(head, this_process())
    assert idea_lines(empty, name) == ["no idea was written down yet"]


def test_one_idea_says_what_it_changes_and_how_it_ended(example: tuple[MemoryStore, str]) -> None:
    store, name = example
    for record in store.ideas.list(name):
        text = "\n".join(one_idea_lines(store, name, record.idea.title))
        assert record.idea.source in text
        assert all(path in text for path in record.idea.patch)
        words = [verdict.word for verdict in record.verdicts] or ["not run"]
        assert all(word in text for word in words)


def test_the_verdict_tells_what_ideas_brought_together(example: tuple[MemoryStore, str]) -> None:
    store, name = example
    (line,) = [line for line in verdict_lines(store, name) if line.startswith("Ideas")]
    assert "kept" in line
    assert "together" not in line
    whole = {"word": "better", "difference": 0.0123, "low": 0.004, "high": 0.0206, "blocks": 8}
    store.ledger.put(name, "whole gain", whole)
    (line,) = [line for line in verdict_lines(store, name) if line.startswith("Ideas")]
    assert "together 0.012 better than the start recipe in full (gain 0.004 to 0.021, on 8" in line
    store.ledger.put(name, "whole gain", whole | {"difference": -0.0123, "low": -0.02})
    (line,) = [line for line in verdict_lines(store, name) if line.startswith("Ideas")]
    assert "0.012 worse than the start recipe in full" in line
    assert "length" not in line
    store.ledger.put(name, "whole gain", whole | {"evidence": {PART: 1 / 3}})
    (line,) = [line for line in verdict_lines(store, name) if line.startswith("Ideas")]
    assert "at 1/3 of the length" in line


def test_what_the_start_recipe_asks_for_is_not_counted_as_an_idea(
    example: tuple[MemoryStore, str],
) -> None:
    store, name = example
    rounds = store.ledger.fact(name, "rounds") or []
    kept = next(entry for entry in rounds if entry["accepted"])
    assert f"kept {kept['subject']}" in idea_lines(store, name)[0]
    kept["round"], kept["stage"] = "own members", ""
    store.ledger.put(name, "rounds", rounds)
    lines = idea_lines(store, name)
    assert f"the start recipe got what it asks for: {kept['subject']}" in lines[0]
    assert f"kept {kept['subject']}" not in lines[0]
    (line,) = [line for line in lines if line.startswith(f"  {kept['subject']} ")]
    assert "  start recipe  " in line


def test_what_is_left_says_until_when_it_is_worth_its_price(
    example: tuple[MemoryStore, str],
) -> None:
    store, name = example
    lines = idea_lines(store, name)
    known = {e["title"]: e["until"] for e in (store.ledger.fact(name, "more time") or {})["ideas"]}
    place = next(i for i, line in enumerate(lines) if "not tried" in line)
    left = {line.split("  ")[1]: line for line in lines[place + 2 : -2]}
    assert set(known) & set(left)
    for title in set(known) & set(left):
        value = known[title]
        text = significant(value, 2) if value >= 0.0 else "not worth it"
        assert left[title].endswith(text)
    assert list(left) == [title for title in known if title in left]  # what comes next first
    assert "Weitzman" in lines[-2]
    assert lines[-1].startswith("--time ")
    store.ledger.put(name, "more time", {"ideas": []})
    assert "Weitzman" not in idea_lines(store, name)[-1]


def test_an_idea_that_ended_at_a_third_says_so() -> None:
    evidence = {"stage": "screening", "part of the length": 1 / 3}
    verdict = Verdict("GELU", "not better", -0.1, nan, nan, 1, evidence)
    assert verdict_text(verdict).endswith("on 1 block of screening, at 1/3 of the length")


def test_an_idea_that_waits_keeps_what_a_third_showed() -> None:
    evidence = {"reason": "no time to train it in full, or no result", "gain at a third": 0.25}
    verdict = Verdict("GELU", "not run", nan, nan, nan, 0, evidence)
    assert verdict_text(verdict) == (
        "GELU: not run (no time to train it in full, or no result; gain 0.250 at a third of the "
        "length)"
    )
