"""The ladder and the shapes beside it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from justright.recipe.network import Inputs, NetworkSpec, Shape, parameter_count
from justright.sizing.shapes import LADDER, SHAPES, Limits, ladder, name_of, tapered


def weigh(hidden):
    return parameter_count(NetworkSpec(Shape(hidden=hidden), Inputs(20, 5, (), 3)))


def test_each_rung_has_about_four_times_the_weights_of_the_one_before():
    weights = [weigh(hidden) for hidden in LADDER]
    assert all(1.8 < heavier / lighter < 9 for lighter, heavier in pairwise(weights))
    assert weights[-1] / weights[0] > 4 ** (len(LADDER) - 2)


def test_no_shape_above_a_limit_of_weights_is_allowed():
    limits = Limits(weights=10_000)
    allowed = [hidden for hidden in SHAPES if limits.allow(hidden, weigh)]
    assert allowed
    assert all(weigh(hidden) <= 10_000 for hidden in allowed)
    assert all(weigh(hidden) > 10_000 for hidden in SHAPES if hidden not in allowed)
    assert set(ladder(limits, weigh)) <= set(allowed)


def test_uniform_limits_leave_out_tapered_bodies():
    assert all(
        len(set(hidden)) == 1 for hidden in SHAPES if Limits(uniform=True).allow(hidden, weigh)
    )
    assert any(len(set(hidden)) > 1 for hidden in SHAPES if Limits().allow(hidden, weigh))


@pytest.mark.parametrize("width", [64, 128])
def test_equal_weights_come_deep_and_narrow_and_shallow_and_wide(width):
    goal = weigh((width,) * 2)
    near = [h for h in SHAPES if len(set(h)) == 1 and 0.4 < weigh(h) / goal < 2.5]
    depths = {len(hidden) for hidden in near}
    assert min(depths) < 2 < max(depths)


def test_names_say_depth_and_width():
    assert name_of((128,) * 3) == "3×128"
    assert name_of(tapered(256, 3)) == "256-128-64"
