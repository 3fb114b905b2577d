"""The plain perceptron with its derivative written out, in buffers that are kept.

What `forward.StackedNet` computes for these networks, without autograd: its graph and its
temporaries cost as much as the arithmetic of a small network (measured: a step of 16 candidates
takes 1.4 to 2 times as long). Tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from justright.nets.activations import ACTIVATIONS
from justright.nets.explicit_members import FirstLayer, Heads
from justright.nets.forward import Noise
from justright.recipe.network import NetworkSpec


def is_explicit(spec: NetworkSpec) -> bool:
    """Whether a network's body is one that this file knows."""
    shape = spec.shape
    known = ACTIVATIONS[shape.activation].derivative is not None
    return shape.body == "mlp" and shape.normaliser == "none" and known


class ExplicitBody:
    """Body and head of a perceptron, forwards and backwards.

    Args:
        spec: A network that `is_explicit` knows.
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
        self._activation = ACTIVATIONS[spec.shape.activation]
        names = [f"layers.{index}" for index in range(len(spec.shape.hidden))]
        scale, members = tensors.get("scale"), spec.shape.members
        grown = None if scale is None else gradients["scale"]
        if members == 1:
            first = _Linear(tensors, gradients, names[0], batch, scale, grown)
            self._head = _Linear(tensors, gradients, "head", batch)
        else:
            first = FirstLayer(tensors, gradients, names[0], batch)
            self._head = Heads(tensors, gradients, batch)
        inner = [_Linear(tensors, gradients, name, batch * members) for name in names[1:]]
        self._hidden = [first, *inner]
        self._flows = [layer.out.new_empty(layer.out.shape) for layer in self._hidden]
        self._dropped = [layer.out.new_empty(layer.out.shape) for layer in self._hidden]
        self._entry_flow = first.out.new_empty((len(first.out), batch, spec.body_inputs))
        self._saved: list[Tensor] = []
        self._noise = Noise()

    def forward(self, entry: Tensor, noise: Noise) -> Tensor:
        """Outputs as those of `forward.StackedNet`, in a buffer the next call overwrites."""
        self._noise, self._saved = noise, []
        h = entry
        for index, layer in enumerate(self._hidden):
            z = layer.forward(h)
            keep, shift = noise.kept(index)
            early = self._activation.homogeneous and shift is None
            if early and keep is not None:
                z.mul_(keep)
            h = self._activation.function(z)
            self._saved.append(h if self._activation.from_result else z)
            if keep is not None and not early:
                h = self._drop(index, h, keep, shift)
        return self._head.forward(h)

    def backward(self, flow: Tensor, *, into_entry: bool) -> Tensor | None:
        """Write every gradient; ``flow`` is that of the outputs.

        Args:
            flow: ``[k, rows, outputs]``.
            into_entry: Whether the gradient of the entry is wanted.

        Returns:
            Gradient of the entry, in a buffer the next call overwrites.
        """
        derivative = self._activation.derivative
        assert derivative is not None
        after = [*self._hidden[1:], self._head]
        for index in range(len(self._hidden) - 1, -1, -1):
            flow = after[index].backward(flow, self._flows[index])
            keep, _ = self._noise.kept(index)
            if keep is not None:
                flow.mul_(keep)
            derivative(flow, self._saved[index])
        return self._hidden[0].backward(flow, self._entry_flow if into_entry else None)

    def _drop(self, index: int, h: Tensor, keep: Tensor, shift: Tensor | None) -> Tensor:
        out = self._dropped[index]
        if shift is None:
            return torch.mul(h, keep, out=out)
        return torch.addcmul(shift, h, keep, out=out)


class _Linear:
    """``x @ (W * scale) + b`` and its derivative."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        name: str,
        batch: int,
        scale: Tensor | None = None,
        scale_gradient: Tensor | None = None,
    ) -> None:
        self._weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        self._weight_gradient = gradients[f"{name}.weight"]
        self._bias_gradient = gradients[f"{name}.bias"]
        self._bias = bias.unsqueeze(1)
        self._scale = None if scale is None else scale.unsqueeze(-1)
        self._scale_gradient = scale_gradient
        self._used = self._weight
        if scale is not None:
            self._used = torch.empty_like(self._weight, memory_format=torch.contiguous_format)
        self._turned = self._used.transpose(1, 2)
        self.out = bias.new_empty((bias.shape[0], batch, bias.shape[1]))
        self._x = self.out

    def forward(self, x: Tensor) -> Tensor:
        self._x = x
        if self._scale is not None:
            torch.mul(self._weight, self._scale, out=self._used)
        if x.shape[0] == 1:  # one candidate: the plain product is the faster kernel
            torch.addmm(self._bias[0], x[0], self._used[0], out=self.out[0])
            return self.out
        return torch.baddbmm(self._bias, x, self._used, out=self.out)

    def backward(self, flow: Tensor, into: Tensor | None) -> Tensor:
        """Gradients of the tensors, and of ``x`` where there is a place for it."""
        torch.sum(flow, dim=1, out=self._bias_gradient)
        _product(self._x.transpose(1, 2), flow, self._weight_gradient)
        if self._scale is not None and self._scale_gradient is not None:
            torch.sum(self._weight_gradient * self._weight, dim=-1, out=self._scale_gradient)
            self._weight_gradient.mul_(self._scale)
        return flow if into is None else _product(flow, self._turned, into)


def _product(first: Tensor, second: Tensor, out: Tensor) -> Tensor:
    if first.shape[0] == 1:
        torch.mm(first[0], second[0], out=out[0])
        return out
    return torch.bmm(first, second, out=out)
