"""The stacked forward pass: k candidates of one shape, tensors with a leading axis k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from justright.nets.activations import ACTIVATIONS, activate
from justright.nets.embeddings import categories, periodic, piecewise
from justright.nets.members import first_matrices, heads
from justright.nets.normalise import batch_norm, batch_statistics, layer_norm
from justright.recipe.network import NetworkSpec

CATEGORIES = "categories"
"""Name of all category tables below each other: ``[k, values, width]``."""


@dataclass
class Noise:
    """What training adds to the forward pass; None means "not in this step".

    Attributes:
        keep: For each hidden layer, the factor ``[k, rows, units]`` of dropout; None for a layer
            without.
        shift: For each hidden layer with a factor, what the alpha kind of dropout adds.
        inputs: Factor ``[k, rows, inputs]`` of dropout on the vector that enters the body.
        jitter: What is added to the numbers, ``[k, rows, numbers]``, before they are embedded.
        paths: For each residual block, the factor ``[k, rows, 1]`` of stochastic depth.
        slopes: For each hidden layer, the drawn slopes of "rrelu".
        mixup: Share ``[k, 1, 1]`` of the row itself.

    Members are rows of the body: all but the share and the noise of inputs, which the members of
    a row have in common, are of ``rows * members`` then.
    """

    keep: Sequence[Tensor | None] | None = None
    shift: Sequence[Tensor | None] | None = None
    inputs: Tensor | None = None
    jitter: Tensor | None = None
    paths: list[Tensor] | None = None
    slopes: list[Tensor] | None = None
    mixup: Tensor | None = None

    def kept(self, layer: int) -> tuple[Tensor | None, Tensor | None]:
        """Factor of a hidden layer's dropout, and what is added; None where there is none."""
        if self.keep is None:
            return None, None
        return self.keep[layer], None if self.shift is None else self.shift[layer]


@dataclass
class Record:
    """What a caller may ask the forward pass to leave behind.

    Attributes:
        activations: Output of each hidden layer, before dropout.
        statistics: Mean and variance of each batch normalisation; asking for a record makes the
            pass use the statistics of its own rows.
    """

    activations: list[Tensor] = field(default_factory=list)
    statistics: list[tuple[Tensor, Tensor]] = field(default_factory=list)


@dataclass(frozen=True)
class StackedNet:
    """The forward pass of one `NetworkSpec`.

    Args:
        spec: The network.

    The formulas are those of the deployed file (`deploy.network`), which a test holds together.
    """

    spec: NetworkSpec

    def __call__(
        self,
        tensors: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        x: Tensor,
        c: Tensor | None,
        noise: Noise | None = None,
        record: Record | None = None,
    ) -> Tensor:
        """Outputs ``[k, rows, outputs]``; with members ``[k, rows * members, outputs]``, those of
        a row side by side (`members.combined` makes one of them).

        Args:
            tensors: Learned tensors ``[k, ...]`` by name, category tables joined (`CATEGORIES`).
            buffers: Kept tensors ``[k, ...]`` by name.
            x: ``[k, rows, numbers + indicators]``.
            c: int ``[k, rows, categories]``, or None where the network has none.
            noise: Given in training only.
            record: Receives activations and statistics.
        """
        entry = self.entry(tensors, buffers, x, c, noise)
        run = _Run(self.spec, tensors, buffers, noise, record)
        h = run.residual(entry) if self.spec.shape.body == "residual" else run.mlp(entry)
        return run.head(h)

    def entry(
        self,
        tensors: Mapping[str, Tensor],
        buffers: Mapping[str, Tensor],
        x: Tensor,
        c: Tensor | None,
        noise: Noise | None,
    ) -> Tensor:
        """The vector that enters the body: numbers, indicators, categories."""
        inputs, kind = self.spec.inputs, self.spec.shape.numbers
        embedded = None
        if inputs.categories and c is not None:
            starts = [0]
            for size in inputs.categories[:-1]:
                starts.append(starts[-1] + size)
            offsets = torch.tensor(starts, dtype=c.dtype)
            embedded = categories(c, tensors[CATEGORIES], offsets)
        if noise is not None and noise.mixup is not None:
            x = _mix(x, noise.mixup)
            embedded = None if embedded is None else _mix(embedded, noise.mixup)
        if noise is not None:
            x = shaken(x, noise)
        parts = []
        if kind != "none" and inputs.numbers:
            numbers, rest = x[..., : inputs.numbers], x[..., inputs.numbers :]
            parts = [_embed_numbers(kind, numbers, tensors, buffers), rest]
        else:
            parts = [x]
        if embedded is not None:
            parts.append(embedded)
        whole = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return whole if noise is None or noise.inputs is None else whole * noise.inputs


