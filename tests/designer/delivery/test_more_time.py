"""What more time would bring is what was foretold of what was left out, and no more."""

from __future__ import annotations

import pytest

from justright.core.idea import Idea, Prediction, Verdict
from justright.designer.delivery.more_time import LONGER, WHOLE, more_time
from justright.designer.improvement.advice import next_steps
from justright.designer.work.session import work_a_second
from justright.ideas.value import expected_gain, reservation, worth
from justright.store.records import IdeaRecord


def record(title: str, slot: str, gain: float, seconds: float, word: str = "") -> IdeaRecord:
    prediction = Prediction(0.5, (gain, gain, gain), seconds)
    idea = Idea(title, slot, {}, prediction, "source", "author")
    verdicts = (Verdict(title, word, 0.0, 0.0, 0.0, 5),) if word else ()
    return IdeaRecord(title, idea, (prediction,), verdicts, 0.0)


def test_the_best_of_each_slot_counts_and_slots_add_up() -> None:
    ideas = [record("a", "x", 0.2, 1), record("b", "x", 0.6, 1), record("c", "y", 0.1, 1)]
    made = more_time(ideas, None, 60.0, 2)
    assert made["tested"] == 3
    assert made["expected"] == pytest.approx(0.5 * (0.6 + 0.1))
    assert made["core_seconds"] == pytest.approx(3 * WHOLE)
    for entry, idea in zip(made["ideas"], (ideas[1], ideas[0], ideas[2]), strict=True):
        assert entry["expected"] == expected_gain(idea.idea.prediction)


def test_only_what_fits_is_promised() -> None:
    whole = (LONGER - 1) * 60 * work_a_second(1)
    ideas = [
        record("first", "x", 1.0, 0.6 * whole / WHOLE),
        record("second", "y", 0.5, 0.6 * whole / WHOLE),
        record("unpriced", "z", 9.0, 0.0),
    ]
    made = more_time(ideas, None, 60.0, 1)
    assert [e["title"] for e in made["ideas"] if e["fits"]] == ["first"]
    assert made["expected"] == pytest.approx(0.5)
    assert more_time(ideas, None, 60.0, 2)["tested"] == 2
    assert made["time"] == "3m"


def test_a_second_costs_what_the_last_idea_that_fits_brings_in_one() -> None:
    whole = (LONGER - 1) * 60 * work_a_second(1)
    ideas = [
        record("first", "x", 1.0, 0.3 * whole / WHOLE),
        record("last", "y", 0.2, 0.3 * whole / WHOLE),
        record("too dear", "z", 0.5, 0.9 * whole / WHOLE),
        record("unpriced", "u", 9.0, 0.0),
    ]
    entries = {e["title"]: e for e in more_time(ideas, None, 60.0, 1)["ideas"]}
    assert [title for title, entry in entries.items() if entry["fits"]] == ["first", "last"]
    second = worth(ideas[1].idea.prediction, 0.3 * whole)
    for each in ideas[:3]:
        price = WHOLE * each.idea.prediction.seconds
        expected = reservation(each.idea.prediction, second * price)
        assert entries[each.idea.title]["until"] == pytest.approx(expected)
    assert entries["first"]["until"] > 0.7
    assert entries["last"]["until"] == 0.0  # not a rounding error below it
    assert entries["too dear"]["until"] < 0.0
    assert entries["unpriced"]["until"] is None


def test_what_was_tried_is_not_left_out() -> None:
    ideas = [
        record("a", "x", 0.2, 1, "better"),
        record("b", "x", 0.2, 1, "not run"),
        record("c", "x", 0.2, 1, "cannot tell"),
    ]
    assert [entry["title"] for entry in more_time(ideas, None, 60.0, 2)["ideas"]] == ["b"]


def test_sizes_have_the_time_that_their_search_asked_for() -> None:
    size = {"untested": [256, 256], "time": "4m"}
    made = more_time([], size, 60.0, 2)
    assert (made["untested"], made["size_time"]) == ([256, 256], "4m")
    assert more_time([], {"untested": [8], "time": None}, 60.0, 2)["size_time"] is None


def test_the_next_step_names_the_same_ideas_and_no_others() -> None:
    far = [record("dear", "y", 0.5, 1e4)]
    made = more_time([record("cheap", "x", 1.0, 1.0), *far], None, 60.0, 1)
    (step,) = next_steps([], {"word": "beats"}, [], more=made)
    assert step["title"] == "--time 3m would test cheap"
    assert step["why"].startswith("1 of 2 ideas without time so far; together expected to bring")
    none = more_time(far, None, 60.0, 1)
    (step,) = next_steps([], {"word": "beats"}, [], more=none)
    assert step["title"] == "more than --time 3m would test dear"
    unknown = more_time([record("unpriced", "z", 9.0, 0.0)], None, 60.0, 1)
    (step,) = next_steps([], {"word": "beats"}, [], more=unknown)
    assert step["title"] == "--time 3m may be enough to test unpriced"
    assert "not known" in step["why"]
    nothing = more_time([], None, 60.0, 1)
    rounds = [{"subject": "a", "verdict": {"word": "better"}}]
    assert next_steps(rounds, {"word": "beats"}, [], more=nothing) == []
