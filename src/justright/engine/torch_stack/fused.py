"""Adam for large candidates: torch's own one-pass kernel, candidate by candidate.

The rules in `optimisers` make about ten passes over their buffers. That is cheap while a chunk
fits the cache and calls are what costs; for large networks the passes cost, and the kernel behind
``torch.optim.AdamW(fused=True)`` makes one (measured at width 256: 0.4 instead of 1.3 ms a step).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import Numbers
from justright.engine.torch_stack.layout import Layout, Segment

LARGE = 20_000
"""Numbers of a candidate from which on the kernel is used (measured: break-even near 15,000)."""


def is_fused(program: Program, layout: Layout) -> bool:
    """Whether a program's update uses the one-pass kernel; never a question of membership."""
    return program.optimiser in ("adam", "adamw") and layout.size >= LARGE


class FusedAdam:
    """The update of a chunk of large candidates.

    Args:
        layout: Its segments are updated one by one, each with its own rate.
        flat: Buffers "p", "m" and "v" ``[k, size]``.
        gradient: ``[k, size]``.
        epsilon: The rule's ε.
    """

    def __init__(
        self, layout: Layout, flat: Mapping[str, Tensor], gradient: Tensor, epsilon: float
    ) -> None:
        self._segments = layout.segments
        self._epsilon = epsilon
        self._step = torch.zeros((), dtype=torch.float32)
        buffers = (flat["p"], gradient, flat["m"], flat["v"])
        self._parts = [
            [
                tuple(buffer[row, part.start : part.stop] for buffer in buffers)
                for part in layout.segments
            ]
            for row in range(gradient.shape[0])
        ]

    def step(self, controls: Mapping[str, Numbers], at: int, counts: list[float]) -> None:
        """Update every candidate.

        Args:
            controls: Controls ``[k, n]``; "shrink" is applied here.
            at: Step within the span.
            counts: Number of the step for each candidate, from 1.
        """
        for row, parts in enumerate(self._parts):
            rate, shrink = float(controls["rate"][row, at]), float(controls["shrink"][row, at])
            beta1, beta2 = float(controls["beta1"][row, at]), float(controls["beta2"][row, at])
            self._step.fill_(counts[row])
            for segment, (p, g, m, v) in zip(self._segments, parts, strict=True):
                own = rate * segment.factor
                torch._fused_adamw_(
                    [p],
                    [g],
                    [m],
                    [v],
                    [],
                    [self._step],
                    lr=own,
                    beta1=beta1,
                    beta2=beta2,
                    weight_decay=_decay(segment, own, shrink, p),
                    eps=self._epsilon,
                    amsgrad=False,
                    maximize=False,
                )


def _decay(segment: Segment, rate: float, shrink: float, p: Tensor) -> float:
    """The decay whose product with the rate is the share asked for."""
    if not segment.shrinks or shrink == 0.0:
        return 0.0
    if rate == 0.0:
        p.mul_(1.0 - shrink)
        return 0.0
    return shrink / rate
