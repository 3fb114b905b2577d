"""The first layer and the heads of members, with their derivatives written out.

What `members.first_matrices` and `members.heads` compute, without autograd and in buffers that are
kept; between the two, the members' rows pass the body of `explicit` like any others.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from justright.nets.members import by_member


class FirstLayer:
    """``(x * scale * own) @ W + b`` of every member, from rows to ``rows * members``.

    Args:
        tensors: Learned tensors ``[k, ...]`` by name.
        gradients: Where their gradients go, by the same names.
        name: Name of the layer.
        batch: Rows of a step.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        name: str,
        batch: int,
    ) -> None:
        self._weight, self._bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        self._weight_gradient = gradients[f"{name}.weight"]
        self._bias_gradient = gradients[f"{name}.bias"]
        self._own, self._own_gradient = tensors["members.scale"], gradients["members.scale"]
        self._scale, self._scale_gradient = tensors.get("scale"), gradients.get("scale")
        k, members, inputs = self._own.shape
        units = self._weight.shape[2]
        self._factors = self._weight.new_empty((k, inputs, members))
        self._used = self._weight.new_empty((k, inputs, members, units))
        self._flow, self._scratch = torch.empty_like(self._used), torch.empty_like(self._used)
        self._biases = self._weight.new_empty((k, 1, members * units))
        self.out = self._weight.new_empty((k, batch * members, units))
        self._wide = self.out.view(k, batch, members * units)
        self._x = self.out

    def forward(self, x: Tensor) -> Tensor:
        """``[k, rows * members, units]`` of rows ``[k, rows, inputs]``."""
        self._x = x
        self._factors.copy_(self._own.transpose(1, 2))
        if self._scale is not None:
            self._factors.mul_(self._scale.unsqueeze(-1))
        torch.mul(self._weight.unsqueeze(2), self._factors.unsqueeze(-1), out=self._used)
        k, members, units = len(self._own), self._own.shape[1], self._bias.shape[1]
        self._biases.view(k, members, units).copy_(self._bias.unsqueeze(1))
        torch.baddbmm(self._biases, x, self._used.flatten(2), out=self._wide)
        return self.out

    def backward(self, flow: Tensor, into: Tensor | None) -> Tensor:
        """Gradients of the tensors, and of ``x`` where there is a place for it."""
        torch.sum(flow, dim=1, out=self._bias_gradient)
        wide = flow.view(self._wide.shape)
        torch.bmm(self._x.transpose(1, 2), wide, out=self._flow.flatten(2))
        torch.mul(self._flow, self._factors.unsqueeze(-1), out=self._scratch)
        torch.sum(self._scratch, dim=2, out=self._weight_gradient)
        self._flow.mul_(self._weight.unsqueeze(2))
        factors = self._flow.sum(-1)
        if self._scale is not None and self._scale_gradient is not None:
            shared = factors * self._own.transpose(1, 2)
            torch.sum(shared, dim=2, out=self._scale_gradient)
            factors.mul_(self._scale.unsqueeze(-1))
        self._own_gradient.copy_(factors.transpose(1, 2))
        if into is None:
            return flow
        return torch.bmm(wide, self._used.flatten(2).transpose(1, 2), out=into)


class Heads:
    """``h @ W + b`` with a matrix for each member.

    Args:
        tensors: Learned tensors ``[k, ...]`` by name.
        gradients: Where their gradients go, by the same names.
        batch: Rows of a step.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], gradients: Mapping[str, Tensor], batch: int
    ) -> None:
        self._weight, self._bias = tensors["head.weight"], tensors["head.bias"]
        self._weight_gradient = gradients["head.weight"]
        self._bias_gradient = gradients["head.bias"]
        k, members, units, outputs = self._weight.shape
        self._dims = (k, members, batch)
        # measured: a product with few columns takes a fifth of the time if they lie as rows
        self._turned = self._weight.new_empty((k * members, outputs, units))
        self._found = self._weight.new_empty((k * members, batch, outputs))
        self._flow = torch.empty_like(self._found)
        self._spread = self._weight.new_empty((k * members, batch, units))
        self.out = self._weight.new_empty((k, batch * members, outputs))
        self._h = self._spread

    def forward(self, h: Tensor) -> Tensor:
        """``[k, rows * members, outputs]`` of ``[k, rows * members, units]``."""
        k, members, batch = self._dims
        self._h = by_member(h, members)
        self._turned.unflatten(0, (k, members)).copy_(self._weight.transpose(2, 3))
        bias = self._bias.reshape(k * members, 1, -1)
        torch.baddbmm(bias, self._h, self._turned.transpose(1, 2), out=self._found)
        found = self._found.view(k, members, batch, -1).transpose(1, 2)
        self.out.view(k, batch, members, -1).copy_(found)
        return self.out

    def backward(self, flow: Tensor, into: Tensor) -> Tensor:
        """Gradients of the tensors, and of ``h`` in ``into``."""
        k, members, batch = self._dims
        place = self._flow.view(k, members, batch, -1)
        place.copy_(flow.reshape(k, batch, members, -1).transpose(1, 2))
        torch.sum(place, dim=2, out=self._bias_gradient)
        found = torch.bmm(self._flow.transpose(1, 2), self._h)
        self._weight_gradient.copy_(found.unflatten(0, (k, members)).transpose(2, 3))
        torch.bmm(self._flow, self._turned, out=self._spread)
        spread = self._spread.view(k, members, batch, -1).transpose(1, 2)
        into.view(k, batch, members, -1).copy_(spread)
        return into
