"""What some steps do to each hidden layer: the size of its gradient and of its update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from justright.engine.contract import Array
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.optimisers import Number

TINY = 1e-30
"""Bound below a matrix's norm: a matrix of zeros that moves has a huge ratio, not a division by
zero."""


class Health:
    """Collects the health of a chunk's steps (see `engine.contract.Trace`).

    Nothing of the step is computed differently for it, so a training that is watched gives the
    same numbers as one that is not.

    Args:
        layout: Where each matrix lies.
        layers: Hidden layers or blocks.
    """

    def __init__(self, layout: Layout, layers: int) -> None:
        self._places = [layout.places[f"layers.{index}.weight"] for index in range(layers)]
        self._samples: dict[str, list[Tensor]] = {"gradient_norm": [], "update_ratio": []}
        self._matrices: list[Tensor] = []

    def before(self, gradient: Tensor, parameters: Tensor, shrink: Number | None) -> None:
        """Record the gradient of a step, and where decay alone would leave the parameters.

        Args:
            gradient: ``[k, size]``, not clipped.
            parameters: ``[k, size]``.
            shrink: Factor on matrices; None where they do not shrink.
        """
        self._add("gradient_norm", [_norm(part) for part in self._parts(gradient)])
        factor = 1.0 if shrink is None else shrink
        self._matrices = [part * factor for part in self._parts(parameters)]

    def after(self, parameters: Tensor) -> None:
        """Record how far the gradient has taken the parameters from there."""
        both = zip(self._parts(parameters), self._matrices, strict=True)
        self._add("update_ratio", [_norm(p - old) / _norm(old).clamp_min(TINY) for p, old in both])

    def arrays(self) -> Mapping[str, Array]:
        """Name to ``[k, samples, layers]``; empty without samples."""
        return {
            name: np.stack([sample.numpy() for sample in samples], axis=1)
            for name, samples in self._samples.items()
            if samples
        }

    def _add(self, name: str, layers: Sequence[Tensor]) -> None:
        self._samples[name].append(torch.stack([v.double() for v in layers], dim=1))

    def _parts(self, flat: Tensor) -> list[Tensor]:
        return [flat[:, place.start : place.stop] for place in self._places]


def _norm(part: Tensor) -> Tensor:
    return torch.linalg.vector_norm(part, dim=1)
