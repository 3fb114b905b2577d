"""Would more data help: planted learning curves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from justright.statistics.forecast import Forecast, forecast_doubling

ROWS = np.array([100.0, 200.0, 400.0, 800.0])
BLOCKS = 5
OVERLAP = 0.25


def drawn(curve: np.ndarray, spread: float, seed: int, delta: float = 0.01) -> Forecast:
    """Losses on folds that share a fifth of their noise, and differ among themselves."""
    rng = np.random.default_rng(seed)
    shared, size = np.sqrt(0.2), (BLOCKS, len(curve))
    noise = shared * rng.normal(size=len(curve)) + np.sqrt(0.8) * rng.normal(size=size)
    losses = curve + spread * noise + 0.1 * rng.normal(size=(BLOCKS, 1))
    return forecast_doubling(losses, delta, overlap=OVERLAP, seed=seed)


def power(beta: float) -> np.ndarray:
    return 1.0 + 4.0 * ROWS**-beta


@pytest.mark.parametrize("beta", [0.25, 0.5])
@pytest.mark.parametrize("sizes", [3, 4])
def test_a_power_law_is_continued(beta: float, sizes: int) -> None:
    found = drawn(power(beta)[-sizes:], 0.001, seed=0)
    truth = 4 * 800**-beta - 4 * 1600**-beta
    assert found.word == "would help"
    assert found.low < truth < found.high
    assert abs(found.gain - truth) < 0.2 * truth
    assert found.beta_low <= beta <= found.beta_high


def test_a_curve_that_has_ended_needs_no_more_rows() -> None:
    found = drawn(np.ones(4), 0.001, seed=0)
    assert found.word == "would not help"
    assert found.high < 0.01


def test_noise_says_nothing() -> None:
    assert drawn(power(0.5), 0.1, seed=0).word == "unknown"


def test_a_curve_that_does_not_flatten_says_nothing() -> None:
    found = drawn(1.0 - 0.1 * np.arange(4.0), 0.01, seed=0)
    assert found.word == "unknown"
    assert found.beta_low <= 0.0
    assert "exponent" in found.why


def test_a_loss_that_rises_with_more_rows_says_nothing() -> None:
    found = drawn(np.array([1.0, 0.9, 1.0, 0.85]), 0.005, seed=0)
    assert found.word == "unknown"
    assert "rises" in found.why


def test_wrong_words_are_rare() -> None:
    """True gains of 0.041 and 0.001 where 0.01 matters, at three sizes of noise."""
    wrong, said = Counter(), Counter()
    for curve, word in ((power(0.5), "would not help"), (1 + 0.1 * ROWS**-0.5, "would help")):
        for spread in (0.003, 0.01, 0.03):
            for seed in range(40):
                found = drawn(curve, spread, seed).word
                wrong[word] += found == word
                said[found] += 1
    assert max(wrong.values()) <= 0.05 * 120
    assert min(said["would help"], said["would not help"]) >= 20  # it does say something


def test_one_set_of_validation_rows_adds_its_own_doubt() -> None:
    losses = power(0.5) + 0.001 * np.random.default_rng(0).normal(size=(5, 4))
    sure = forecast_doubling(losses, 0.01)
    doubtful = forecast_doubling(losses, 0.01, row_variance=np.full(3, 0.05**2))
    assert sure.word == "would help"
    assert doubtful.word == "unknown"
    assert doubtful.high - doubtful.low > 2 * (sure.high - sure.low)


def test_too_few_blocks_or_sizes() -> None:
    losses = np.tile(power(0.5), (5, 1))
    losses[:3] = np.nan
    assert forecast_doubling(losses, 0.01).word == "unknown"
    with pytest.raises(ValueError, match="2 sizes"):
        forecast_doubling(losses[:, :2], 0.01)
