"""What a report says of single sizes: at which length, on which blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.report import NO_TIME, SizeRow, report_of
from justright.sizing.shapes import Hidden
from justright.statistics.plateau import NO_EVIDENCE, TOO_LARGE
from justright.testing.sizing import GOAL

SHARES = (1 / 27, 1 / 9, 1 / 3, 1.0)
TRUTH: dict[Hidden, float] = {(16,): 0.50, (32,): 0.40, (64,): 0.41}


def curve(loss: float, share: float) -> Curve:
    """A loss that falls to its end at the full length."""
    kept = tuple(each for each in SHARES if each <= share)
    losses = tuple(loss + 0.1 * (1 - each) for each in kept)
    return Curve(kept, losses, tuple(0.5 * each for each in losses), losses)


def evidence(confirmed: tuple[Hidden, ...], harder: float, share: float = 1.0) -> Evidence:
    """All sizes on the blocks that choose, some on the others, which may be harder."""
    found = Evidence()
    for hidden, loss in TRUTH.items():
        found.add({(hidden, block): curve(loss, 1.0) for block in GOAL.selection})
        if hidden in confirmed:
            fresh = {(hidden, block): curve(loss + harder, share) for block in GOAL.confirmation}
            found.add(fresh)
    return found


def rows_of(found: Evidence, goal: Goal = GOAL) -> dict[Hidden, SizeRow]:
    report = report_of(found, goal)
    assert report is not None
    return {row.hidden: row for row in report.rows}


def test_training_and_validation_losses_are_of_the_blocks_that_all_sizes_have() -> None:
    rows = rows_of(evidence(confirmed=((32,), (64,)), harder=0.3))
    assert {hidden: row.proper for hidden, row in rows.items()} == pytest.approx(TRUTH)
    assert rows[32,].train == pytest.approx(0.20)


def test_blocks_that_have_a_third_only_do_not_shorten_a_size_that_is_judged() -> None:
    """A search at a third of the length confirmed there; going on in full it had no time to."""
    row = rows_of(evidence(confirmed=((32,),), harder=0.0, share=1 / 3))[32,]
    assert (row.share, row.blocks) == (1.0, 3)
    assert row.proper == pytest.approx(TRUTH[32,])


def test_what_was_hardly_trained_is_not_given_up() -> None:
    found = evidence(confirmed=(), harder=0.0)
    found.add({((128,), block): curve(0.1, 1 / 9) for block in GOAL.selection})
    assert rows_of(found, replace(GOAL, budget=0.0))[128,].word == NO_TIME


def test_a_third_of_the_length_calls_nothing_too_large() -> None:
    """Small sizes are ahead there: the rest of the length brings large ones more."""
    truth: dict[Hidden, float] = {(16,): 0.40, (64,): 0.45, (256,): 0.60}
    found = Evidence()
    for number, (hidden, loss) in enumerate(truth.items()):
        for block in (*GOAL.selection, *GOAL.confirmation):
            wave = 0.001 * ((block * 7 + number * 3) % 5)
            found.add({(hidden, block): curve(loss + wave, 1.0)})
    whole, third = (report_of(found, replace(GOAL, part=part)) for part in (1, 3))
    assert whole is not None
    assert third is not None
    assert whole.upper == TOO_LARGE
    assert third.upper == NO_EVIDENCE
    assert "too large" not in third.sentence
