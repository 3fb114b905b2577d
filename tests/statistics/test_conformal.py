"""Intervals hold what they promise on fresh draws of planted worlds, however odd the errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from justright.deploy.network import Preprocessing
from justright.model.uncertainty import with_uncertainty
from justright.statistics.conformal import (
    MOST,
    TAIL,
    Errors,
    coverage,
    covered,
    errors_of,
    sorted_errors,
)
from justright.statistics.intervals import Sample

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]

FRESH, CALIBRATIONS = 400, 250


def shipped(errors: Errors, classes: tuple[str, ...] = ()) -> Preprocessing:
    """As much of the deployed file as intervals need."""
    target: dict[str, Any] = {"classes": list(classes), "label_type": "text"}
    plain = Preprocessing({"columns": [], "centre": [], "factor": [], "target": target}, {})
    return with_uncertainty(plain, 1.0, errors)


def even(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(rows, 1))
    return x + rng.normal(size=(rows, 1)), x


def uneven(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise that grows a hundredfold with x."""
    x = rng.random((rows, 1))
    return x + np.exp(4.6 * x) * rng.normal(size=(rows, 1)), x


def heavy(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors without a variance, and a prediction that is off to one side."""
    x = rng.normal(size=(rows, 1))
    return x + rng.standard_t(1.5, size=(rows, 1)), x + 0.5


@pytest.mark.parametrize("rows", [100, 1_000])
@pytest.mark.parametrize("draw", [even, uneven, heavy])
def test_coverage_on_fresh_draws_is_the_level(draw: Draw, rows: int) -> None:
    """Over calibrations and draws exactly ⌈(n + 1) · level⌉ / (n + 1), to within chance."""
    rng = np.random.default_rng(rows)
    shares: dict[float, list[float]] = {0.8: [], 0.9: [], 0.95: []}
    for _ in range(CALIBRATIONS):
        own = shipped(sorted_errors(errors_of(*draw(rng, rows))))
        y, prediction = draw(rng, FRESH)
        for level, found in shares.items():
            found.append(covered(y, own.interval(prediction, level)).mean())
    for level, found in shares.items():
        wanted = np.ceil((rows + 1) * level - 1e-9) / (rows + 1)
        error = np.std(found, ddof=1) / np.sqrt(CALIBRATIONS)
        binomial = np.sqrt(level * (1 - level) * (1 / FRESH + 1 / rows) / CALIBRATIONS)
        assert error < 1.2 * binomial
        assert np.mean(found) == pytest.approx(wanted, abs=4 * binomial)


@pytest.mark.parametrize("rows", [100, 1_000])
def test_sets_of_classes_hold_the_level(rows: int) -> None:
    """The probabilities are wrong on purpose; only errors on rows held out make it right."""
    rng = np.random.default_rng(rows)
    found, sizes = [], []

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        z = rng.normal(size=(count, 5))
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        y = (p.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
        sharp = p**4
        return y, sharp / sharp.sum(axis=1, keepdims=True)

    for _ in range(CALIBRATIONS):
        own = shipped(sorted_errors(errors_of(*draw(rows))), ("a", "b", "c", "d", "e"))
        y, p = draw(FRESH)
        sets = own.interval(p, 0.9)
        assert sets[np.arange(FRESH), p.argmax(axis=1)].all()
        found.append(covered(y, sets).mean())
        sizes.append(sets.sum(axis=1).mean())
    binomial = np.sqrt(0.9 * 0.1 * (1 / FRESH + 1 / rows) / CALIBRATIONS)
    assert np.mean(found) == pytest.approx(
        np.ceil((rows + 1) * 0.9) / (rows + 1), abs=4 * binomial
    )
    assert 1.0 < np.mean(sizes) < 5.0


def test_each_target_has_its_own_width() -> None:
    rng = np.random.default_rng(0)
    prediction = np.zeros((2_000, 2))
    y = rng.normal(size=(2_000, 2)) * np.array([1.0, 100.0])
    own = shipped(sorted_errors(errors_of(y[:1_000], prediction[:1_000])))
    inside = covered(y[1_000:], own.interval(prediction[1_000:], 0.9))
    assert inside.shape == (1_000, 2)
    np.testing.assert_allclose(inside.mean(axis=0), 0.9, atol=0.05)


def test_thinned_errors_err_to_the_safe_side_and_are_exact_at_the_end() -> None:
    rows = 50_000
    errors = np.random.default_rng(0).exponential(size=(rows, 1))
    every = np.sort(errors[:, 0])
    thin = sorted_errors(errors)
    assert len(thin.values) == MOST + 1
    own, zero = shipped(thin), np.zeros((1, 1))
    for level in np.linspace(0.01, 0.999, 200):
        exact = int(np.ceil((rows + 1) * level - 1e-9))
        reach = own.interval(zero, float(level))[1, 0, 0]
        place = int(np.searchsorted(every, reach)) + 1
        assert exact <= place <= exact + rows / (MOST - TAIL) + 1
    for exact in range(rows - TAIL + 1, rows + 1):
        assert own.interval(zero, exact / (rows + 1))[1, 0, 0] == every[exact - 1]


def test_more_than_the_rows_can_say_is_everything() -> None:
    own = shipped(sorted_errors(np.ones((9, 1))))
    assert own.interval(np.zeros((1, 1)), 0.9)[1, 0, 0] == 1.0
    assert np.isinf(own.interval(np.zeros((1, 1)), 0.91)).all()


def test_the_doubt_of_a_coverage_grows_with_groups() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 20)
    inside = np.repeat(rng.random(50) < 0.9, 20)
    y = np.zeros((1_000, 1))
    alone, together = coverage(inside, Sample(y)), coverage(inside, Sample(y, groups=groups))
    assert alone.estimate == together.estimate == inside.mean()
    assert together.high - together.low > 3 * (alone.high - alone.low)
    assert coverage(np.ones(100, bool), Sample(y[:100])).low < 0.97
