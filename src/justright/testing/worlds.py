"""Planted worlds of scores: simulated losses of sizes on blocks whose truth is known.

The differences of two sizes on two blocks are correlated by rho = n_val / n, as those of fresh
partitions of the same rows are (Nadeau & Bengio 2003): each size keeps a part of its noise in all
blocks. Worlds of tables are in `testing.data_worlds`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from justright.testing.data_worlds import DATA_WORLDS, DataWorld

__all__ = ["DATA_WORLDS", "PROFILES", "SCORE_WORLDS", "DataWorld", "ScoreWorld", "gains"]

PROFILES: dict[str, tuple[float, ...]] = {
    "flat": (0.0,) * 8,
    "sloped": (7.0, 5.0, 3.5, 2.25, 1.25, 0.5, 0.15, 0.0),
    "sloped, then flat": (6.0, 3.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0),
    "rising": (0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 3.5, 6.0),
    "U-shaped": (5.0, 2.5, 1.0, 0.0, 0.0, 1.0, 2.5, 5.0),
    "shallow U": (1.2, 0.8, 0.4, 0.1, 0.0, 0.2, 0.6, 1.0),
}
"""Mean loss of eight sizes above the best, in standard deviations of a paired difference."""


@dataclass(frozen=True)
class ScoreWorld:
    """How losses of sizes on blocks come about.

    Attributes:
        name: For people.
        profile: True mean loss of each size, in standard deviations of a paired difference.
        rho: Correlation of the noise of one size between blocks: n_val / n.
        block_sd: Spread of what a block does to all sizes alike.
        spread: Noise of the largest size relative to that of the smallest, geometric in between.
        smooth: Share of the noise's variance in which neighbouring sizes go along (what a
            partition does to all small, or all large, sizes), the rest being every size's own.
        tails: Degrees of freedom of Student's t for the noise; inf is normal.
    """

    name: str
    profile: tuple[float, ...]
    rho: float = 0.2
    block_sd: float = 3.0
    spread: float = 1.0
    smooth: float = 0.0
    tails: float = math.inf

    @property
    def overlap(self) -> float:
        """n_val / n_train, which makes rho."""
        return self.rho / (1.0 - self.rho)

    @property
    def weights(self) -> list[int]:
        """Number of weights of each size, each four times the one before."""
        return [100 * 4**k for k in range(len(self.profile))]

    def draw(self, rng: np.random.Generator, blocks: int) -> np.ndarray:
        """Losses float64 [sizes, blocks]; a difference has about unit standard deviation."""
        k = len(self.profile)
        kept = math.sqrt(self.rho) * self._noise(rng, 1)
        fresh = math.sqrt(1.0 - self.rho) * self._noise(rng, blocks)
        common = self.block_sd * rng.standard_normal(blocks)
        sd = self.spread ** (np.arange(k) / max(k - 1, 1))
        noise = math.sqrt(0.5) * sd[:, None] * (kept + fresh)
        return np.array(self.profile)[:, None] + common + noise

    def _noise(self, rng: np.random.Generator, blocks: int) -> np.ndarray:
        """Unit noise [sizes, blocks]; its smooth part is a straight line over the sizes."""
        k = len(self.profile)
        own = _unit(rng, (k, blocks), self.tails)
        line = math.sqrt(3.0) * np.linspace(-1.0, 1.0, k)[:, None]
        smooth = line * _unit(rng, (1, blocks), self.tails)
        return math.sqrt(1.0 - self.smooth) * own + math.sqrt(self.smooth) * smooth


SCORE_WORLDS: tuple[ScoreWorld, ...] = (
    *(ScoreWorld(name, profile) for name, profile in PROFILES.items()),
    ScoreWorld("flat, independent blocks", PROFILES["flat"], rho=0.0),
    ScoreWorld("flat, heavy tails", PROFILES["flat"], tails=5.0),
    ScoreWorld("flat, large nets 3 times as noisy", PROFILES["flat"], spread=3.0),
    ScoreWorld("U-shaped, large nets 3 times as noisy", PROFILES["U-shaped"], spread=3.0),
    ScoreWorld("flat, a partition favours small or large", PROFILES["flat"], smooth=0.3),
)


def gains(
    rng: np.random.Generator,
    repeats: int,
    blocks: int,
    *,
    effect: float = 0.0,
    rho: float = 0.0,
    shape: str = "normal",
) -> np.ndarray:
    """Paired gains of one candidate, float64 [repeats, blocks], with unit standard deviation.

    Args:
        rng: Source of randomness.
        repeats: Independent studies.
        blocks: Blocks in each.
        effect: True gain in standard deviations.
        rho: Correlation between the blocks of one study.
        shape: Of the noise: "normal", "heavy tails" (t with 5 degrees of freedom), "skewed"
            (exponential), or "uneven blocks" (half of the blocks three times as noisy).
    """
    size = (repeats, blocks)
    if shape == "skewed":
        own = rng.standard_exponential(size) - 1.0
    elif shape == "uneven blocks":
        own = rng.standard_normal(size) * np.where(rng.random(size) < 0.5, 1.0, 3.0) / math.sqrt(5)
    else:
        own = _unit(rng, size, 5.0 if shape == "heavy tails" else math.inf)
    kept = rng.standard_normal((repeats, 1))
    return effect + math.sqrt(rho) * kept + math.sqrt(1.0 - rho) * own


def _unit(rng: np.random.Generator, size: tuple[int, int], tails: float) -> np.ndarray:
    """Noise of unit variance."""
    if math.isinf(tails):
        return rng.standard_normal(size)
    return rng.standard_t(tails, size) * math.sqrt((tails - 2.0) / tails)
