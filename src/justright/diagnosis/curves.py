"""What curves say in figures: levels, gap, rise, fall, each with its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log2, sqrt

import numpy as np

from justright.statistics.overfitting import SURE_SE, learns_by_heart, stopped_falling

LAST_QUARTER = 0.75
"""A best evaluation after this share of a run says that it was too short (Deep Learning Tuning
Playbook, Godbole et al. 2023)."""

NEXT = 0.5
"""The next doubling of the length brings at least this share of what the last one has brought: so
it is where losses fall as a power of the length with an exponent up to 1 (assumption)."""

HALF = 0.55
"""Up to this share of a run reaches its first half: coslog4 ends a cycle at 7/15."""


@dataclass(frozen=True)
class Curves:
    """The curves of one run.

    Attributes:
        steps: Steps at which it was evaluated, rising.
        train: Proper loss of a fixed probe of training rows, in evaluation mode.
        validation: Proper loss of the validation rows.
    """

    steps: Sequence[float]
    train: Sequence[float]
    validation: Sequence[float]


@dataclass(frozen=True)
class Effect:
    """A measured change: by how much it lowers the validation loss, with its 95% interval."""

    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Yardstick:
    """What the losses of runs are compared with, all in units of the proper loss.

    Attributes:
        constant: Loss of predicting the mean or the class shares.
        baseline: Loss of the best baseline that learns; nan if unknown.
        delta: Smallest difference that matters.
        noise: Standard error of a mean over the runs; None = as they show themselves, which takes
            two of them.
        overlap: Validation rows over training rows of a block (Nadeau & Bengio 2003).
        floor: Loss that nobody can go below, if that is known.
        larger: Effect of twice the size.
        longer: Effect of twice the length.
        regulariser: Effect of the best regulariser tried.
        able: Whether the network is known to overfit without regularisation, from other runs.
    """

    constant: float
    baseline: float = float("nan")
    delta: float = 0.0
    noise: float | None = None
    overlap: float = 0.0
    floor: float | None = None
    larger: Effect | None = None
    longer: Effect | None = None
    regulariser: Effect | None = None
    able: bool = False


@dataclass(frozen=True, eq=False)
class Read:
    """Losses ``[runs, evaluations]`` at the shares of the length that all runs have."""

    shares: np.ndarray
    train: np.ndarray
    validation: np.ndarray


def read_runs(runs: Sequence[Curves]) -> Read | str:
    """What all runs show at the same places, or why nothing can be read."""
    if not runs:
        return "there is no run"
    found: list[dict[float, tuple[float, float]]] = []
    for run in runs:
        lengths = {len(run.steps), len(run.train), len(run.validation)}
        if len(lengths) > 1:
            return "a curve has not as many losses as steps"
        numbers = np.array([run.steps, run.train, run.validation], np.float64)
        if not numbers.size or not np.isfinite(numbers).all():
            return "a curve is empty, or has a loss that is not finite"
        if numbers[0, 0] <= 0 or (np.diff(numbers[0]) <= 0).any():
            return "the steps of a curve do not rise"
        shares = np.round(numbers[0] / numbers[0, -1], 3)
        found.append({float(s): (t, v) for s, t, v in zip(shares, *numbers[1:], strict=True)})
    shared = sorted(set.intersection(*map(set, found)))
    if len(shared) < 3:
        return f"the curves have {len(shared)} evaluations in common, fewer than 3"
    losses = np.array([[run[share] for share in shared] for run in found])
    order = np.lexsort(losses.reshape(len(found), -1).T)  # sums are rounded alike in any order
    losses = losses[order]
    return Read(np.array(shared), losses[:, :, 0], losses[:, :, 1])


class Facts:
    """The figures that states are told by.

    Attributes:
        se: Standard error of the mean validation loss at its best; None if it is unknown.
        end, best: Mean validation loss at the end, and at the best evaluation.
        train: Mean training loss at the end.
        gap: Validation loss above training loss, and its standard error.
        rise: Validation loss at the end above the best, and its standard error.
        fall: What the last doubling of the length took from the validation loss, likewise.
        late: Whether the best evaluation lies in the last quarter, in most runs.
        numbers: All of them by name.
    """

    def __init__(self, read: Read, yard: Yardstick) -> None:
        validation, train, shares = read.validation, read.train, read.shares
        self.read, self._yard = read, yard
        means = validation.mean(axis=0)
        top = int(np.argmin(means))
        first = np.flatnonzero(shares <= HALF)
        before = int(first[np.argmin(means[first])]) if len(first) else 0
        doublings = max(log2(1.0 / shares[int(first[-1])]), 1.0) if len(first) else 1.0
        self.end, self.best, self.train = means[-1], means[top], train[:, -1].mean()
        self.se = self._se(validation[:, top])  # the end of a bad run is noisier by far
        self.gap = self._with_se(validation[:, -1] - train[:, -1])
        self.rise = self._with_se(validation[:, -1] - validation[:, top])
        fallen, noise = self._with_se(validation[:, before] - validation[:, top])
        self.fall = fallen / doublings, noise / doublings
        bests = shares[np.argmin(validation, axis=1)]
        self.late = bool(shares[top] > LAST_QUARTER and np.mean(bests > LAST_QUARTER) > 0.5)
        self.top = top

    @property
    def beyond(self) -> float:
        """What a difference of losses has to exceed to count and to matter."""
        return max(self._yard.delta, SURE_SE * (self.se or 0.0))

    @property
    def reach(self) -> float:
        """How far the best baseline has come from the constant; nan if that is not known."""
        return self._yard.constant - self._yard.baseline

    @property
    def numbers(self) -> dict[str, float]:
        """Every figure that is known."""
        found = {
            "constant": self._yard.constant,
            "baseline": self._yard.baseline,
            "delta": self._yard.delta,
            "train": self.train,
            "validation": self.end,
            "best": self.best,
            "best at": float(self.read.shares[self.top]),
            "gap": self.gap[0],
            "rise": self.rise[0],
            "fall": self.fall[0],
            "runs": float(len(self.read.validation)),
        }
        if self.se is not None:
            found |= {"se": self.se, "gap se": self.gap[1]}
        return {name: float(value) for name, value in found.items() if isfinite(value)}

    def sure(self, difference: tuple[float, float]) -> bool:
        """Whether a difference is beyond its noise, and beyond what matters."""
        return difference[0] > max(SURE_SE * difference[1], self._yard.delta)

    @property
    def next(self) -> float:
        """What another doubling of the length would bring at least, if the fall goes on."""
        return NEXT * max(self.fall[0], 0.0)

    def able(self) -> bool:
        """Whether it learns its training rows better than anything predicts others, for good.

        Under a schedule that ends low the validation loss falls to the last step however long the
        run is, so it has stopped falling also where another doubling would bring nothing.
        """
        read, yard = self.read, self._yard
        best = read.validation[:, self.top]
        if yard.baseline < best.mean():
            best = np.full(len(best), yard.baseline)
        if len(best) > 1:
            learned = bool(learns_by_heart(best, read.train[None, :, -1], yard.overlap)[0])
        else:
            learned = best[0] - read.train[0, -1] > SURE_SE * (self.se or 0.0)
        if not learned or self.next <= yard.delta:
            return learned
        shares = [read.shares.tolist()] * len(best)
        return stopped_falling(shares, read.validation.tolist())

    def _se(self, values: np.ndarray) -> float | None:
        """Standard error of a mean over the runs."""
        if self._yard.noise is not None:
            return self._yard.noise
        if len(values) < 2:
            return None
        return float(values.std(ddof=1)) * sqrt(1.0 / len(values) + self._yard.overlap)

    def _with_se(self, values: np.ndarray) -> tuple[float, float]:
        return float(values.mean()), self._se(values) or 0.0
