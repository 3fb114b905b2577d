"""THE training loop: k candidates in flat buffers, a span of steps at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Array, Program
from justright.engine.torch_stack.controls import Controls, Numbers, column
from justright.engine.torch_stack.health import Health
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.losses import mixed_losses, weighted_mean
from justright.engine.torch_stack.noise import NoiseSource
from justright.engine.torch_stack.optimisers import RULES, Update
from justright.engine.torch_stack.state import State
from justright.engine.torch_stack.table import Table
from justright.nets.forward import Noise, Record, StackedNet


class Chunk:
    """k candidates that are trained at once.

    The parameters of all candidates are one buffer ``[k, size]``; the forward pass sees views of
    it, the gradient is gathered into a second one, and the update is a handful of operations on
    whole buffers.

    Args:
        program: What all candidates share.
        layout: Where each tensor lies.
        table: The rows.
        state: The candidates; the chunk owns and changes it.
    """

    def __init__(self, program: Program, layout: Layout, table: Table, state: State) -> None:
        self.state = state
        self._program = program
        self._layout = layout
        self._table = table
        self._net = StackedNet(program.net)
        p = state.flat["p"]
        self._leaves = {n: v.detach().requires_grad_() for n, v in layout.views(p).items()}
        self._gradient = torch.zeros_like(p)
        self._scratch = torch.zeros_like(p)
        self._factors = layout.factors(p.dtype)
        self._noise = NoiseSource(program, state.seeds, p.dtype)
        self._ones = torch.ones(p.shape[0], dtype=p.dtype)
        self._order = {name: place.start for name, place in layout.leaves.items()}
        self._sorted = sorted(self._leaves, key=self._order.__getitem__)

    def advance(
        self, order: npt.NDArray[np.int32], controls: Controls, samples: Sequence[int]
    ) -> tuple[npt.NDArray[np.float64], Mapping[str, Array]]:
        """Take ``n`` steps.

        Args:
            order: Rows ``[k, n, batch]``.
            controls: Controls ``[k, n]``.
            samples: Steps at which health is recorded.

        Returns:
            Training loss ``[k, n]`` (NaN for a candidate that was no longer alive), and health.
        """
        k, n, batch = order.shape
        steps = torch.from_numpy(np.ascontiguousarray(order.transpose(1, 0, 2))).view(n, -1)
        trace = np.full((k, n), np.nan)
        health = Health(self._layout, len(self._program.net.shape.hidden))
        for step in range(n):
            record = Record() if step in samples else None
            rows = self._table.gather(steps[step], (k, batch), reuse=True)
            noise = self._noise.at(controls, step, self.state.steps)
            loss = self._losses(rows, noise, record, controls, step)
            self._differentiate(loss)
            values = loss.detach().double().numpy()
            trace[self.state.alive, step] = values[self.state.alive]
            self._update(values, controls, step, None if record is None else health)
            if record is not None:
                health.add_activations(record.activations)
            self.state.steps[self.state.alive] += 1
        return trace, health.arrays()

    def _losses(
        self,
        rows: Mapping[str, Tensor],
        noise: Noise,
        record: Record | None,
        controls: Controls,
        step: int,
    ) -> Tensor:
        """Mean loss ``[k]`` of the step, with its graph."""
        outputs = self._net(self._leaves, self.state.kept, rows["x"], rows.get("c"), noise, record)
        smoothing = controls.at("smoothing", step)
        amount = column(smoothing, outputs.dtype) if smoothing.any() else None
        losses = mixed_losses(self._program.loss, outputs, rows["y"], amount, noise.mixup)
        return weighted_mean(losses, rows.get("w"))

    def _differentiate(self, loss: Tensor) -> None:
        """Gather the gradient of every candidate into the flat buffer."""
        leaves = [self._leaves[name] for name in self._sorted]
        parts = torch.autograd.grad(loss, leaves, self._ones)
        k = loss.shape[0]
        torch.cat([part.view(k, -1) for part in parts], dim=1, out=self._gradient)

    @torch.no_grad()
    def _update(
        self, losses: Numbers, controls: Controls, step: int, health: Health | None
    ) -> None:
        """Clip, shrink, apply the rule, average; candidates that are not finite stay frozen."""
        norms = torch.linalg.vector_norm(self._gradient, dim=1).double().numpy()
        frozen = self._freeze(losses, norms)
        self._clip(norms, controls.at("clip", step))
        before = None
        if health is not None:
            health.add_gradient(self._gradient)
            before = self.state.flat["p"].clone()
        average = self._begin_average(controls.at("ema", step))
        self._shrink(controls.at("shrink", step))
        flat = self.state.flat
        RULES[self._program.optimiser](
            Update(
                p=flat["p"],
                g=self._gradient,
                m=flat.get("m", self._scratch),
                v=flat.get("v", self._scratch),
                scratch=self._scratch,
                factors=self._factors,
                steps=(self.state.steps + 1).astype(np.float64),
                rate=controls.at("rate", step),
                beta1=controls.at("beta1", step),
                beta2=controls.at("beta2", step),
                products=self.state.products,
                epsilon=self._program.epsilon,
            )
        )
        if average is not None:
            flat["ema"].lerp_(flat["p"], average)
        for name, rows, values in frozen:
            flat[name][rows] = values
        if health is not None and before is not None:
            health.add_update(before, flat["p"])

    def _freeze(self, losses: Numbers, norms: Numbers) -> list[tuple[str, Tensor, Tensor]]:
        """Mark candidates whose loss or gradient is not finite; what dead ones must keep."""
        alive = self.state.alive
        if isfinite(float(losses.sum() + norms.sum())) and alive.all():
            return []
        alive &= np.isfinite(losses) & np.isfinite(norms)
        rows = torch.from_numpy(np.flatnonzero(~alive))
        if len(rows) == 0:  # finite values whose sum is not
            return []
        return [(name, rows, value[rows]) for name, value in self.state.flat.items()]

    def _clip(self, norms: Numbers, bounds: Numbers) -> None:
        if np.isinf(bounds).all():
            return
        with np.errstate(invalid="ignore"):
            scale = np.minimum(1.0, bounds / (norms + 1e-6))  # as torch's clip_grad_norm_
        if (scale < 1.0).any():
            self._gradient.mul_(column(scale, self._gradient.dtype))

    def _shrink(self, shares: Numbers) -> None:
        first = self._layout.first_shrinking
        if shares.any() and first < self._layout.size:
            p = self.state.flat["p"]
            p[:, first:].mul_(column(1.0 - shares, p.dtype))

    def _begin_average(self, weights: Numbers) -> float | Tensor | None:
        """The share of the new weights in the average; None while averages follow."""
        flat = self.state.flat
        if not weights.any():
            if self.state.alive.all():
                flat.pop("ema", None)
                return None
            if "ema" not in flat:
                return None
        elif "ema" not in flat:
            flat["ema"] = flat["p"].clone()
        return column(1.0 - weights, flat["p"].dtype)
