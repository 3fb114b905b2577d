"""Predictions that know something are told from those that do not, and from those that mislead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from justright.core.idea import Idea, Prediction, Verdict
from justright.ideas.foresight import FEWEST, foresight
from justright.store.records import IdeaRecord

GAIN = (0.01, 0.02, 0.05)


def record(helps: float, word: str, gain: float = 0.02) -> IdeaRecord:
    prediction = Prediction(helps, GAIN, 1.0)
    idea = Idea("a", "slot", {}, prediction, "source", "author")
    verdict = Verdict("a", word, gain, gain - 0.01, gain + 0.01, 5)
    return IdeaRecord("id", idea, (prediction,), (verdict,), 0.0)


def drawn(rows: int, seed: int, turn: bool = False) -> list[IdeaRecord]:
    """Ideas that help with the probability that was said, or with the opposite one."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(0.05, 0.95, rows)
    helped = rng.random(rows) < (1 - said if turn else said)
    return [
        record(float(p), "better" if hit else "not better")
        for p, hit in zip(said, helped, strict=True)
    ]


def test_probabilities_that_are_right_beat_the_constant() -> None:
    found = foresight([drawn(200, 0)])
    assert found is not None
    assert found.low > 0
    assert found.better == pytest.approx(found.constant - found.brier)
    assert sum(group.ideas for group in found.groups) == found.outcomes == 200
    for group in found.groups:
        assert group.came == pytest.approx(group.said, abs=0.15)


def test_planted_nonsense_is_worse_than_the_constant() -> None:
    found = foresight([drawn(200, 1, turn=True)])
    assert found is not None
    assert found.high < 0


def test_what_everybody_knows_is_not_foresight() -> None:
    """Said 30% of all, and 30% helped: no better than the constant."""
    ideas = [record(0.3, "better" if k % 10 < 3 else "not better") for k in range(100)]
    found = foresight([ideas])
    assert found is not None
    assert abs(found.better) < 0.01
    assert len(found.groups) == 1


def test_gains_are_held_against_their_quantiles() -> None:
    ideas = [record(0.5, "better", gain) for gain in (0.005, 0.015, 0.04, 0.09)]
    found = foresight([[*ideas, record(0.5, "not better", 0.02)]])
    assert found is not None
    assert (found.gains, found.inside) == (4, 2)


def test_few_or_no_outcomes_claim_nothing() -> None:
    assert foresight([]) is None
    assert foresight([[record(0.5, "not run")]]) is None
    few = foresight([[record(0.5, "better")] * (FEWEST - 1), [record(0.5, "not run")]])
    assert few is not None
    assert few.studies == 1
    assert math.isnan(few.low)
