"""What enters the body, with its derivative written out: numbers, categories, the rest.

What `forward.StackedNet.entry` computes, without autograd and in buffers that are kept. The rows
lie in the last axis of every buffer of the numbers, so that each operation runs along them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, pi

import torch
from torch import Tensor

from justright.nets.forward import CATEGORIES
from justright.recipe.network import NetworkSpec


def has_explicit_entry(spec: NetworkSpec) -> bool:
    """Whether there are embeddings to learn."""
    inputs = spec.inputs
    return bool(inputs.categories) or (spec.shape.numbers != "none" and inputs.numbers > 0)


class ExplicitEntry:
    """The vector that enters the body, forwards and backwards.

    Args:
        spec: A network with embeddings (`has_explicit_entry`).
        tensors: Learned tensors ``[k, ...]`` by name.
        gradients: Where their gradients go, by the same names.
        kept: Kept tensors by name.
        batch: Rows of a step.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        kept: Mapping[str, Tensor],
        batch: int,
    ) -> None:
        any_tensor = next(iter(tensors.values()))
        k = any_tensor.shape[0]
        inputs, kind = spec.inputs, spec.shape.numbers
        self._out = any_tensor.new_empty((k, batch, spec.body_inputs))
        self._embedded = inputs.numbers if kind != "none" else 0
        self._width = self._embedded * spec.shape.number_width
        self._start = self._width + inputs.numbers + inputs.indicators - self._embedded
        self._numbers: _Periodic | _Piecewise | None = None
        if self._embedded:
            place = self._out[..., : self._width].unflatten(-1, (self._embedded, -1))
            place = place.permute(0, 2, 3, 1)
            if kind == "periodic":
                self._numbers = _Periodic(tensors, gradients, place)
            else:
                self._numbers = _Piecewise(tensors, gradients, place, kept["numbers.edges"])
        self._categories = None
        if inputs.categories:
            end = self._out[..., self._start :]
            self._categories = _Categories(tensors, gradients, end, inputs.categories)

    def forward(self, x: Tensor, c: Tensor | None) -> Tensor:
        """The entry ``[k, rows, inputs]``, in a buffer that the next call overwrites.

        Args:
            x: ``[k, rows, numbers + indicators]``.
            c: int ``[k, rows, categories]``, or None where there are none.
        """
        self._out[..., self._width : self._start].copy_(x[..., self._embedded :])
        if self._numbers is not None:
            self._numbers.forward(x[..., : self._embedded].transpose(1, 2))
        if self._categories is not None and c is not None:
            self._categories.forward(c)
        return self._out

    def backward(self, flow: Tensor) -> None:
        """Write every gradient; ``flow`` is that of the entry."""
        if self._numbers is not None:
            own = flow[..., : self._width].unflatten(-1, (self._embedded, -1))
            self._numbers.backward(own.permute(0, 2, 3, 1))
        if self._categories is not None:
            self._categories.backward(flow[..., self._start :])


