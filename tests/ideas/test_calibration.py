"""Outcomes of earlier studies correct later predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.idea import Verdict
from justright.ideas.calibration import Calibration, brier, calibrate, outcome_of

SHARES = st.floats(0.0, 1.0)


@given(st.lists(st.tuples(SHARES, SHARES), max_size=30), SHARES)
def test_a_corrected_probability_is_one(past: list[tuple[float, float]], helps: float) -> None:
    assert 0.0 <= calibrate(past)(helps) <= 1.0


def test_without_experience_nothing_is_corrected() -> None:
    assert calibrate([]) == Calibration()
    assert calibrate([])(0.37) == 0.37


def test_it_is_the_posterior_mode() -> None:
    """Against a grid over shift and slope."""
    rng = np.random.default_rng(0)
    past = [(float(p), float(rng.random() < p / 2)) for p in rng.uniform(0.1, 0.9, 30)]
    found = calibrate(past)
    x = np.array([math.log(p / (1 - p)) for p, _ in past])
    y = np.array([outcome for _, outcome in past])
    shift, slope = np.meshgrid(np.linspace(-3, 2, 501), np.linspace(-0.5, 2.5, 301))
    z = shift[..., None] + slope[..., None] * x
    score = (y * z - np.logaddexp(0, z)).sum(-1) - shift**2 / 2 - (slope - 1) ** 2 / 0.5
    best = np.unravel_index(score.argmax(), score.shape)
    assert found.shift == pytest.approx(shift[best], abs=0.01)
    assert found.slope == pytest.approx(slope[best], abs=0.01)


def test_an_overconfident_forecaster_is_brought_down() -> None:
    rng = np.random.default_rng(1)
    said = rng.uniform(0.2, 0.9, 400)
    outcome = (rng.random(400) < said**2 / 2).astype(float)
    past, later = [
        list(zip(said[s], outcome[s], strict=True)) for s in (slice(40), slice(40, 400))
    ]
    correct = calibrate(past)
    corrected = [(correct(p), o) for p, o in later]
    assert brier(corrected) < brier(later) - 0.03


def verdict(word: str, gain: float = 1.0, half: float = 2.0) -> Verdict:
    return Verdict("x", word, gain, gain - half, gain + half, 5)


def test_what_counts_as_an_outcome() -> None:
    assert outcome_of([]) is None
    assert outcome_of([verdict("not run")]) is None
    assert outcome_of([verdict("better"), verdict("not better")]) == 0.0
    assert outcome_of([verdict("not worse by what matters, and lighter")]) == 1.0
    assert outcome_of([verdict("cannot tell", 0.0)]) == pytest.approx(0.5)
    assert 0.8 < (outcome_of([verdict("cannot tell", 1.0)]) or 0.0) < 0.9
    assert outcome_of([Verdict("x", "cannot tell", 1.0, math.nan, math.nan, 1)]) is None
