"""Able to overfit: training rows are learned by heart, and validation has stopped falling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.overfit import able_to_overfit
from justright.sizing.shapes import Hidden
from justright.testing.sizing import GOAL

SHARES = (1 / 9, 1 / 3, 1.0)
SMALL: Hidden = (16,)
LARGE: Hidden = (256,)

Losses = tuple[float, float, float]
"""At a ninth, a third, and the whole of the length."""

FALLING: Losses = (0.6, 0.5, 0.40)
TURNED: Losses = (0.6, 0.39, 0.42)


def evidence(*sizes: tuple[Hidden, Losses, Losses], noise: float = 0.0) -> Evidence:
    """Sizes with their training and validation losses, noisy from block to block."""
    found = Evidence()
    for hidden, train, proper in sizes:
        for block, sign in zip(GOAL.selection, (-1, 0, 1), strict=True):
            shift = sign * noise
            moved = tuple(loss + shift for loss in proper)
            found.add({(hidden, block): Curve(SHARES, moved, train, moved)})
    return found


def able(found: Evidence) -> Hidden | None:
    return able_to_overfit(found, found.sizes, GOAL)


def test_the_lightest_size_that_learns_rows_by_heart_is_found() -> None:
    found = evidence(
        ((8,), (0.7, 0.6, 0.55), FALLING),
        (SMALL, (0.6, 0.4, 0.2), TURNED),
        (LARGE, (0.5, 0.3, 0.1), TURNED),
    )
    assert able(found) == SMALL


@pytest.mark.parametrize(
    ("train", "proper"),
    [
        ((0.6, 0.5, 0.39), (0.6, 0.5, 0.41)),  # both still fall
        ((0.6, 0.5, 0.2), FALLING),  # a gap alone
        ((0.6, 0.5, 0.45), TURNED),  # training rows are hardly learned
    ],
)
def test_neither_a_gap_nor_a_turn_alone_is_enough(train: Losses, proper: Losses) -> None:
    assert able(evidence((SMALL, train, proper), ((8,), (0.7, 0.6, 0.6), (0.7, 0.5, 0.4)))) is None


def test_noise_between_blocks_hides_a_small_lead() -> None:
    lead: Losses = (0.6, 0.4, 0.38)
    assert able(evidence((SMALL, lead, TURNED))) == SMALL
    assert able(evidence((SMALL, lead, TURNED), noise=0.1)) is None


def test_the_best_validation_loss_may_be_of_another_size() -> None:
    other = (LARGE, (0.6, 0.4, 0.3), (0.6, 0.4, 0.25))
    assert able(evidence((SMALL, (0.6, 0.4, 0.3), TURNED))) == SMALL
    assert able(evidence((SMALL, (0.6, 0.4, 0.3), TURNED), other)) is None


def test_one_noisy_evaluation_does_not_make_it_stop() -> None:
    shares = (1 / 9, 1 / 3, 0.5, 0.75, 1.0)
    proper = (0.6, 0.5, 0.40, 0.35, 0.405)
    curve = Curve(shares, proper, (0.6, 0.4, 0.3, 0.2, 0.1), proper)
    assert able(Evidence({(SMALL, block): curve for block in GOAL.selection})) is None


def test_a_run_that_was_continued_has_an_evaluation_that_others_lack() -> None:
    found = evidence((SMALL, (0.6, 0.4, 0.2), TURNED))
    longer = (1 / 9, 1 / 3, 0.8, 1.0)
    curve = Curve(longer, (0.6, 0.39, 0.4, 0.42), (0.6, 0.4, 0.3, 0.2), (0.6, 0.39, 0.4, 0.42))
    found.add({(SMALL, 1): curve})
    assert able(found) == SMALL


def test_a_size_without_a_finite_loss_hides_no_other() -> None:
    other = (LARGE, (0.6, 0.4, float("inf")), TURNED)
    assert able(evidence((SMALL, (0.6, 0.4, 0.2), TURNED), other)) == SMALL


def test_without_the_losses_or_on_one_block_nothing_is_known() -> None:
    found = evidence((SMALL, (0.6, 0.4, 0.2), TURNED))
    one = replace(GOAL, selection=(0,))
    assert able_to_overfit(found, found.sizes, one) is None
    bare = Evidence({key: replace(curve, train=()) for key, curve in found.curves.items()})
    assert able(bare) is None
