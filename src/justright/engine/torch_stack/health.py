"""What the network looks like from inside at some steps: four numbers a hidden layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from justright.engine.contract import Array
from justright.engine.torch_stack.layout import Layout


class Health:
    """Collects health samples of a chunk.

    "activation_std" is the deviation of a layer's activations over rows and units, "dead_share"
    the share of its units that give every row of the batch the same value, "gradient_norm" the
    norm of its matrix's gradient after clipping, "update_ratio" the norm of its matrix's step over
    the norm of the matrix.

    Args:
        layout: Where each matrix lies.
        layers: Hidden layers or blocks.
    """

    def __init__(self, layout: Layout, layers: int) -> None:
        self._places = [layout.places[f"layers.{index}.weight"] for index in range(layers)]
        names = ("activation_std", "gradient_norm", "update_ratio", "dead_share")
        self._samples: dict[str, list[Tensor]] = {name: [] for name in names}

    def add_activations(self, layers: Sequence[Tensor]) -> None:
        """Record hidden activations ``[k, rows, units]``, one tensor a layer."""
        deviation = [h.std(dim=(1, 2), correction=0) for h in layers]
        dead = [(h.amax(1) == h.amin(1)).double().mean(1) for h in layers]
        self._add("activation_std", deviation)
        self._add("dead_share", dead)

    def add_gradient(self, gradient: Tensor) -> None:
        """Record the gradient ``[k, size]``."""
        self._add("gradient_norm", self._norms(gradient))

    def add_update(self, before: Tensor, after: Tensor) -> None:
        """Record a step from one buffer of parameters to the next."""
        moved, size = self._norms(after - before), self._norms(before)
        ratios = [m / s.clamp_min(1e-30) for m, s in zip(moved, size, strict=True)]
        self._add("update_ratio", ratios)

    def arrays(self) -> Mapping[str, Array]:
        """Name to ``[k, samples, layers]``; empty without samples."""
        return {
            name: np.stack([sample.numpy() for sample in samples], axis=1)
            for name, samples in self._samples.items()
            if samples
        }

    def _add(self, name: str, layers: Sequence[Tensor]) -> None:
        self._samples[name].append(torch.stack([v.double() for v in layers], dim=1))

    def _norms(self, flat: Tensor) -> list[Tensor]:
        return [torch.linalg.vector_norm(flat[:, p.start : p.stop], dim=1) for p in self._places]
