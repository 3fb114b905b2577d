"""The numbers of every step of a span, worked out once before the loop begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from justright.engine.contract import Program
from justright.engine.torch_stack.controls import Numbers, Series, series, used
from justright.engine.torch_stack.optimisers import RULES, Timing, Values, momentum_factors


class Plan:
    """What the loop looks up at each step.

    Args:
        program: Gives the update rule.
        controls: Controls ``[k, n]`` by name.
        steps: Steps ``[k]`` each candidate has taken.
        products: NAdam's product of momenta ``[k]`` so far.
        dtype: Type of columns.

    Attributes:
        controls: The controls as given.
        counts: For each step, its number for each candidate, from 1.
        products: NAdam's product ``[k, n]`` after each step.
        smoothing: Label smoothing of each step; None where there is none.
        clips: Bound ``[k]`` on the gradient's norm of each step; None where there is none.
        shrinks: Factor on weight matrices of each step; None where they do not shrink.
        averages: Weight of the new value in the average; None where averages follow.
    """

    def __init__(
        self,
        program: Program,
        controls: Mapping[str, Numbers],
        steps: npt.NDArray[np.int64],
        products: Numbers,
        dtype: torch.dtype,
    ) -> None:
        self.controls = controls
        n = controls["rate"].shape[1]
        numbers = (steps[:, None] + np.arange(1, n + 1)).astype(np.float64)
        self.counts: list[list[float]] = numbers.T.tolist()
        factors = momentum_factors(controls["beta1"], numbers)
        self.products = products[:, None] * np.cumprod(factors, axis=1)
        timing = Timing(
            rate=controls["rate"],
            beta1=controls["beta1"],
            beta2=controls["beta2"],
            step=numbers,
            epsilon=program.epsilon,
            momentum=self.products,
        )
        planned = RULES[program.optimiser].plan(timing)
        self._rule = {name: series(values, dtype) for name, values in planned.items()}
        self.smoothing = _where_used(controls["smoothing"], controls["smoothing"], dtype)
        self.shrinks = _where_used(controls["shrink"], 1.0 - controls["shrink"], dtype)
        self.averages = _where_used(controls["ema"], 1.0 - controls["ema"], dtype)
        clips = controls["clip"]
        self.clips = [clips[:, i] if on else None for i, on in enumerate(used(clips, np.inf))]

    def rule(self, step: int) -> Values:
        """The update rule's numbers of a step."""
        return {name: values[step] for name, values in self._rule.items()}


def _where_used(control: Numbers, values: Numbers, dtype: torch.dtype) -> list:
    spread: Series = series(values, dtype)
    return [value if on else None for value, on in zip(spread, used(control), strict=True)]
