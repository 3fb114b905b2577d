"""THE training loop: k candidates in flat buffers, a span of steps at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Array, Program
from justright.engine.torch_stack.controls import Numbers, series
from justright.engine.torch_stack.fused import FusedAdam, is_fused
from justright.engine.torch_stack.gradients import differentiator
from justright.engine.torch_stack.health import Health
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.noise import NoiseSource
from justright.engine.torch_stack.optimisers import RULES, Buffers, Number
from justright.engine.torch_stack.plan import Plan
from justright.engine.torch_stack.state import State
from justright.engine.torch_stack.table import Table


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
        p = state.flat["p"]
        self._gradient = torch.zeros_like(p)
        self._scratch = torch.zeros_like(p)
        self._matrices = p[:, layout.first_shrinking :]
        self._buffers = Buffers(
            p=p,
            g=self._gradient,
            m=state.flat.get("m", self._scratch),
            v=state.flat.get("v", self._scratch),
            scratch=self._scratch,
            factors=layout.factors(p.dtype),
        )
        self._fused = None
        if is_fused(program, layout):
            self._fused = FusedAdam(layout, state.flat, self._gradient, program.epsilon)
        self._noise = NoiseSource(program, state.seeds, p.dtype)
        self._differentiate = differentiator(program, layout, p, state.kept, self._gradient)

    def advance(
        self,
        order: npt.NDArray[np.int32],
        controls: Mapping[str, Numbers],
        samples: Sequence[int],
    ) -> tuple[Numbers, Numbers, Mapping[str, Array]]:
        """Take ``n`` steps.

        Args:
            order: Rows ``[k, n, batch]``.
            controls: Every control ``[k, n]``.
            samples: Steps at which health is recorded.

        Returns:
            Training loss and norm of the gradient ``[k, n]`` (NaN for a candidate that was no
            longer alive), and health.
        """
        k, n, batch = order.shape
        state = self.state
        rows_of = torch.from_numpy(np.ascontiguousarray(order.transpose(1, 0, 2))).view(n, -1)
        plan = Plan(self._program, controls, state.steps, state.products, self._scratch.dtype)
        self._noise.begin(controls, state.steps)
        trace, sizes = np.full((k, n), np.nan), np.full((k, n), np.nan)
        taken = np.zeros(k, np.int64)
        health = Health(self._layout, len(self._program.net.shape.hidden))
        wanted = set(samples)
        for step in range(n):
            rows = self._table.gather(rows_of[step], (k, batch), reuse=True)
            noise = self._noise.at(step)
            loss = self._differentiate(rows, noise, plan.smoothing[step]).numpy()
            norm = torch.linalg.vector_norm(self._gradient, dim=1).numpy()
            trace[state.alive, step] = loss[state.alive]
            sizes[state.alive, step] = norm[state.alive]
            self._update(loss, norm, plan, step, health if step in wanted else None)
            taken += state.alive
        state.steps += taken
        moved = taken > 0
        state.products[moved] = plan.products[moved, taken[moved] - 1]
        return trace, sizes, health.arrays()

    @torch.no_grad()
    def _update(
        self,
        losses: npt.NDArray[np.floating],
        norms: npt.NDArray[np.floating],
        plan: Plan,
        step: int,
        health: Health | None,
    ) -> None:
        """Clip, shrink, apply the rule, average; candidates that are not finite stay frozen."""
        frozen = self._freeze(losses, norms)
        p = self.state.flat["p"]
        if health is not None:
            health.before(self._gradient, p, plan.shrinks[step])
        clip = plan.clips[step]
        if clip is not None:
            self._clip(norms, clip)
        average = self._begin_average(plan.averages[step])
        self._apply(plan, step)
        if average is not None:
            self.state.flat["ema"].lerp_(p, average)
        for name, rows, values in frozen:
            if name in self.state.flat:
                self.state.flat[name][rows] = values
        if health is not None:
            health.after(p)

    def _apply(self, plan: Plan, step: int) -> None:
        if self._fused is not None:
            self._fused.step(plan.controls, step, plan.counts[step])
            return
        shrink = plan.shrinks[step]
        if shrink is not None:
            self._matrices.mul_(shrink)
        RULES[self._program.optimiser].apply(self._buffers, plan.rule(step))

    def _freeze(
        self, losses: npt.NDArray[np.floating], norms: npt.NDArray[np.floating]
    ) -> list[tuple[str, Tensor, Tensor]]:
        """Mark candidates whose loss or gradient is not finite; what dead ones must keep."""
        alive = self.state.alive
        if isfinite(sum(losses.tolist()) + sum(norms.tolist())) and alive.all():
            return []
        alive &= np.isfinite(losses) & np.isfinite(norms)
        rows = torch.from_numpy(np.flatnonzero(~alive))
        if len(rows) == 0:  # finite values whose sum is not
            return []
        flat = {"ema": self.state.flat["p"], **self.state.flat}  # an average may begin now
        return [(name, rows, value[rows]) for name, value in flat.items()]

    def _clip(self, norms: npt.NDArray[np.floating], bounds: Numbers) -> None:
        with np.errstate(invalid="ignore"):
            scale = np.minimum(1.0, bounds / (norms.astype(np.float64) + 1e-6))  # as torch's
        if (scale < 1.0).any():
            self._gradient.mul_(series(scale[:, None], self._gradient.dtype)[0])

    def _begin_average(self, weight: Number | None) -> Number | None:
        """The share of the new weights in the average; None while averages follow."""
        flat = self.state.flat
        if weight is None and self.state.alive.all():
            flat.pop("ema", None)  # it follows: no buffer, no pass
        if weight is None:
            return 1.0 if "ema" in flat else None
        if "ema" not in flat:
            flat["ema"] = flat["p"].clone()
        return weight
