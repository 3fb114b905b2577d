"""Differences of all pairs of cells at once: their standard errors, and how far they may stray.

The best of several is chosen by the same runs that say how good it is. Limits that hold for all
pairs together hold for the chosen one too (Tukey 1953; with unequal variances by simulation from
the covariance, Edwards & Berry 1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from justright.statistics.additive import CellNoise, Fit
from justright.statistics.student import t_quantile

DRAWS = 6_000
"""Simulated tables behind a critical value: its level is known to 0.28 percentage points."""


@dataclass(frozen=True)
class Pairs:
    """Differences mean_i - mean_j of all cells.

    Attributes:
        difference: float64 [cells, cells].
        parts: Variance per unit of each group's noise variance, float64 [groups, cells, cells].
        noise: The noise.
        rows: Known variance of each difference from the choice of rows, float64 [cells, cells].
    """

    difference: np.ndarray
    parts: np.ndarray
    noise: CellNoise
    rows: np.ndarray

    @cached_property
    def se(self) -> np.ndarray:
        """Standard errors, float64 [cells, cells]; 0 on the diagonal."""
        own = np.tensordot(self.noise.variance, self.parts, axes=1)
        return np.sqrt(np.maximum(own + self.rows, 0.0))

    @cached_property
    def df(self) -> np.ndarray:
        """Degrees of freedom of each difference, [cells, cells] (Satterthwaite 1946)."""
        own = self.noise.variance[:, None, None] * self.parts
        below = (np.square(own) / self.noise.df[:, None, None]).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = np.square(np.square(self.se)) / below
        # rounded, so that few quantiles have to be looked up
        return np.maximum(np.round(np.where(below > 0, df, np.inf), 1), 0.5)

    def uppers(self, level: float) -> np.ndarray:
        """One-sided upper limits of mean_i - mean_j, [cells, cells]; inf where not comparable."""
        known, place = np.unique(self.df, return_inverse=True)
        t = np.array([t_quantile(level, float(df)) for df in known])[place].reshape(self.df.shape)
        limit = self.difference + t * self.se
        return np.where(np.isfinite(limit), limit, np.inf)


def all_pairs(fit: Fit, noise: CellNoise, overlap: float, rows: np.ndarray) -> Pairs:
    """All differences of a fit.

    Args:
        fit: Estimates of the cells.
        noise: Of one run.
        overlap: n_val / n_train of fresh partitions: what they share adds so much of a run's
            variance to every cell, however many blocks there are (Nadeau & Bengio 2003).
        rows: Known further variance of each difference, float64 [cells, cells].
    """
    parts = []
    for g in range(len(noise.variance)):
        own = fit.root[:, noise.group[fit.cell] == g]
        gram = own @ own.T
        shared = overlap * (noise.group == g)
        size = np.diag(gram) + shared
        pair = size[:, None] + size[None, :] - 2.0 * gram
        np.fill_diagonal(pair, 0.0)
        parts.append(pair)
    difference = fit.mean[:, None] - fit.mean[None, :]
    return Pairs(difference, np.array(parts), noise, rows)


def critical_value(pairs: Pairs, which: np.ndarray, level: float = 0.95) -> float:
    """The c such that all chosen differences ± c standard errors hold together.

    Args:
        pairs: The differences.
        which: Chosen pairs (i, j), int [m, 2].
        level: Probability that all hold.
    """
    i, j = which.T
    se, rows = pairs.se[i, j], pairs.rows[i, j]
    parts = pairs.noise.variance[:, None] * pairs.parts[:, i, j]
    normal, chi = _draws(len(pairs.difference), tuple(round(float(d), 2) for d in pairs.noise.df))
    gap = _root(np.square(pairs.se)) @ normal
    largest = np.zeros(DRAWS)
    for k in np.flatnonzero(se > 0):
        # the standard error is estimated as well: by group, as the noise was
        t = np.square(gap[i[k]] - gap[j[k]]) / (parts[:, k] @ chi + rows[k])
        np.maximum(largest, t, out=largest)
    if not largest.any():
        return t_quantile(0.5 + 0.5 * level, max(float(pairs.noise.df.sum()), 0.5))
    return float(np.sqrt(np.quantile(largest, level)))


def _root(variance: np.ndarray) -> np.ndarray:
    """A matrix R [k, k] with |R_i - R_j|² = the variance of pair (i, j) (Schoenberg 1935)."""
    filled = np.where(np.isfinite(variance), variance, 0.0)
    k = len(filled)
    centre = np.eye(k) - 1.0 / k
    value, vector = np.linalg.eigh(-0.5 * centre @ filled @ centre)
    # the symmetric root: equal eigenvalues leave vectors free to turn, and draws with them
    return (vector * np.sqrt(np.maximum(value, 0.0))) @ vector.T


@lru_cache(maxsize=32)
def _draws(cells: int, df: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Standard normals [cells, DRAWS], and variance estimates per true variance [groups, DRAWS].

    Always the same, so that the same losses get the same verdict.
    """
    rng = np.random.default_rng(20_530)
    normal = rng.standard_normal((cells, DRAWS))
    return normal, np.stack([rng.chisquare(d, DRAWS) / d for d in df])
