"""Where each tensor lies in the flat buffer of a chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.nets.forward import CATEGORIES
from justright.nets.rates import rate_factors
from justright.recipe.network import tensor_shapes


@dataclass(frozen=True)
class Place:
    """One tensor of one candidate: ``flat[start:stop]`` in the shape ``shape``."""

    start: int
    stop: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Segment:
    """A run of the buffer with one rate factor, shrinking or not."""

    start: int
    stop: int
    factor: float
    shrinks: bool


@dataclass(frozen=True)
class Layout:
    """Order of all learned tensors in one flat row of ``size`` numbers.

    Tensors are sorted by (does it shrink, rate factor), so that everything the optimiser treats
    alike is contiguous and weight matrices come last; within that, the order of
    `recipe.network.tensor_shapes` stays, which keeps category tables side by side.

    Attributes:
        places: Every tensor by its name in `recipe.network`.
        leaves: What the forward pass sees: the same with category tables joined.
        segments: Runs that share rate factor and decay.
        size: Numbers of one candidate.
    """

    places: Mapping[str, Place]
    leaves: Mapping[str, Place]
    segments: tuple[Segment, ...]
    size: int

    @cached_property
    def first_shrinking(self) -> int:
        """Where the weight matrices begin."""
        return min((s.start for s in self.segments if s.shrinks), default=self.size)

    def factors(self, dtype: torch.dtype) -> Tensor | None:
        """Rate factor ``[size]`` of each number; None where all are 1."""
        if all(segment.factor == 1.0 for segment in self.segments):
            return None
        row = np.ones(self.size)
        for segment in self.segments:
            row[segment.start : segment.stop] = segment.factor
        return torch.from_numpy(row).to(dtype)

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Views ``[k, ...]`` of a buffer ``[k, size]`` for the forward pass."""
        return {
            name: flat[:, place.start : place.stop].view(flat.shape[0], *place.shape)
            for name, place in self.leaves.items()
        }


def make_layout(program: Program) -> Layout:
    """The layout of a program's tensors."""
    shapes = tensor_shapes(program.net)
    factors = rate_factors(program.net, program.optimiser, program.parametrisation)
    names = sorted(shapes, key=lambda name: (_shrinks(name), factors[name]))
    places: dict[str, Place] = {}
    segments: list[Segment] = []
    at = 0
    for name in names:
        stop = at + prod(shapes[name])
        places[name] = Place(at, stop, shapes[name])
        last = segments[-1] if segments else None
        if last and last.factor == factors[name] and last.shrinks == _shrinks(name):
            segments[-1] = Segment(last.start, stop, last.factor, last.shrinks)
        else:
            segments.append(Segment(at, stop, factors[name], _shrinks(name)))
        at = stop
    return Layout(places, _join_categories(places), tuple(segments), at)


def _shrinks(name: str) -> bool:
    """Decay is for matrices: not for biases, normalisers, slopes and the scale layer."""
    return name.endswith(".weight")


def _join_categories(places: Mapping[str, Place]) -> dict[str, Place]:
    tables = [p for name, p in places.items() if name.startswith("categories.")]
    leaves = {n: p for n, p in places.items() if not n.startswith("categories.")}
    if tables:
        rows, width = sum(p.shape[0] for p in tables), tables[0].shape[1]
        leaves[CATEGORIES] = Place(tables[0].start, tables[-1].stop, (rows, width))
    return leaves
