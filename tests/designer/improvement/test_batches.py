"""The order of ideas."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.idea import Idea, Prediction, Verdict
from justright.core.study import StudyHead
from justright.designer.improvement.advice import few_of
from justright.designer.improvement.batches import (
    FEW,
    batches,
    most_promising,
    order_decision,
    still_promising,
)
from justright.designer.improvement.idea_log import IdeaLog
from justright.designer.improvement.situation import past_outcomes
from justright.designer.work.session import Session
from justright.ideas.rule import Move
from justright.ideas.stage import ORDER
from justright.recipe.recipe import Recipe
from justright.store.holder import this_process

STAGED = st.dictionaries(st.text("abcdefg", min_size=1), st.sampled_from(ORDER), max_size=12)


@given(STAGED, st.integers(1, 4), st.booleans())
def test_every_slot_has_its_turn_once(stages: dict, width: int, in_order: bool) -> None:
    found = batches(tuple(stages), stages, width, in_order=in_order)
    assert sorted(slot for batch in found for slot in batch) == sorted(stages)
    assert all(found)


@given(STAGED, st.integers(1, 4))
def test_a_batch_in_order_is_one_stage_and_stages_follow_each_other(
    stages: dict, width: int
) -> None:
    found = batches(tuple(stages), stages, width, in_order=True)
    places = [[ORDER.index(stages[slot]) for slot in batch] for batch in found]
    assert all(len(set(batch)) == 1 for batch in places)
    assert [batch[0] for batch in places] == sorted({batch[0] for batch in places})


@given(STAGED, st.integers(1, 4))
def test_where_time_is_short_worth_decides_alone(stages: dict, width: int) -> None:
    found = batches(tuple(stages), stages, width, in_order=False)
    assert [slot for batch in found for slot in batch] == list(stages)
    assert all(len(batch) <= width for batch in found)


def move(title: str, helps: float, *, lasting: bool = True) -> Move:
    idea = Idea(title, title, {}, Prediction(helps, (0.1, 0.2, 0.3), 1.0), "s", "a", ORDER[0])
    return Move(idea, Recipe(), lasting=lasting)


def test_few_rows_bear_few_ideas_beside_length_rate_and_size() -> None:
    likely = [0.1, 0.5, 0.2, 0.4, 0.3]
    moves = [move(str(helps), helps) for helps in likely]
    moves += [move("rate", 0.01, lasting=False), move("length", 0.01, lasting=False)]
    kept = [m.idea.title for m in most_promising(moves)]
    assert kept == ["0.5", "0.4", "rate", "length"]
    assert len(kept) == FEW + 2


def test_the_decision_says_which_order_and_why() -> None:
    moves = [move("a", 0.1), move("b", 0.2)]
    staged, worth = (order_decision(moves, in_order=each) for each in (True, False))
    assert "stage by stage" in staged.choice
    assert "enough for all 2" in staged.reason
    assert "per second" in worth.choice
    assert "not enough" in worth.reason


def test_what_a_slot_brought_stops_ideas_that_promise_no_more() -> None:
    moves = [move("a", 0.5), move("b", 0.1)]
    assert still_promising(moves, lambda _: 0.0) == tuple(moves)
    assert still_promising(moves, lambda each: 0.29 * (each is moves[0])) == tuple(moves)
    assert still_promising(moves, lambda each: 0.3 * (each is moves[0])) == (moves[1],)


def test_what_chance_drew_is_said() -> None:
    assert "drawn by chance" not in order_decision([move("a", 0.1)], in_order=False).reason
    reason = order_decision([move("a", 0.1)], in_order=False, drawn=("a",)).reason
    assert reason.endswith("drawn by chance, to learn of them, too: a")


def test_long_lists_are_cut_and_nothing_is_named_twice() -> None:
    assert few_of(["a", "b", "a", "c"]) == "a, b, c"
    assert few_of(list("abcdef")) == "a, b, c and 3 more"


def test_outcomes_of_other_studies_of_the_store_are_remembered(session: Session) -> None:
    store = session.store
    assert past_outcomes(session) == []
    store.studies.open(StudyHead("other", "d", "g", {}, 0.0), this_process())
    for name, helps in (("s", 0.4), ("other", 0.3)):
        own = store.ideas.add(name, move("dropout 0.3", helps).idea)
        store.ideas.judge(own, Verdict("dropout 0.3", "not better", 0.0, -1.0, 1.0, 5))
    corrected = replace(move("GELU", 0.1).idea.prediction, said=0.2)
    own = store.ideas.add("other", replace(move("GELU", 0.1).idea, prediction=corrected))
    store.ideas.judge(own, Verdict("GELU", "better", 1.0, 0.5, 1.5, 5))
    store.ideas.add("other", move("Mish", 0.1).idea)  # never run
    assert past_outcomes(session) == [(0.3, 0.0), (0.2, 1.0)]


def test_a_prediction_counts_from_when_it_was_made(session: Session) -> None:
    log = IdeaLog(session)
    first, second, later = (
        replace(each, idea=replace(each.idea, slot="slot"))
        for each in (move("GELU", 0.2), move("Mish", 0.2), move("ReLU", 0.2))
    )
    again = replace(move("rate", 0.2, lasting=False), idea=replace(first.idea, title="rate"))
    for each in (first, second, again):
        log.foretell(each.idea)
    gain = Verdict("GELU", "better", 0.15, 0.1, 0.2, 5)
    log.judge("own x", first, log.foretell(first.idea), gain, accepted=True)
    assert log.in_hand(second) == 0.0  # the start recipe's own forms are no ideas
    log.judge("round 1/slot", first, log.foretell(first.idea), gain, accepted=True)
    assert log.in_hand(second) == pytest.approx(0.15)
    assert log.in_hand(again) == 0.0  # asked for anew around each champion
    log.foretell(later.idea)
    assert log.in_hand(later) == 0.0
