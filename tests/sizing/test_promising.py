"""Which sizes may still come within what matters of the best at their full length."""

from __future__ import annotations

import pytest

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.search import next_asks, promising
from justright.sizing.shapes import Hidden
from justright.testing.sizing import GOAL

BEST: Hidden = (128, 128)
OTHER: Hidden = (16,)


def evidence(ninth: float | None, third: float | None) -> Evidence:
    """The best at 0.5 after a third, and another size."""
    found = Evidence()
    for block in GOAL.selection:
        found.add({(BEST, block): Curve((1 / 9, 1 / 3), (0.6, 0.5))})
        looks = [(1 / 9, ninth), (1 / 3, third)]
        known = [(share, loss) for share, loss in looks if loss is not None]
        shares, losses = zip(*known, strict=True)
        found.add({(OTHER, block): Curve(shares, losses)})
    return found


@pytest.mark.parametrize(
    ("ninth", "third", "hope"),
    [
        (0.9, 0.7, True),  # falling like that again it reaches the best
        (0.75, 0.7, False),
        (0.6, 0.7, False),
        (0.9, None, True),
        (None, 0.7, True),
    ],
)
def test_what_was_not_looked_at_may_be_hoped_for(
    ninth: float | None, third: float | None, hope: bool
) -> None:
    assert promising(evidence(ninth, third), OTHER, GOAL) == hope


def test_runs_too_short_to_be_looked_at_after_a_ninth_are_lengthened_by_their_promise() -> None:
    """As where the full length of the search is a ninth of the network's own."""
    found = Evidence()
    for loss, size in enumerate([(16,), (64,), (128, 128), (256, 256), (512, 512)]):
        for block in GOAL.selection:
            found.add({(size, block): Curve((1 / 3,), (0.5 + 0.001 * loss,))})
    asked = []
    for _ in range(4):
        asks = next_asks(found, GOAL)
        for ask in asks:
            asked.append(ask.hidden)
            for block in ask.blocks:
                shares, losses = (1 / 3, 1.0)[: 1 + (ask.share == 1.0)], (0.5, 0.4)
                found.add({(ask.hidden, block): Curve(shares, losses[: len(shares)])})
    full = [size for size in asked if found.known(size, GOAL.selection, 1.0)]
    assert len(full) > 2
