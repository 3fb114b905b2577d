"""Thinned curves keep what matters of them."""

from __future__ import annotations

from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from justright.views.thinning import thin

values = st.lists(st.floats(width=32, allow_infinity=False), min_size=1, max_size=400)


@given(values, st.integers(min_value=4, max_value=100))
def test_extremes_and_ends_stay(curve: list[float], limit: int) -> None:
    steps, kept = thin(list(range(len(curve))), curve, limit)
    assert len(steps) == len(kept) <= max(limit, 4)
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0.0, len(curve) - 1.0)
    numbers = [v for v in curve if not isnan(v)]
    if numbers:
        assert min(v for v in kept if not isnan(v)) == min(numbers)
        assert max(v for v in kept if not isnan(v)) == max(numbers)
