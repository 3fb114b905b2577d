"""Loss and gradient of a step: by autograd, or written out where the network is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from justright.engine.contract import Program
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.losses import loss_and_flow, mixed_losses, weighted_mean
from justright.engine.torch_stack.optimisers import Number
from justright.nets.explicit import ExplicitBody, is_explicit
from justright.nets.explicit_entry import ExplicitEntry, has_explicit_entry
from justright.nets.forward import Noise, StackedNet, shaken


class Differentiator(Protocol):
    """Writes the gradient of a step into the flat buffer it was made with."""

    def __call__(
        self,
        rows: Mapping[str, Tensor],
        noise: Noise,
        smoothing: Number | None,
    ) -> Tensor:
        """Mean loss ``[k]`` of the step."""
        ...


def differentiator(
    program: Program,
    layout: Layout,
    parameters: Tensor,
    kept: Mapping[str, Tensor],
    gradient: Tensor,
) -> Differentiator:
    """The faster way there is for a program.

    Args:
        program: Network and loss.
        layout: Where each tensor lies.
        parameters: ``[k, size]``.
        kept: Kept tensors by name.
        gradient: ``[k, size]``, overwritten at each step.
    """
    if is_explicit(program.net):
        return WrittenOut(program, layout, parameters, kept, gradient)
    return ByAutograd(program, layout, parameters, kept, gradient)


class ByAutograd:
    """Any network: one graph from leaves to loss."""

    def __init__(
        self,
        program: Program,
        layout: Layout,
        parameters: Tensor,
        kept: Mapping[str, Tensor],
        gradient: Tensor,
    ) -> None:
        self._program = program
        self._kept = kept
        self._gradient = gradient
        self._net = StackedNet(program.net)
        views = layout.views(parameters)
        self._leaves = {name: v.detach().requires_grad_() for name, v in views.items()}
        self._sorted = sorted(self._leaves.values(), key=Tensor.storage_offset)
        self._ones = parameters.new_ones(parameters.shape[0])

    def __call__(
        self,
        rows: Mapping[str, Tensor],
        noise: Noise,
        smoothing: Number | None,
    ) -> Tensor:
        """Mean loss ``[k]`` of the step."""
        outputs = self._net(self._leaves, self._kept, rows["x"], rows.get("c"), noise)
        members = self._program.net.shape.members
        y, w = _targets(rows, members)
        losses = mixed_losses(self._program.loss, outputs, y, smoothing, noise.mixup, members)
        loss = weighted_mean(losses, w)
        parts = torch.autograd.grad(loss, self._sorted, self._ones)
        torch.cat([part.flatten(1) for part in parts], dim=1, out=self._gradient)
        return loss.detach()


class WrittenOut:
    """A plain perceptron: body by hand, and embeddings too but for mixed rows."""

    def __init__(
        self,
        program: Program,
        layout: Layout,
        parameters: Tensor,
        kept: Mapping[str, Tensor],
        gradient: Tensor,
    ) -> None:
        self._program = program
        self._kept = kept
        self._net = StackedNet(program.net)
        tensors, gradients = layout.views(parameters), layout.views(gradient)
        self._body = ExplicitBody(program.net, tensors, gradients, program.batch)
        self._entry = None
        if has_explicit_entry(program.net):
            self._entry = ExplicitEntry(program.net, tensors, gradients, kept, program.batch)
        names = [name for name in tensors if name.partition(".")[0] in ("numbers", "categories")]
        self._embeddings = {name: tensors[name].detach().requires_grad_() for name in names}
        self._places = [gradients[name] for name in names]

    def __call__(
        self,
        rows: Mapping[str, Tensor],
        noise: Noise,
        smoothing: Number | None,
    ) -> Tensor:
        """Mean loss ``[k]`` of the step."""
        if self._entry is not None and noise.mixup is None:
            with torch.no_grad():
                entry = self._entry.forward(shaken(rows["x"], noise), rows.get("c"))
                if noise.inputs is not None:
                    entry.mul_(noise.inputs)
                loss, into = self._body_step(entry, rows, noise, smoothing)
                assert into is not None
                if noise.inputs is not None:
                    into.mul_(noise.inputs)
                self._entry.backward(into)
            return loss
        entry = self._net.entry(self._embeddings, self._kept, rows["x"], rows.get("c"), noise)
        with torch.no_grad():
            loss, into = self._body_step(entry.detach(), rows, noise, smoothing)
        if self._places and into is not None:
            found = torch.autograd.grad(entry, list(self._embeddings.values()), into)
            for place, value in zip(self._places, found, strict=True):
                place.copy_(value)
        return loss

    def _body_step(
        self,
        entry: Tensor,
        rows: Mapping[str, Tensor],
        noise: Noise,
        smoothing: Number | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Loss of the step, gradients of the body, and that of the entry if it is wanted."""
        outputs = self._body.forward(entry, noise)
        members = self._program.net.shape.members
        y, w = _targets(rows, members)
        loss, flow = loss_and_flow(
            self._program.loss, outputs, y, w, smoothing, noise.mixup, members
        )
        return loss, self._body.backward(flow, into_entry=bool(self._places))


def _targets(rows: Mapping[str, Tensor], members: int) -> tuple[Tensor, Tensor | None]:
    """Targets and weights of the rows, each once for every member.

    So the loss of a row is the mean of its members' losses, not the loss of their mean.
    """
    y, w = rows["y"], rows.get("w")
    if members == 1:
        return y, w
    spread = y.repeat_interleave(members, dim=1)
    return spread, None if w is None else w.repeat_interleave(members, dim=1)
