"""The masks of a step, made of random bytes that depend on seed, purpose and step only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import Controls, Numbers
from justright.nets.activations import RRELU_HIGH, RRELU_LOW
from justright.nets.forward import Noise
from justright.nets.masks import ByteStream, kept_levels

ALPHA_PRIME = -1.7580993408473766  # published: -λα of SELU (Klambauer et al. 2017)

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
        self._batch = program.batch
        self._dtype = dtype
        hidden = self._shape.hidden
        units, blocks = program.batch * sum(hidden), program.batch * len(hidden)
        self._dropout = [ByteStream(seed, "dropout", units) for seed in seeds]
        self._slopes = [ByteStream(seed, "slopes", units) for seed in seeds]
        self._paths = [ByteStream(seed, "paths", blocks) for seed in seeds]
        ends = list(accumulate(program.batch * width for width in hidden))
        self._ranges = list(zip([0, *ends[:-1]], ends, hidden, strict=True))

    def at(self, controls: Controls, step: int, counts: npt.NDArray[np.int64]) -> Noise:
        """The noise of a step.

        Args:
            controls: Controls of the span.
            step: Step within the span.
            counts: Step ``[k]`` of each candidate since its beginning.
        """
        noise = Noise()
        dropout = controls.at("dropout", step)
        if dropout.any():
            self._add_dropout(noise, dropout, counts)
        depth = controls.at("stochastic_depth", step)
        if self._shape.body == "residual" and depth.any():
            noise.paths = self._make_paths(depth, counts)
        if self._shape.activation == "rrelu":
            drawn = torch.from_numpy(_draw(self._slopes, counts)).to(self._dtype)
            width = (RRELU_HIGH - RRELU_LOW) / 256
            noise.slopes = self._split(drawn.add_(0.5).mul_(width).add_(RRELU_LOW))
        share = controls.at("mixup", step)
        if (share != 1.0).any():
            noise.mixup = torch.from_numpy(share.copy()).to(self._dtype).view(-1, 1, 1)
        return noise

    def _add_dropout(self, noise: Noise, share: Numbers, counts: npt.NDArray[np.int64]) -> None:
        levels = np.array([kept_levels(value) for value in share])
        kept = _draw(self._dropout, counts) <= (levels - 1).astype(np.uint8)[:, None]
        mask = torch.from_numpy(kept).to(self._dtype)
        q = levels / 256
        if self._shape.dropout == "plain":
            noise.keep = self._split(mask.mul_(self._column(1 / q)))
            return
        # Klambauer et al. 2017: dropped units take α', then a x + b restores mean and variance.
        a = 1 / np.sqrt(q + ALPHA_PRIME**2 * q * (1 - q))
        b = -a * (1 - q) * ALPHA_PRIME
        mask.mul_(self._column(a))
        noise.keep = self._split(mask)
        noise.shift = self._split((mask * -ALPHA_PRIME).add_(self._column(a * ALPHA_PRIME + b)))

    def _make_paths(self, share: Numbers, counts: npt.NDArray[np.int64]) -> list[Tensor]:
        """A factor ``[k, rows, 1]`` a block; block l of L is skipped with share l / L."""
        blocks = len(self._shape.hidden)
        drawn = _draw(self._paths, counts).reshape(len(counts), blocks, self._batch)
        factors = []
        for index in range(blocks):
            levels = np.array([kept_levels(value * (index + 1) / blocks) for value in share])
            kept = drawn[:, index] <= (levels - 1).astype(np.uint8)[:, None]
            factor = torch.from_numpy(kept).to(self._dtype).mul_(self._column(256 / levels))
            factors.append(factor.unsqueeze(-1))
        return factors

    def _column(self, values: Numbers) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float64)).to(self._dtype).unsqueeze(1)

    def _split(self, flat: Tensor) -> list[Tensor]:
        """``[k, rows * units]`` of all hidden layers, layer by layer."""
        k = flat.shape[0]
        return [
            flat[:, start:stop].view(k, self._batch, width) for start, stop, width in self._ranges
        ]


def _draw(streams: Sequence[ByteStream], counts: npt.NDArray[np.int64]) -> Bytes:
    return np.stack([s.at(int(count)) for s, count in zip(streams, counts, strict=True)])
