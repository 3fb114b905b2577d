"""The square root in place of a target: errors that grow with the value become even."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """What a network is trained on in place of a target: ``sqrt(y - shift)``, standardised.

    The square root makes the variance even where it grows with the mean (Bartlett 1936, The
    Square Root Transformation in Analysis of Variance).

    Attributes:
        shift: Of each target, from training rows: 0, or the lowest value where that is negative.
        mean, scale: Of each root, from training rows.
    """

    shift: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @staticmethod
    def fit(y: Floats, weights: Floats) -> Curve:
        """Learn the curve from the targets ``[n, T]`` of training rows and their weights."""
        shift = np.minimum(y.min(axis=0), 0.0)
        root = np.sqrt(y - shift)
        mean, scale = mean_and_scale(root, weights)
        return Curve(tuple(shift.tolist()), tuple(mean.tolist()), tuple(scale.tolist()))

    def bend(self, y: Floats) -> Floats:
        """Targets ``[..., T]`` as they are trained on; below the shift as at it.

        >>> Curve((0.0,), (1.0,), (2.0,)).bend(np.array([[9.0], [-4.0]])).tolist()
        [[1.0], [-0.5]]
        """
        root = np.sqrt(np.maximum(y - np.array(self.shift), 0.0))
        return (root - np.array(self.mean)) / np.array(self.scale)

    def straighten(self, outputs: Floats) -> Floats:
        """Outputs ``[..., T]`` as values; a negative root counts as 0.

        >>> Curve((0.0,), (1.0,), (2.0,)).straighten(np.array([[1.0], [-3.0]])).tolist()
        [[9.0], [0.0]]
        """
        root = outputs * np.array(self.scale) + np.array(self.mean)
        return np.square(np.maximum(root, 0.0)) + np.array(self.shift)


def mean_and_scale(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and deviation ``[T]`` of values ``[n, T]``; 1 where there is no deviation."""
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    return mean, np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
