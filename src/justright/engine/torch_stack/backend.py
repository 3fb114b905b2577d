"""The torch backend."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from justright.engine.contract import Candidate, Cost, Program, Rows
from justright.engine.cost import USUAL, CostModel
from justright.engine.torch_stack.stack import TorchStack
from justright.engine.torch_stack.table import Table


class TorchBackend:
    """Trains native networks on one CPU thread (see `engine.contract.Backend`).

    Args:
        model: Prices programs and chooses the size of chunks.
    """

    name = "torch"

    def __init__(self, model: CostModel = USUAL) -> None:
        self._model = model

    def accepts(self, program: Program) -> str | None:
        """None if it can run the program, else the reason why not."""
        shape, inputs = program.net.shape, program.net.inputs
        if not shape.hidden:
            return "a network needs at least one hidden layer"
        if shape.body == "residual" and len(set(shape.hidden)) > 1:
            return f"residual blocks need one width, not {shape.hidden}"
        if shape.members < 1:
            return f"a network has at least one member, not {shape.members}"
        if program.net.body_inputs == 0:
            return "the network has no inputs"
        if shape.numbers == "periodic" and shape.number_width < 2:
            return "a periodic embedding needs a width of at least 2: the raw value is one"
        return None if inputs.outputs > 0 else "the network has no outputs"

    def cost(self, program: Program, k: int) -> Cost:
        """Predicted cost of a candidate among ``k``."""
        return self._model.cost(program, k)

    def open(self, program: Program, data: Rows, candidates: Sequence[Candidate]) -> TorchStack:
        """Start a stack.

        Raises:
            ValueError: If the backend does not accept the program.
        """
        reason = self.accepts(program)
        if reason is not None:
            raise ValueError(reason)
        torch.set_num_threads(1)  # measured: more threads lose on a busy machine
        dtype = torch.float64 if program.dtype == "float64" else torch.float32
        chunk = self._model.chunk(program, len(candidates))
        return TorchStack(program, Table(data, dtype), candidates, chunk)
