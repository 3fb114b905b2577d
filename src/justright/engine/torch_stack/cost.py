"""What a step costs on this machine, and how many candidates a chunk should hold."""

from __future__ import annotations

from dataclasses import dataclass

from justright.engine.contract import Cost, Program
from justright.recipe.network import parameter_count

CHUNKS = (1, 2, 4, 8, 12, 16, 24, 32, 40)
"""Sizes tried; beyond 40 nothing was gained (measured)."""


@dataclass(frozen=True)
class CostModel:
    """Seconds of a chunk's step: overhead + arithmetic + memory traffic.

    Attributes:
        operation_s: Seconds of one tensor operation on nothing.
        product_s: Seconds of one multiply-add in a matrix product.
        number_s: Seconds to read and write one number that is in the cache.
        far_number_s: The same for a number beyond the cache.
    """

    operation_s: float = 4e-6
    product_s: float = 2.5e-11
    number_s: float = 2.5e-10
    far_number_s: float = 5e-10

    def chunk(self, program: Program, k: int) -> int:
        """Candidates a chunk should hold."""
        if max(program.net.shape.hidden) >= 256:
            return 1
        return min(k, 16)

    def cost(self, program: Program, k: int) -> Cost:
        """Predicted cost of one candidate among ``k``."""
        parameters = parameter_count(program.net)
        work = parameters * program.batch * 3 * self.product_s
        step = self.operation_s * 60 / self.chunk(program, k) + work
        return Cost(step, parameters * self.product_s, parameters * 24)


USUAL = CostModel()
"""Measured on one core of a 2.5 GHz Cascade Lake server."""
