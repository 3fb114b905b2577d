"""The masks of a step, made of random bytes that depend on seed, purpose and step only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import Numbers, used
from justright.nets.activations import RRELU_HIGH, RRELU_LOW
from justright.nets.forward import Noise
from justright.nets.masks import ByteStream, NormalStream, kept_levels
from justright.recipe.network import NetworkSpec

ALPHA_PRIME = -1.7580993408473766  # published: -λα of SELU (Klambauer et al. 2017)

NOTHING = Noise()

Drawn = npt.NDArray[Any]


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
        self._rows, self._numbers = program.batch, program.net.inputs.numbers
        self._places = _places(program.net)
        silenced, shaken = self._rows * (int(self._places[-1]) + 1), self._rows * self._numbers
        self._inputs = [ByteStream(seed, "inputs", silenced) for seed in seeds]
        self._jitter = [NormalStream(seed, "jitter", shaken) for seed in seeds]
        ends = list(accumulate(self._batch * width for width in hidden))
        self._controls: Mapping[str, Numbers] = {}
        self._counts: list[int] = []
        self._whole = True
        self._dropped: list[bool] = []
        self._silenced: list[bool] = []
        self._shaken: list[bool] = []
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
        layers = controls["dropout_layers"]
        self._whole = bool((layers >= len(self._shape.hidden)).all())
        self._dropped = used(controls["dropout"] * (layers >= 1))
        self._silenced = used(controls["input_dropout"])
        some = self._numbers > 0
        self._shaken = [some and on for on in used(controls["input_noise"])]
        self._mixed = used(controls["mixup"], 1.0)
        deep = self._shape.body == "residual"
        self._skipped = [deep and on for on in used(controls["stochastic_depth"])]

    def at(self, step: int) -> Noise:
        """The noise of a step of the span."""
        drawn = self._shape.activation == "rrelu"
        inside = drawn or self._dropped[step] or self._mixed[step] or self._skipped[step]
        if not (inside or self._silenced[step] or self._shaken[step]):
            return NOTHING
        noise = Noise()
        counts = [count + step for count in self._counts]
        if self._silenced[step]:
            noise.inputs = self._silence(self._controls["input_dropout"][:, step], counts)
        if self._shaken[step]:
            noise.jitter = self._shake(self._controls["input_noise"][:, step], counts)
        if self._dropped[step]:
            self._add_dropout(noise, step, counts)
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

    def _silence(self, share: Numbers, counts: Sequence[int]) -> Tensor:
        """A factor ``[k, rows, inputs]``, one for all numbers that a column is embedded in."""
        levels = np.array([kept_levels(value) for value in share])
        kept = _draw(self._inputs, counts) <= (levels - 1).astype(np.uint8)[:, None]
        factor = self._as_numbers(kept).mul_(self._column(256 / levels))
        return factor.view(len(counts), self._rows, -1).index_select(2, self._places)

    def _shake(self, deviation: Numbers, counts: Sequence[int]) -> Tensor:
        """Normal noise ``[k, rows, numbers]``."""
        drawn = torch.from_numpy(_draw(self._jitter, counts)).to(self._dtype)
        return drawn.mul_(self._column(deviation)).view(len(counts), self._rows, -1)

    def _add_dropout(self, noise: Noise, step: int, counts: Sequence[int]) -> None:
        levels = np.array([kept_levels(value) for value in self._controls["dropout"][:, step]])
        layers = self._controls["dropout_layers"][:, step]
        bare = 0 if self._whole else int(max(len(self._ranges) - layers.max(), 0))
        drawn = _draw(self._dropout, counts)[:, self._ranges[bare][0] :]
        mask = self._as_numbers(drawn <= (levels - 1).astype(np.uint8)[:, None])
        q = levels / 256
        if self._shape.dropout_kind == "plain":
            keep = self._split(mask.mul_(self._column(1 / q)), bare)
            noise.keep = self._behind(keep, layers, 1.0)
            return
        # Klambauer et al. 2017: dropped units take α', then a x + b restores mean and variance.
        a = 1 / np.sqrt(q + ALPHA_PRIME**2 * q * (1 - q))
        b = -a * (1 - q) * ALPHA_PRIME
        mask.mul_(self._column(a))
        shift = (mask * -ALPHA_PRIME).add_(self._column(a * ALPHA_PRIME + b))
        noise.keep = self._behind(self._split(mask, bare), layers, 1.0)
        noise.shift = self._behind(self._split(shift, bare), layers, 0.0)

    def _behind(
        self, found: Sequence[Tensor], layers: Numbers, neutral: float
    ) -> Sequence[Tensor | None]:
        """What the last ``layers`` of each candidate have; None in front of all of them."""
        if self._whole:
            return found
        for left, values in zip(range(len(found), 0, -1), found, strict=True):
            values[torch.from_numpy(layers < left)] = neutral
        return [*[None] * (len(self._ranges) - len(found)), *found]

    def _make_paths(self, share: Numbers, counts: Sequence[int]) -> list[Tensor]:
        """A factor ``[k, rows, 1]`` a block; block l of L is skipped with share l / L."""
        blocks = len(self._shape.hidden)
        drawn = _draw(self._paths, counts).reshape(len(counts), blocks, self._batch)
        factors = []
        for index in range(blocks):
            levels = np.array([kept_levels(value * (index + 1) / blocks) for value in share])
            kept = drawn[:, index] <= (levels - 1).astype(np.uint8)[:, None]
            factor = self._as_numbers(kept).mul_(self._column(256 / levels))
            factors.append(factor.unsqueeze(-1))
        return factors

    def _as_numbers(self, kept: npt.NDArray[np.bool_]) -> Tensor:
        """0 and 1 as numbers; by way of bytes, since torch converts booleans 7 times slower."""
        return torch.from_numpy(kept.view(np.uint8)).to(self._dtype)

    def _column(self, values: Numbers) -> Tensor:
        return torch.from_numpy(np.array(values, np.float64)).to(self._dtype).unsqueeze(1)

    def _split(self, flat: Tensor, first: int = 0) -> list[Tensor]:
        """``[k, rows * units]`` of the hidden layers from the first on, layer by layer."""
        k, begin = flat.shape[0], self._ranges[first][0]
        return [
            flat[:, start - begin : stop - begin].view(k, self._batch, width)
            for start, stop, width in self._ranges[first:]
        ]


def _places(net: NetworkSpec) -> Tensor:
    """For each number that enters the body, which input it stands for: int64 ``[inputs]``."""
    inputs, shape = net.inputs, net.shape
    widths = [1 if shape.numbers == "none" else shape.number_width] * inputs.numbers
    widths += [1] * inputs.indicators + [shape.category_width] * len(inputs.categories)
    return torch.from_numpy(np.repeat(np.arange(len(widths)), widths))


def _draw(streams: Sequence[ByteStream | NormalStream], counts: Sequence[int]) -> Drawn:
    return np.stack([s.at(count) for s, count in zip(streams, counts, strict=True)])