class _Map:
    """``W features + b`` for each number, from ``[k, numbers, features, rows]``.

    Args:
        tensors: Learned tensors ``[k, ...]`` by name.
        gradients: Where their gradients go, by the same names.
        place: ``[k, numbers, width, rows]``, where the result belongs.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], gradients: Mapping[str, Tensor], place: Tensor
    ) -> None:
        self._place = place
        weight, bias = tensors["numbers.weight"], tensors["numbers.bias"]
        self._weight_gradient = gradients["numbers.weight"]
        self._bias_gradient = gradients["numbers.bias"]
        k, numbers, features, width = weight.shape
        rows = place.shape[-1]
        self.flat = (k * numbers, features, rows)
        self._weight, self._bias = weight, bias
        self.features = weight.new_empty((k, numbers, features, rows))
        self._out = weight.new_empty((k * numbers, width, rows))
        self._incoming = torch.empty_like(self._out)

    def forward(self) -> None:
        """Map what stands in `features`."""
        flat, features, _ = self.flat
        bias = self._bias.reshape(flat, -1, 1)
        weight = self._weight.reshape(flat, features, -1).transpose(1, 2)
        torch.baddbmm(bias, weight, self.features.view(self.flat), out=self._out)
        self._place.copy_(self._out.view(self._place.shape))

    def backward(self, flow: Tensor) -> Tensor:
        """Write the gradients; returns ``flow`` as ``[k * numbers, width, rows]``."""
        incoming = self._incoming
        parted = incoming.view(self._place.shape).copy_(flow)
        torch.sum(parted, dim=-1, out=self._bias_gradient)
        found = torch.bmm(self.features.view(self.flat), incoming.transpose(1, 2))
        self._weight_gradient.copy_(found.view(self._weight.shape))
        return incoming


class _Periodic:
    """``[W cos(2π x f + p) + b, x]`` for each number, as `embeddings.periodic`."""

    def __init__(
        self, tensors: Mapping[str, Tensor], gradients: Mapping[str, Tensor], place: Tensor
    ) -> None:
        self._map = _Map(tensors, gradients, place[:, :, :-1])
        self._raw_place = place[:, :, -1]
        self._frequency, self._phase = tensors["numbers.frequency"], tensors["numbers.phase"]
        self._weight = tensors["numbers.weight"]
        self._frequency_gradient = gradients["numbers.frequency"]
        self._phase_gradient = gradients["numbers.phase"]
        k, numbers, _, rows = place.shape
        self._x = place.new_empty((k, numbers, 1, rows))
        self._angle = torch.empty_like(self._map.features)
        self._flow = torch.empty_like(self._angle)
        # one product sums a flow over the rows, and its product with x
        self._sums = place.new_ones((k, numbers, rows, 2))

    def forward(self, x: Tensor) -> None:
        self._x.squeeze(2).copy_(x)
        scaled = self._frequency.unsqueeze(-1) * (2 * pi)
        torch.addcmul(self._phase.unsqueeze(-1), self._x, scaled, out=self._angle)
        torch.cos(self._angle, out=self._map.features)
        self._map.forward()
        self._raw_place.copy_(x)

    def backward(self, flow: Tensor) -> None:
        by_row = self._map.backward(flow[:, :, :-1])
        flat, frequencies, rows = self._map.flat
        inner = self._flow.view(flat, frequencies, rows)
        torch.bmm(self._weight.reshape(flat, frequencies, -1), by_row, out=inner)
        sine = torch.sin(self._angle, out=self._angle)
        self._flow.mul_(sine)
        self._sums[..., 1].copy_(self._x.squeeze(2))
        both = torch.bmm(inner, self._sums.view(flat, rows, 2)).view(*self._phase.shape, 2)
        torch.neg(both[..., 0], out=self._phase_gradient)
        torch.mul(both[..., 1], -2 * pi, out=self._frequency_gradient)


class _Piecewise:
    """Each number's bins and a linear map of them, as `embeddings.piecewise`."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        place: Tensor,
        edges: Tensor,
    ) -> None:
        self._map = _Map(tensors, gradients, place)
        span = edges.diff(dim=-1).unsqueeze(-1)
        self._low = edges[..., :-1].unsqueeze(-1)
        self._inverse = torch.where(span > 0, 1.0 / span, 0.0)  # an empty bin holds 0
        self._least, self._most = torch.zeros_like(span), torch.ones_like(span)
        self._least[:, :, 0], self._most[:, :, -1] = -inf, inf
        k, numbers, _, rows = place.shape
        self._x = place.new_empty((k, numbers, 1, rows))

    def forward(self, x: Tensor) -> None:
        filled = self._map.features
        self._x.squeeze(2).copy_(x)
        torch.sub(self._x, self._low, out=filled).mul_(self._inverse)
        # measured: filled with a clamp by tensors, bins take 1.3 to 5 times as long
        torch.maximum(filled, self._least, out=filled)
        torch.minimum(filled, self._most, out=filled)
        self._map.forward()

    def backward(self, flow: Tensor) -> None:
        self._map.backward(flow)


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
        self._place = out
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
