"""The surface that proposes shapes."""

from __future__ import annotations

from math import log2

import numpy as np

from justright.sizing.shapes import SHAPES
from justright.sizing.surface import guesses


def test_it_finds_the_bottom_of_a_bowl_between_the_shapes_seen():
    shapes = [hidden for hidden in SHAPES if len(set(hidden)) == 1]

    def height(hidden):
        return 0.02 * (log2(hidden[0]) - 7) ** 2 + 0.05 * (log2(len(hidden)) - 1) ** 2

    seen = [(hidden, height(hidden), 1e-3) for hidden in shapes[::3]]
    found = guesses(seen, shapes)
    errors = np.array([guess.mean - height(h) for guess, h in zip(found, shapes, strict=True)])
    assert np.sqrt(np.mean(errors**2)) < 0.05
    best = shapes[int(np.argmin([guess.mean for guess in found]))]
    assert height(best) < 0.03


def test_what_was_seen_is_surer_than_what_was_not():
    seen = [((16,), 0.0, 0.001), ((64,), -0.3, 0.001), ((256,), -0.4, 0.001)]
    near, far = guesses(seen, [(64,), (1024,) * 6])
    assert near.sd < 0.05 < far.sd
    assert abs(near.mean + 0.3) < 0.02


def test_expected_improvement_is_that_of_a_normal_variable():
    guess = guesses([((16,), 0.0, 0.1), ((32,), 0.2, 0.1)], [(64,)])[0]
    draws = guess.mean + guess.sd * np.random.default_rng(0).normal(size=400_000)
    for level in (-0.2, 0.1, 0.5):
        assert abs(np.maximum(level - draws, 0).mean() - guess.improvement(level)) < 2e-3
        assert abs((draws < level).mean() - guess.below(level)) < 5e-3
