"""Centre, scale and bin edges of encoded features, from training rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

QUANTILE_ROWS = 100_000
"""Rows that quantiles are taken from, evenly chosen. Assumption: they are exact to a quarter of a
percentile, and 1 million rows of 50 columns would take ten seconds more."""

Floats = npt.NDArray[np.float64]

EDGES = 49
"""Quantiles kept of each number: 48 bins, the most that is in use (Gorishniy et al. 2022), which
can be merged to 24, 16, 12 or 8. Published."""


def robust_scale(values: Floats) -> tuple[Floats, Floats]:
    """Median and scale factor of each feature (RealMLP, Holzmüller et al. 2024).

    The factor is 1 / (q75 - q25); where that is not finite 2 / (max - min); else 0.

    Args:
        values: float64 [rows, features]; NaN does not count.

    Returns:
        Two arrays float64 [features].

    >>> centre, factor = robust_scale(np.array([[1.0], [2.0], [3.0], [np.nan]]))
    >>> centre.tolist(), factor.tolist()
    ([2.0], [1.0])
    """
    centre, factor = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for place, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known):
            with np.errstate(over="ignore"):  # the range of the largest numbers is not finite
                low, centre[place], high = np.quantile(_some(known), [0.25, 0.5, 0.75])
                factor[place] = _reciprocal(high - low) or 2 * _reciprocal(np.ptp(known))
    return np.nan_to_num(centre), factor


def quantile_edges(values: Floats) -> Floats:
    """`EDGES` quantiles of each feature [features, EDGES]; NaN does not count.

    Args:
        values: float64 [rows, features].
    """
    edges = np.zeros((values.shape[1], EDGES))
    for place, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known):
            edges[place] = np.quantile(_some(known), np.linspace(0, 1, EDGES))
            edges[place, 0], edges[place, -1] = known.min(), known.max()
    return edges


def _some(values: Floats) -> Floats:
    return values[:: len(values) // QUANTILE_ROWS + 1]


def _reciprocal(width: float) -> float:
    """1 / width; 0 where that says nothing: no width, or one of no finite reciprocal."""
    return 1.0 / float(width) if 1e-300 < width < np.inf else 0.0
