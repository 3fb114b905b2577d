"""The rows of a stack as tensors: in memory where they fit, else fetched step by step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Array, Rows

IN_MEMORY = 1 << 30
"""Bytes up to which the rows are copied once (assumption: two workers then hold 2 GiB)."""


class Table:
    """Gathers batches of rows.

    Args:
        data: The encoded rows.
        dtype: Type of numbers; class codes stay int64 and category codes int32.
    """

    def __init__(self, data: Rows, dtype: torch.dtype) -> None:
        self.size = len(data)
        self._data = data
        self._dtype = dtype
        first = data.batch(np.zeros(1, np.int64))
        row_bytes = sum(np.asarray(value).nbytes for value in first.values())
        self._tensors: dict[str, Tensor] | None = None
        self._buffers: dict[tuple[str, int], Tensor] = {}
        if row_bytes * self.size * (2 if dtype == torch.float64 else 1) <= IN_MEMORY:
            self._tensors = self._convert(data.batch(np.arange(self.size)))

    def gather(
        self, rows: Tensor, shape: tuple[int, ...], *, reuse: bool = False
    ) -> Mapping[str, Tensor]:
        """The tensors of ``rows`` (flat, int32 or int64) in the leading shape given.

        Args:
            rows: Row numbers, ``prod(shape)`` of them.
            shape: Leading shape of the result.
            reuse: Write into buffers which the next such call of this size overwrites.
        """
        if self._tensors is None:
            fetched = self._convert(self._data.batch(rows.numpy()))
            return {n: v.view(*shape, *v.shape[1:]) for n, v in fetched.items()}
        found = {}
        for name, values in self._tensors.items():
            out = self._buffer(name, values, rows.shape[0]) if reuse else None
            found[name] = torch.index_select(values, 0, rows, out=out).view(
                *shape, *values.shape[1:]
            )
        return found

    def _buffer(self, name: str, values: Tensor, rows: int) -> Tensor:
        buffer = self._buffers.get((name, rows))
        if buffer is None:
            buffer = values.new_empty((rows, *values.shape[1:]))
            self._buffers[name, rows] = buffer
        return buffer

    def check(self, rows: Array) -> npt.NDArray[np.int32]:
        """The row numbers as int32.

        Raises:
            IndexError: If a row is outside the table.
        """
        checked = np.asarray(rows)
        if checked.size and (checked.min() < 0 or checked.max() >= self.size):
            raise IndexError(f"row {checked.min()}..{checked.max()} of {self.size} rows")
        return checked.astype(np.int32, copy=False)

    def _convert(self, batch: Mapping[str, Array]) -> dict[str, Tensor]:
        tensors = {}
        for name, values in batch.items():
            if name == "c" and values.shape[-1] == 0:
                continue
            array = np.ascontiguousarray(values)
            if not array.flags.writeable:
                array = array.copy()
            if array.dtype.kind == "f":
                tensors[name] = torch.from_numpy(array).to(self._dtype)
            else:
                tensors[name] = torch.from_numpy(array)
        return tensors
