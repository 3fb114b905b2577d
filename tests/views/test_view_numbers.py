"""Numbers are printed with as many digits as they deserve, and never crash."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import justright.cli.screen_base
import justright.views
from justright.views import numbers

MODULES = [
    *(m.name for m in pkgutil.walk_packages(justright.views.__path__, "justright.views.")),
    "justright.cli.screen_base",
]
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    ("spread", "places"), [(0.012, 3), (0.006, 3), (0.0351, 3), (0.036, 2), (0.097, 2), (3.0, 1)]
)
def test_digits_follow_the_uncertainty(spread: float, places: int) -> None:
    assert numbers.decimals(spread) == places


@given(finite)
def test_any_number_can_be_printed(value: float) -> None:
    for text in (
        numbers.significant(value),
        numbers.fixed(value, 2),
        numbers.duration(abs(value)),
    ):
        assert text
        assert "-" not in text  # the minus sign of print is not the hyphen


@given(finite, st.floats(min_value=1e-6, max_value=1e6))
def test_the_printed_score_is_within_its_interval(value: float, half: float) -> None:
    text = numbers.with_interval(value, value - half, value + half)
    shown = float(text.split(" ")[0].replace(",", "").replace(numbers.MINUS, "-"))
    assert abs(shown - value) <= half + abs(value) * 1e-6


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_says_so(value: float) -> None:
    assert numbers.significant(value) == "not finite"
    assert numbers.fixed(value, 3) == "not finite"
    assert numbers.decimals(value) == 3
