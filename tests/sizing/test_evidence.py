"""What trainings of different sizes say of each other."""

from __future__ import annotations

from math import isnan, prod

from justright.sizing.evidence import FULL, THIRD, Curve, Evidence

BLOCKS = (0, 1)


def evidence(**losses: tuple[float, ...]) -> Evidence:
    """Curves of one hidden layer by its units; losses at a third and, if given, in full."""
    found = Evidence()
    for units, own in losses.items():
        curve = Curve((THIRD, FULL)[: len(own)], own)
        found.add({((int(units[1:]),), block): curve for block in BLOCKS})
    return found


def ahead(found: Evidence, size: int, own: int) -> float:
    return found.ahead((size,), (own,), BLOCKS, prod)


def test_sizes_are_compared_where_both_were_trained_longest() -> None:
    found = evidence(_16=(0.9, 0.5), _64=(0.6, 0.4), _256=(0.5,))
    assert abs(ahead(found, 64, 16) - 0.1) < 1e-12
    assert abs(ahead(found, 256, 16) - 0.4) < 1e-12
    assert ahead(found, 64, 64) == 0.0


def test_the_next_heavier_one_stands_for_a_size_that_was_not_trained() -> None:
    found = evidence(_16=(0.9, 0.5), _64=(0.6, 0.4))
    assert ahead(found, 64, 8) == ahead(found, 64, 16)
    assert ahead(found, 64, 32) == 0.0
    assert isnan(ahead(found, 64, 512))


def test_what_failed_stands_for_nothing() -> None:
    found = evidence(_16=(0.9, 0.5), _64=(0.6, 0.4))
    found.failed[(16,)] = "diverged"
    assert ahead(found, 64, 16) == 0.0
