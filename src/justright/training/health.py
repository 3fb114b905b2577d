"""What the loop remembers of a candidate's health: means and peaks between evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from justright.engine.contract import Array

EVERY = 20
"""Steps between two whose layers are looked at (measured: benchmarks/health.py, such a step takes
at most a quarter longer, so this costs 1%)."""

PROBED = 256
"""Training rows that hidden layers are asked about at an evaluation: a unit that looks dead speaks
for less than 1 row in 85 (95%). Measured: benchmarks/health.py, the rows of an evaluation take as
long as one to two steps, which is 2% of the shortest full run."""


@dataclass
class Health:
    """Health of one candidate; the loop writes it.

    Between two evaluations only sums and peaks are kept, so a run leaves as many points as it has
    evaluations, however long it is.

    Attributes:
        curves: Name to steps and values. Of the whole network: "first_loss", the training loss of
            the first step; "prior_loss", that of the best constant on training rows, if the loop
            was told; "loss", mean training loss; "gradient" and "gradient_peak", mean and
            highest norm of the gradient before clipping; "clipped_share", share of the steps whose
            gradient was clipped (only where there is a bound). Of hidden layer i, under "NAME/i":
            "gradient_norm" and "update_ratio", means of the steps looked at, and what the layer
            says (`engine.contract.Stack.activations`) before the first step and at evaluations.
        histograms: Of hidden layer i: steps, edges and counts of what it says
            (`engine.contract.Stack.distribution`) before the first step and at the end.
        sums: Name to sum and number since the last evaluation.
        peaks: Name to highest value since the last evaluation.
    """

    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    histograms: list[list[list[Any]]] = field(default_factory=list)
    sums: dict[str, list[float]] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)

    def advance(
        self,
        losses: npt.NDArray[np.float64],
        norms: npt.NDArray[np.float64],
        clips: Array | None,
        samples: Mapping[str, Array],
    ) -> None:
        """Take in some steps.

        Args:
            losses: Training loss ``[n]`` of each step.
            norms: Norm ``[n]`` of each step's gradient before clipping.
            clips: Bound ``[n]`` on that norm; None where there is none.
            samples: Name to ``[samples, layers]`` for those of the steps that were looked at.
        """
        norms = np.where(np.isnan(norms), np.inf, norms)  # inf - inf on the way back
        if len(losses) and "first_loss" not in self.curves:
            self.curves["first_loss"] = [[1], [float(losses[0])]]
        self._add("loss", losses)
        self._add("gradient", norms)
        if len(norms):
            peak = max(self.peaks.get("gradient_peak", 0.0), float(np.max(norms)))
            self.peaks["gradient_peak"] = peak
        if clips is not None:
            self._add("clipped_share", norms > np.asarray(clips, np.float64))
        for name, values in samples.items():
            for layer, own in enumerate(np.asarray(values, np.float64).T):
                self._add(f"{name}/{layer}", own)

    def note(self, step: int, said: Mapping[str, Array]) -> None:
        """Make a point of each curve out of the steps since the last evaluation.

        Args:
            step: Steps taken.
            said: Name to ``[layers]``: what the hidden layers say now.
        """
        values = {name: total / number for name, (total, number) in self.sums.items()}
        values |= self.peaks
        for name, layers in said.items():
            values |= {f"{name}/{layer}": float(value) for layer, value in enumerate(layers)}
        for name, value in values.items():
            steps, known = self.curves.setdefault(name, [[], []])
            steps.append(step)
            known.append(value)
        self.sums, self.peaks = {}, {}

    def spread(self, step: int, edges: Array, counts: Array) -> None:
        """Take in how what the hidden layers say is distributed now; of two the later one stays.

        Args:
            step: Steps taken.
            edges: ``[layers, bins + 1]``.
            counts: ``[layers, bins]``.
        """
        if not self.histograms:
            self.histograms = [[] for _ in edges]
        for own, *found in zip(self.histograms, edges.tolist(), counts.tolist(), strict=True):
            del own[1:]
            own.append([step, *found])

    def _add(self, name: str, values: Array) -> None:
        if len(values):
            total, number = self.sums.get(name, (0.0, 0))
            self.sums[name] = [total + float(np.sum(values)), number + len(values)]


def taken_samples(start: int, taken: int) -> int:
    """How many of some steps from `start` on are looked at.

    >>> taken_samples(0, EVERY - 1), taken_samples(EVERY - 1, 1), taken_samples(5, 3 * EVERY)
    (0, 1, 3)
    """
    return (start + taken) // EVERY - start // EVERY


def probed(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`PROBED` places spread over some rows; a few rows are asked about more than once.

    >>> len(probed(np.arange(10_000))), sorted(set(probed(np.arange(3)).tolist()))
    (256, [0, 1, 2])
    """
    return rows[np.arange(PROBED) * len(rows) // PROBED]


def as_histograms(
    health: Health | None,
) -> Mapping[str, Sequence[tuple[int, list[float], list[int]]]]:
    """Step, edges and counts by name, "activation/" and the hidden layer."""
    known = health.histograms if health else []
    return {
        f"activation/{layer}": [(int(step), edges, counts) for step, edges, counts in own]
        for layer, own in enumerate(known)
    }


def as_curves(health: Health | None) -> Mapping[str, tuple[Sequence[int], Sequence[float]]]:
    """The curves by name: whole steps, and values; empty where nothing was watched."""
    known = health.curves if health else {}
    return {name: ([int(s) for s in steps], values) for name, (steps, values) in known.items()}
