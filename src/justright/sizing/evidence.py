"""What trainings of different sizes have shown so far, on shared blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from justright.sizing.shapes import Hidden

SHARES: tuple[float, ...] = (1 / 9, 1 / 3, 1.0)
"""Shares of the full length at which runs are judged: successive thirds, as in successive halving
with factor 3 (Jamieson & Talwalkar 2016); a run that goes on is continued, never restarted."""

NINTH, THIRD, FULL = SHARES

NEAR = 0.03
"""Steps are rounded, so a point of a curve may lie this share beside the asked one."""


@dataclass(frozen=True)
class Curve:
    """One training: how the losses fell with its share of the full length.

    Attributes:
        share: Steps over the steps of the full length, rising.
        loss: Deciding metric of the validation rows, lower is better.
        train: The same of a fixed probe of training rows, in the proper loss.
        proper: The proper loss of the validation rows.
    """

    share: tuple[float, ...]
    loss: tuple[float, ...]
    train: tuple[float, ...] = ()
    proper: tuple[float, ...] = ()

    def at(self, share: float) -> float:
        """Loss at a share of the length; nan if it was not trained so far."""
        return _at(self.share, self.loss, share)


@dataclass
class Evidence:
    """Curves by size and block.

    Attributes:
        curves: The longest curve of each size on each block.
        failed: Why a size has no result somewhere: it diverged, or memory ran out.
    """

    curves: dict[tuple[Hidden, int], Curve] = field(default_factory=dict)
    failed: dict[Hidden, str] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[Hidden, ...]:
        """Sizes that were trained at all."""
        return tuple(sorted({hidden for hidden, _ in self.curves} | set(self.failed)))

    def diverged(self, hidden: Hidden) -> bool:
        """Whether a size is as bad as can be; what failed for another reason is unknown."""
        return self.failed.get(hidden, "").startswith("diverged")

    def add(self, found: Mapping[tuple[Hidden, int], Curve]) -> None:
        """Take in curves; a longer one replaces a shorter one of the same run."""
        self.curves.update(found)

    def known(self, hidden: Hidden, blocks: Iterable[int], share: float) -> bool:
        """Whether a size was trained that far on all of the blocks, or has failed."""
        if hidden in self.failed:
            return True
        return all(
            (hidden, block) in self.curves
            and self.curves[hidden, block].share[-1] >= share * (1 - NEAR)
            for block in blocks
        )

    def losses(self, sizes: Iterable[Hidden], blocks: Iterable[int], share: float) -> np.ndarray:
        """Losses ``[sizes, blocks]`` at a share of the length; nan where there is none."""
        numbers = tuple(blocks)
        return np.array(
            [
                [
                    self.curves[hidden, block].at(share)
                    if (hidden, block) in self.curves
                    else np.nan
                    for block in numbers
                ]
                for hidden in sizes
            ],
            dtype=np.float64,
        ).reshape(-1, len(numbers))

    def whole(self, blocks: Iterable[int]) -> dict[Hidden, np.ndarray]:
        """Losses of each size that has its full length somewhere ``[blocks]``, nan elsewhere."""
        sizes = [each for each in self.sizes if each not in self.failed]
        losses = zip(sizes, self.losses(sizes, blocks, FULL), strict=True)
        return {size: own for size, own in losses if np.isfinite(own).any()}

    def ahead(
        self, size: Hidden, own: Hidden, blocks: Sequence[int], weigh: Callable[[Hidden], int]
    ) -> float:
        """By how much a size was better than another at the longest share that both have.

        Where the other was not trained, the lightest trained one that is not lighter stands for
        it: of sizes that are too small it is the better one.

        Args:
            size: The size in question.
            own: What it is compared with.
            blocks: On these blocks.
            weigh: Weights of a size.

        Returns:
            nan where both have no share in common, or nothing is as heavy.
        """
        trained = [each for each in self.sizes if each not in self.failed]
        heavier = [each for each in trained if weigh(each) >= weigh(own)]
        rival = min(heavier, key=weigh, default=own)
        gains = [
            self.mean(rival, blocks, share) - self.mean(size, blocks, share)
            for share in reversed(SHARES)
        ]
        return next((gain for gain in gains if np.isfinite(gain)), float("nan"))

    def mean(self, hidden: Hidden, blocks: Iterable[int], share: float) -> float:
        """Mean loss of a size over blocks at a share of the length; nan if one is missing."""
        return float(self.losses([hidden], blocks, share).mean())


def _at(shares: tuple[float, ...], losses: tuple[float, ...], share: float) -> float:
    for place, reached in enumerate(shares):
        if abs(reached - share) <= NEAR * share:
            return losses[place]
    return float("nan")
