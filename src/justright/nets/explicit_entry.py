"""What enters the body, with its derivative written out: periodic numbers, categories, the rest.

What `forward.StackedNet.entry` computes, without autograd and in buffers that are kept. The rows
lie in the last axis of every buffer of the numbers, so that each operation runs along them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi

import torch
from torch import Tensor

from justright.nets.forward import CATEGORIES
from justright.recipe.network import NetworkSpec


def has_explicit_entry(spec: NetworkSpec) -> bool:
    """Whether this file knows the network's embeddings, and there are any to learn."""
    inputs, kind = spec.inputs, spec.shape.numbers
    periodic = kind == "periodic" and inputs.numbers > 0
    return periodic or (bool(inputs.categories) and not (kind != "none" and inputs.numbers))


class ExplicitEntry:
    """The vector that enters the body, forwards and backwards.

    Args:
        spec: A network that `has_explicit_entry` knows.
        tensors: Learned tensors ``[k, ...]`` by name.
        gradients: Where their gradients go, by the same names.
        batch: Rows of a step.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        batch: int,
    ) -> None:
        any_tensor = next(iter(tensors.values()))
        k = any_tensor.shape[0]
        inputs = spec.inputs
        self._out = any_tensor.new_empty((k, batch, spec.body_inputs))
        periodic = spec.shape.numbers == "periodic" and inputs.numbers > 0
        self._numbers = inputs.numbers if periodic else 0
        width = self._numbers * spec.shape.number_width
        rest = inputs.numbers + inputs.indicators - self._numbers
        self._rest = self._out[..., width : width + rest]
        self._parts: list[_Periodic | _Categories] = []
        if periodic:
            self._parts.append(_Periodic(tensors, gradients, self._out[..., :width]))
        if inputs.categories:
            end = self._out[..., width + rest :]
            self._parts.append(_Categories(tensors, gradients, end, inputs.categories))
        self._starts = [0 if isinstance(part, _Periodic) else width + rest for part in self._parts]

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        """The entry ``[k, rows, inputs]``, in a buffer that the next call overwrites.

        Args:
            x: ``[k, rows, numbers + indicators]``.
            c: int ``[k, rows, categories]``, or None where there are none.
        """
        self._rest.copy_(x[..., self._numbers :])
        for part in self._parts:
            if isinstance(part, _Periodic):
                part.forward(x[..., : self._numbers])
            elif c is not None:
                part.forward(c)
        return self._out

    def backward(self, flow: Tensor) -> None:
        """Write every gradient; ``flow`` is that of the entry."""
        for part, start in zip(self._parts, self._starts, strict=True):
            part.backward(flow[..., start : start + part.width])


class _Periodic:
    """``[W cos(2π x f + p) + b, x]`` for each number, as `embeddings.periodic`."""

    def __init__(
        self, tensors: Mapping[str, Tensor], gradients: Mapping[str, Tensor], out: Tensor
    ) -> None:
        self._frequency = tensors["numbers.frequency"]
        self._phase = tensors["numbers.phase"]
        self._weight, self._bias = tensors["numbers.weight"], tensors["numbers.bias"]
        self._gradients = {
            name: gradients[f"numbers.{name}"] for name in ("frequency", "phase", "weight", "bias")
        }
        k, numbers, frequencies, learned = self._weight.shape
        batch, self.width = out.shape[1], out.shape[2]
        place = out.view(k, batch, numbers, learned + 1).permute(0, 2, 3, 1)
        self._learned_place, self._raw_place = place[:, :, :learned], place[:, :, learned]
        flat = k * numbers
        self._x = out.new_empty((k, numbers, 1, batch))
        self._angle = out.new_empty((k, numbers, frequencies, batch))
        self._cosine = torch.empty_like(self._angle)
        self._flow = torch.empty_like(self._angle)
        self._learned = out.new_empty((flat, learned, batch))
        self._incoming = out.new_empty((k, numbers, learned, batch))
        # one product sums a flow over the rows, and its product with x
        self._sums = out.new_ones((k, numbers, batch, 2))
        self._dims = (k, numbers, frequencies, learned, batch)

    def forward(self, x: Tensor) -> None:
        k, numbers, frequencies, learned, batch = self._dims
        flat = k * numbers
        self._x.squeeze(2).copy_(x.transpose(1, 2))
        scaled = self._frequency.unsqueeze(-1) * (2 * pi)
        torch.addcmul(self._phase.unsqueeze(-1), self._x, scaled, out=self._angle)
        torch.cos(self._angle, out=self._cosine)
        torch.baddbmm(
            self._bias.reshape(flat, learned, 1),
            self._weight.reshape(flat, frequencies, learned).transpose(1, 2),
            self._cosine.view(flat, frequencies, batch),
            out=self._learned,
        )
        self._learned_place.copy_(self._learned.view(k, numbers, learned, batch))
        self._raw_place.copy_(self._x.squeeze(2))

    def backward(self, flow: Tensor) -> None:
        k, numbers, frequencies, learned, batch = self._dims
        flat = k * numbers
        turned = flow.reshape(k, batch, numbers, learned + 1).permute(0, 2, 3, 1)
        incoming = self._incoming.copy_(turned[:, :, :learned])
        torch.sum(incoming, dim=-1, out=self._gradients["bias"])
        by_row = incoming.view(flat, learned, batch)
        found = torch.bmm(self._cosine.view(flat, frequencies, batch), by_row.transpose(1, 2))
        self._gradients["weight"].copy_(found.view(k, numbers, frequencies, learned))
        inner = self._flow.view(flat, frequencies, batch)
        torch.bmm(self._weight.reshape(flat, frequencies, learned), by_row, out=inner)
        sine = torch.sin(self._angle, out=self._angle)
        self._flow.mul_(sine)
        self._sums[..., 1].copy_(self._x.squeeze(2))
        both = torch.bmm(inner, self._sums.view(flat, batch, 2)).view(k, numbers, frequencies, 2)
        torch.neg(both[..., 0], out=self._gradients["phase"])
        torch.mul(both[..., 1], -2 * pi, out=self._gradients["frequency"])


class _Categories:
    """Rows of all category tables, as `embeddings.categories`."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        out: Tensor,
        sizes: tuple[int, ...],
    ) -> None:
        self._tables, self._gradient = tensors[CATEGORIES], gradients[CATEGORIES]
        k, values, self._table_width = self._tables.shape
        self.width, self._place = out.shape[2], out
        starts = [0]
        for size in sizes[:-1]:
            starts.append(starts[-1] + size)
        self._offsets = torch.tensor(starts) + torch.arange(k).view(k, 1, 1) * values
        self._rows = torch.empty(0, dtype=torch.int64)
        self._found = out.new_empty((k * values, self._table_width))

    def forward(self, c: Tensor) -> None:
        self._rows = (c + self._offsets).flatten()
        found = self._tables.reshape(-1, self._table_width).index_select(0, self._rows)
        self._place.copy_(found.view(self._place.shape))

    def backward(self, flow: Tensor) -> None:
        incoming = flow.reshape(-1, self._table_width)
        found = self._found.zero_().index_add_(0, self._rows, incoming)
        self._gradient.copy_(found.view(self._gradient.shape))
