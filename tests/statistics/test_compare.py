"""The three words: their false rates and power under correlated blocks, and their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.statistics.compare import (
    BETTER,
    CANNOT_TELL,
    LOOKS,
    NOT_BETTER,
    compare,
    next_look,
    plan_looks,
)
from justright.statistics.noise import Pooled


def _verdict_rates(effect: float, rho: float, overlap: float, repeats: int = 1500):
    """Share of each word when blocks with correlation `rho` are looked at as they come."""
    rng = np.random.default_rng(7)
    shared = math.sqrt(rho) * rng.normal(size=(repeats, 1))
    gains = effect + shared + math.sqrt(1.0 - rho) * rng.normal(size=(repeats, 12))
    count = dict.fromkeys((BETTER, NOT_BETTER, CANNOT_TELL), 0)
    for row in gains:
        word = CANNOT_TELL
        for blocks, _ in LOOKS:
            pairs = [(-gain, 0.0) for gain in row[:blocks]]
            word = compare("x", pairs, overlap=overlap, delta=0.2).word
            if word != CANNOT_TELL:
                break
        count[word] += 1
    return {word: number / repeats for word, number in count.items()}


def test_false_verdicts_stay_below_three_percent_for_folds_of_80_20() -> None:
    # expected 2.5% (one side of 5%); 1,500 repeats: standard error 0.4%
    assert _verdict_rates(0.0, rho=0.2, overlap=0.25)[BETTER] <= 0.04


def test_without_the_correction_the_same_blocks_deceive() -> None:
    # why the correction is there: about 14% of one-sided false claims
    assert _verdict_rates(0.0, rho=0.2, overlap=0.0)[BETTER] >= 0.08


def test_independent_blocks_find_an_effect_of_one_and_two_sd() -> None:
    assert _verdict_rates(1.0, rho=0.0, overlap=0.0, repeats=400)[BETTER] >= 0.75
    assert _verdict_rates(2.0, rho=0.0, overlap=0.0, repeats=200)[BETTER] >= 0.98


def test_a_useless_candidate_is_often_given_up_early() -> None:
    assert _verdict_rates(-0.5, rho=0.0, overlap=0.0, repeats=300)[NOT_BETTER] >= 0.8


def test_new_seeds_on_a_fixed_hold_out_need_the_variance_of_rows() -> None:
    rng = np.random.default_rng(3)
    false, blind = 0, 0
    for _ in range(600):
        rows = rng.normal(0.0, 1.0)  # the hold-out's own luck, the same in every block
        pairs = [(-rows - gain, 0.0) for gain in rng.normal(0.0, 0.5, 3)]
        false += (
            compare("x", pairs, overlap=0, delta=0, row_variance=1.0, alpha=0.05).word == BETTER
        )
        blind += compare("x", pairs, overlap=0, delta=0, alpha=0.05).word == BETTER
    assert false / 600 <= 0.05
    assert blind / 600 >= 0.1


@pytest.mark.parametrize("most", [3, 5, 8, 12])
def test_what_is_worse_by_all_that_it_may_be_is_seldom_called_not_worse(most: int) -> None:
    rng = np.random.default_rng(11)
    accepted = 0
    for gains in rng.normal(-0.5, 1.0, (1000, most)):
        for blocks, level in plan_looks(most):
            pairs = [(-gain, 0.0) for gain in gains[:blocks]]
            how = {"overlap": 0.0, "delta": 0.0, "alpha": level}
            word = compare("lighter", pairs, margin=0.5, **how).word
            if word != CANNOT_TELL:
                break
        accepted += word == BETTER
    assert accepted / 1000 <= 0.05  # expected 2.2 to 3.4%; standard error at most 0.6%


def test_what_is_the_same_is_called_not_worse_by_a_margin_of_two_sd() -> None:
    rng = np.random.default_rng(12)
    gains = rng.normal(0.0, 1.0, (200, 8))
    words = [
        compare(
            "x", [(-g, 0.0) for g in own], overlap=0.0, delta=0.0, alpha=0.045, margin=2.0
        ).word
        for own in gains
    ]
    assert words.count(BETTER) >= 0.95 * len(words)


def test_pooled_noise_allows_a_verdict_on_two_blocks() -> None:
    pairs = [(0.50, 0.60), (0.51, 0.60)]
    alone = compare("x", pairs, overlap=0.25, delta=0.01)
    assert alone.word == CANNOT_TELL
    assert math.isnan(alone.low)
    pooled = compare("x", pairs, overlap=0.25, delta=0.01, pooled=Pooled(0.0001, 20))
    assert pooled.word == BETTER
    assert pooled.evidence["df"] == 20


def test_a_significant_but_useless_gain_is_not_called_better() -> None:
    pairs = [(0.499 - 0.00001 * k, 0.5) for k in range(8)]
    verdict = compare("x", pairs, overlap=0.25, delta=0.1)
    assert verdict.low > 0.0
    assert verdict.word == NOT_BETTER


def test_divergence_decides_and_missing_blocks_do_not() -> None:
    good = [(0.4, 0.6), (0.41, 0.6), (0.42, 0.6)]
    assert compare("x", [*good, (math.inf, 0.6)], overlap=0.25, delta=0).word == NOT_BETTER
    kept = compare("x", [*good, (0.4, math.nan)], overlap=0.25, delta=0, alpha=0.05)
    assert (kept.word, kept.blocks) == (BETTER, 3)
    assert compare("x", [], overlap=0.25, delta=0).word == CANNOT_TELL


def test_identical_scores_are_not_better() -> None:
    verdict = compare("x", [(0.5, 0.5)] * 3, overlap=0.25, delta=0.01)
    assert verdict.word == NOT_BETTER
    assert verdict.difference == 0.0
    assert compare("x", [(0.5, 0.5)] * 3, overlap=0.25, delta=0.0).word == CANNOT_TELL


def test_looks_and_bad_arguments() -> None:
    assert [next_look(k) for k in (0, 3, 7, 12)] == [3, 5, 8, None]
    for wrong in (
        {"overlap": -1.0},
        {"delta": math.nan},
        {"margin": -0.1},
        {"row_variance": math.nan},
        {"alpha": 1.0},
    ):
        with pytest.raises(ValueError, match="must be"):
            compare("x", [(1.0, 2.0)], **({"overlap": 0.2, "delta": 0.0} | wrong))


def test_rows_that_show_no_variance_tell_nothing() -> None:
    verdict = compare("x", [(0.5, 0.9)] * 5, overlap=0, delta=0, row_variance=math.inf, alpha=0.05)
    assert verdict.word == CANNOT_TELL
    assert verdict.difference == pytest.approx(0.4)
    assert math.isnan(verdict.low)
    assert "too few groups" in str(verdict.evidence["why"])