def shaken(x: Tensor, noise: Noise) -> Tensor:
    """Numbers and indicators ``[k, rows, ...]`` with the noise of the numbers added (Bishop 1995).

    It is added to the numbers as the preprocessing scales them, before any embedding: there its
    size means the same for every column, and does not change with what an embedding learns.
    """
    if noise.jitter is None:
        return x
    numbers = noise.jitter.shape[-1]
    return torch.cat((x[..., :numbers] + noise.jitter, x[..., numbers:]), dim=-1)


def _mix(values: Tensor, share: Tensor) -> Tensor:
    """mixup with the next row of the batch (Zhang et al. 2018)."""
    return torch.lerp(values.roll(-1, dims=1), values, share)


def _embed_numbers(
    kind: str, x: Tensor, tensors: Mapping[str, Tensor], buffers: Mapping[str, Tensor]
) -> Tensor:
    weight, bias = tensors["numbers.weight"], tensors["numbers.bias"]
    if kind == "periodic":
        return periodic(x, tensors["numbers.frequency"], tensors["numbers.phase"], weight, bias)
    return piecewise(x, buffers["numbers.edges"], weight, bias)


@dataclass(frozen=True)
class _Run:
    """One forward pass through body and head."""

    spec: NetworkSpec
    tensors: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    noise: Noise | None
    record: Record | None

    def mlp(self, h: Tensor) -> Tensor:
        """linear → normaliser → activation → dropout, layer by layer."""
        for index in range(len(self.spec.shape.hidden)):
            z = self.linear(f"layers.{index}", h, first=index == 0)
            h = self.hidden(index, self.normalise(index, z))
        return h

    def residual(self, h: Tensor) -> Tensor:
        """``y + W2 drop(act(W1 norm(y)))``, block by block (Gorishniy et al. 2021)."""
        y = self.linear("stem", h, first=True)
        for index in range(len(self.spec.shape.hidden)):
            z = self.linear(f"layers.{index}", self.normalise(index, y))
            step = self.linear(f"layers.{index}.out", self.hidden(index, z))
            if self.noise is not None and self.noise.paths is not None:
                y = torch.addcmul(y, step, self.noise.paths[index])
            else:
                y = y + step
        return y

    def linear(self, name: str, h: Tensor, *, first: bool = False) -> Tensor:
        """``h @ W + b``; the scale layer is folded into the first matrix.

        Folding saves the gradient with respect to the input, a whole matrix product.
        """
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        if first and self.spec.shape.members > 1:
            return self.members(weight, bias, h)
        if first and self.spec.shape.scale_layer:
            weight = weight * self.tensors["scale"].unsqueeze(-1)
        if h.shape[0] == 1:  # one candidate: the plain product is the faster kernel
            return torch.addmm(bias[0], h[0], weight[0]).unsqueeze(0)
        return torch.baddbmm(bias.unsqueeze(1), h, weight)

    def members(self, weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
        """The first layer of every member: from rows to ``rows * members``."""
        own = self.tensors["members.scale"]
        weights = first_matrices(weight, self.tensors.get("scale"), own)
        z = torch.baddbmm(bias.repeat(1, own.shape[1]).unsqueeze(1), h, weights)
        return z.view(h.shape[0], -1, bias.shape[1])

    def head(self, h: Tensor) -> Tensor:
        if self.spec.shape.members == 1:
            return self.linear("head", h)
        return heads(h, self.tensors["head.weight"], self.tensors["head.bias"])

    def normalise(self, index: int, h: Tensor) -> Tensor:
        kind = self.spec.shape.normaliser
        if kind == "none":
            return h
        gain, bias = self.tensors[f"norm.{index}.gain"], self.tensors[f"norm.{index}.bias"]
        if kind == "layer":
            return layer_norm(h, gain, bias)
        if self.noise is None and self.record is None:
            mean, variance = self.buffers[f"norm.{index}.mean"], self.buffers[f"norm.{index}.var"]
        else:
            mean, variance = batch_statistics(h)
        if self.record is not None:
            self.record.statistics.append((mean.detach(), variance.detach()))
        return batch_norm(h, gain, bias, mean, variance)

    def hidden(self, index: int, z: Tensor) -> Tensor:
        """Activation and dropout of a hidden layer."""
        name, noise = self.spec.shape.activation, self.noise
        slope = None
        if name == "prelu":
            slope = self.tensors[f"layers.{index}.slope"].unsqueeze(1)
        elif name == "rrelu" and noise is not None and noise.slopes is not None:
            slope = noise.slopes[index]
        keep, shift = (None, None) if noise is None else noise.kept(index)
        if keep is None:
            return self.seen(activate(name, z, slope))
        if ACTIVATIONS[name].homogeneous and self.record is None and shift is None:
            return activate(name, z.mul_(keep), slope)  # in place: saves a buffer a layer
        h = self.seen(activate(name, z, slope))
        return h * keep if shift is None else torch.addcmul(shift, h, keep)

    def seen(self, h: Tensor) -> Tensor:
        if self.record is not None:
            self.record.activations.append(h.detach())
        return h
