"""Random numbers behind all noise, a function of (seed, purpose, step) and of nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed

BLOCK = 16
"""Steps drawn at once: making a generator costs more than a small step's bytes (measured)."""


@dataclass
class _Stream(ABC):
    """The random numbers of one candidate and purpose, step by step in any order."""

    seed: int
    purpose: str
    size: int
    _number: int = -1
    _block: npt.NDArray[Any] = field(default_factory=lambda: np.empty((0, 0)))

    def _at(self, step: int) -> npt.NDArray[Any]:
        number, row = divmod(step, BLOCK)
        if number != self._number:
            drawn = self._drawn(np.random.SFC64(child_seed(self.seed, self.purpose, number)))
            self._block, self._number = drawn.reshape(BLOCK, self.size), number
        return self._block[row]

    @abstractmethod
    def _drawn(self, generator: np.random.SFC64) -> npt.NDArray[Any]:
        """The numbers ``[BLOCK * size]`` of a block."""


class ByteStream(_Stream):
    """The random bytes of one candidate and purpose, step by step in any order.

    A block of `BLOCK` aligned steps is drawn at once and kept, so walking through the steps costs
    one generator a block, while a span may begin at any step. Bytes, not floats: comparing with
    a threshold of eight bits is several times cheaper, and the kept share is then exact.

    Args:
        seed: The candidate's seed.
        purpose: What the bytes are for.
        size: Bytes a step.

    >>> stream = ByteStream(seed=1, purpose="dropout", size=4)
    >>> bool((stream.at(20) == ByteStream(1, "dropout", 4).at(20)).all())
    True
    """

    def at(self, step: int) -> npt.NDArray[np.uint8]:
        """The bytes ``[size]`` of a step; valid until the next call."""
        return self._at(step)

    def _drawn(self, generator: np.random.SFC64) -> npt.NDArray[np.uint8]:
        words = -(-self.size * BLOCK // 8)
        return generator.random_raw(words).view(np.uint8)[: self.size * BLOCK]


class NormalStream(_Stream):
    """Standard normal numbers of one candidate and purpose, as `ByteStream` has bytes.

    Args:
        seed: The candidate's seed.
        purpose: What the numbers are for.
        size: Numbers a step.

    >>> stream = NormalStream(seed=1, purpose="jitter", size=4)
    >>> bool((stream.at(20) == NormalStream(1, "jitter", 4).at(20)).all())
    True
    """

    def at(self, step: int) -> npt.NDArray[np.float32]:
        """The numbers ``[size]`` of a step; valid until the next call."""
        return self._at(step)

    def _drawn(self, generator: np.random.SFC64) -> npt.NDArray[np.float32]:
        return np.random.Generator(generator).standard_normal(self.size * BLOCK, np.float32)


def kept_levels(share: float) -> int:
    """How many of the 256 values of a byte mean "keep", for a share that is dropped.

    The kept share is exactly ``levels / 256`` and at least 1/256: the scale of what is kept uses
    it, so the expectation is exact whatever the rounding.

    >>> kept_levels(0.5), kept_levels(0.0)
    (128, 256)
    """
    return min(256, max(1, round(256 * (1.0 - share))))
