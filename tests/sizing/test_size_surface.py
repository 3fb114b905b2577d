"""The surface that proposes shapes."""

from __future__ import annotations

from math import log2

import numpy as np

from justright.sizing.shapes import SHAPES
from justright.sizing.surface import BEND, guesses, score_of


def test_it_finds_the_bottom_of_a_bowl_between_the_shapes_seen():
    shapes = [hidden for hidden in SHAPES if len(set(hidden)) == 1]

    def height(hidden):
        return 2.0 * (log2(hidden[0]) - 7) ** 2 + 5.0 * (log2(len(hidden)) - 1) ** 2

    seen = [(hidden, height(hidden), 0.1) for hidden in shapes[::3]]
    found = guesses(seen, shapes)
    errors = np.array([guess.mean - height(h) for guess, h in zip(found, shapes, strict=True)])
    assert np.sqrt(np.mean(errors**2)) < 5.0
    best = shapes[int(np.argmin([guess.mean for guess in found]))]
    assert height(best) < 3.0


def test_what_was_seen_is_surer_than_what_was_not():
    seen = [((16,), 0.0, 0.1), ((64,), -30.0, 0.1), ((256,), -40.0, 0.1)]
    near, far = guesses(seen, [(64,), (1024,) * 6])
    assert near.sd < 5.0 < far.sd
    assert abs(near.mean + 30.0) < 2.0


def test_expected_improvement_is_that_of_a_normal_variable():
    guess = guesses([((16,), 0.0, 0.1), ((32,), 0.2, 0.1)], [(64,)])[0]
    draws = guess.mean + guess.sd * np.random.default_rng(0).normal(size=400_000)
    for level in (-0.2, 0.1, 0.5):
        assert abs(np.maximum(level - draws, 0).mean() - guess.improvement(level)) < 2e-3
        assert abs((draws < level).mean() - guess.below(level)) < 5e-3


def test_a_score_is_the_difference_in_units_up_to_the_bend_and_its_logarithm_beyond():
    for sign in (-1.0, 1.0):
        score, sd = score_of(sign * 0.02, 0.01, 0.01)
        assert abs(score - sign * 2.0) < 0.01
        assert abs(sd - 1.0) < 0.01
    far, farther = (score_of(difference, 0.01, 0.01)[0] for difference in (100.0, 200.0))
    assert abs(farther - far - BEND * np.log(2.0)) < 0.01


def test_the_deviation_of_a_score_is_its_slope_times_that_of_the_loss():
    for difference in (-0.3, 0.0, 0.5, 4.0):
        here, sd = score_of(difference, 1e-6, 0.01)
        there, _ = score_of(difference + 1e-6, 1e-6, 0.01)
        assert abs((there - here) / sd - 1.0) < 1e-3
