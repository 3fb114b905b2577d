"""Random bytes behind every mask, a function of (seed, purpose, step) and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from justright.core.seeds import child_seed

BLOCK = 16
"""Steps drawn at once: making a generator costs more than a small step's bytes (measured)."""


@dataclass
class ByteStream:
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

    seed: int
    purpose: str
    size: int
    _number: int = -1
    _block: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 0), np.uint8))

    def at(self, step: int) -> npt.NDArray[np.uint8]:
        """The bytes ``[size]`` of a step; valid until the next call."""
        number, row = divmod(step, BLOCK)
        if number != self._number:
            words = -(-self.size * BLOCK // 8)
            generator = np.random.SFC64(child_seed(self.seed, self.purpose, number))
            drawn = generator.random_raw(words).view(np.uint8)[: self.size * BLOCK]
            self._block, self._number = drawn.reshape(BLOCK, self.size), number
        return self._block[row]


def kept_levels(share: float) -> int:
    """How many of the 256 values of a byte mean "keep", for a share that is dropped.

    The kept share is exactly ``levels / 256`` and at least 1/256: the scale of what is kept uses
    it, so the expectation is exact whatever the rounding.

    >>> kept_levels(0.5), kept_levels(0.0)
    (128, 256)
    """
    return min(256, max(1, round(256 * (1.0 - share))))
