"""The masks of a step, made of random bytes that depend on seed, purpose and step only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import Numbers, used
from justright.nets.activations import RRELU_HIGH, RRELU_LOW
from justright.nets.forward import Noise
from justright.nets.masks import ByteStream, kept_levels

ALPHA_PRIME = -1.7580993408473766  # published: -λα of SELU (Klambauer et al. 2017)

NOTHING = Noise()

Bytes = npt.NDArray[np.uint8]


class NoiseSource:
    """Makes the `Noise` of each step of a chunk.

    Args:
        program: Shape and batch.
        seeds: One for each candidate.
        dtype: Type of the masks.
    """

    def __init__(self, program: Program, seeds: Sequence[int], dtype: torch.dtype) -> None:
        self._shape = program.net.shape
        self._batch = program.batch * program.net.shape.members  # rows that the body sees
        self._dtype = dtype
        hidden = self._shape.hidden
        units, blocks = self._batch * sum(hidden), self._batch * len(hidden)
        self._dropout = [ByteStream(seed, "dropout", units) for seed in seeds]
        self._slopes = [ByteStream(seed, "slopes", units) for seed in seeds]
        self._paths = [ByteStream(seed, "paths", blocks) for seed in seeds]
        ends = list(accumulate(self._batch * width for width in hidden))
        self._controls: Mapping[str, Numbers] = {}
        self._counts: list[int] = []
        self._dropped: list[bool] = []
        self._mixed: list[bool] = []
        self._skipped: list[bool] = []
        self._ranges = list(zip([0, *ends[:-1]], ends, hidden, strict=True))

    def begin(self, controls: Mapping[str, Numbers], counts: npt.NDArray[np.int64]) -> None:
        """Prepare a span.

        Args:
            controls: Controls ``[k, n]``.
            counts: Steps ``[k]`` each candidate has taken.
        """
        self._controls = controls
        self._counts = counts.tolist()
        self._dropped = used(controls["dropout"])
        self._mixed = used(controls["mixup"], 1.0)
        deep = self._shape.body == "residual"
        self._skipped = [deep and on for on in used(controls["stochastic_depth"])]

    def at(self, step: int) -> Noise:
        """The noise of a step of the span."""
        drawn = self._shape.activation == "rrelu"
        if not (drawn or self._dropped[step] or self._mixed[step] or self._skipped[step]):
            return NOTHING
        noise = Noise()
        counts = [count + step for count in self._counts]
        if self._dropped[step]:
            self._add_dropout(noise, self._controls["dropout"][:, step], counts)
        if self._skipped[step]:
            noise.paths = self._make_paths(self._controls["stochastic_depth"][:, step], counts)
        if drawn:
            noise.slopes = self._draw_slopes(counts)
        if self._mixed[step]:
            share = self._controls["mixup"][:, step].copy()
            noise.mixup = torch.from_numpy(share).to(self._dtype).view(-1, 1, 1)
        return noise

    def _draw_slopes(self, counts: Sequence[int]) -> list[Tensor]:
        drawn = torch.from_numpy(_draw(self._slopes, counts)).to(self._dtype)
        width = (RRELU_HIGH - RRELU_LOW) / 256
        return self._split(drawn.add_(0.5).mul_(width).add_(RRELU_LOW))

    def _add_dropout(self, noise: Noise, share: Numbers, counts: Sequence[int]) -> None:
        levels = np.array([kept_levels(value) for value in share])
        kept = _draw(self._dropout, counts) <= (levels - 1).astype(np.uint8)[:, None]
        mask = self._numbers(kept)
        q = levels / 256
        if self._shape.dropout_kind == "plain":
            noise.keep = self._split(mask.mul_(self._column(1 / q)))
            return
        # Klambauer et al. 2017: dropped units take α', then a x + b restores mean and variance.
        a = 1 / np.sqrt(q + ALPHA_PRIME**2 * q * (1 - q))
        b = -a * (1 - q) * ALPHA_PRIME
        mask.mul_(self._column(a))
        noise.keep = self._split(mask)
        noise.shift = self._split((mask * -ALPHA_PRIME).add_(self._column(a * ALPHA_PRIME + b)))

    def _make_paths(self, share: Numbers, counts: Sequence[int]) -> list[Tensor]:
        """A factor ``[k, rows, 1]`` a block; block l of L is skipped with share l / L."""
        blocks = len(self._shape.hidden)
        drawn = _draw(self._paths, counts).reshape(len(counts), blocks, self._batch)
        factors = []
        for index in range(blocks):
            levels = np.array([kept_levels(value * (index + 1) / blocks) for value in share])
            kept = drawn[:, index] <= (levels - 1).astype(np.uint8)[:, None]
            factor = self._numbers(kept).mul_(self._column(256 / levels))
            factors.append(factor.unsqueeze(-1))
        return factors

    def _numbers(self, kept: npt.NDArray[np.bool_]) -> Tensor:
        """0 and 1 as numbers; by way of bytes, since torch converts booleans 7 times slower."""
        return torch.from_numpy(kept.view(np.uint8)).to(self._dtype)

    def _column(self, values: Numbers) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float64)).to(self._dtype).unsqueeze(1)

    def _split(self, flat: Tensor) -> list[Tensor]:
        """``[k, rows * units]`` of all hidden layers, layer by layer."""
        k = flat.shape[0]
        return [
            flat[:, start:stop].view(k, self._batch, width) for start, stop, width in self._ranges
        ]


def _draw(streams: Sequence[ByteStream], counts: Sequence[int]) -> Bytes:
    return np.stack([s.at(count) for s, count in zip(streams, counts, strict=True)])
