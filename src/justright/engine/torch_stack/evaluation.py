"""Outputs and statistics of a chunk's candidates, without gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from justright.engine.contract import Array, Program
from justright.engine.torch_stack.health import TINY
from justright.engine.torch_stack.layout import Layout
from justright.engine.torch_stack.state import State
from justright.engine.torch_stack.table import Table
from justright.nets.activations import ACTIVATIONS
from justright.nets.forward import Record, StackedNet
from justright.nets.members import combined

EVALUATED = 1 << 18
"""Numbers of one activation at a time: 1 MiB, one core's cache (assumption)."""

BINS = 32
"""Bins of a histogram (assumption: a peak at zero and two tails are told apart)."""


@torch.no_grad()
def evaluate(
    program: Program,
    layout: Layout,
    table: Table,
    state: State,
    rows: npt.NDArray[np.int32],
    averaged: bool,
) -> Array:
    """Outputs ``[k, m, outputs]`` of rows ``[k, m]``, of current or averaged weights."""
    net = StackedNet(program.net)
    tensors, kept = _versions(layout, state)[1 if averaged else 0]
    k, m = rows.shape
    widest = max(program.net.body_inputs, *program.net.shape.hidden)
    members, classes = program.net.shape.members, program.loss.name == "cross_entropy"
    size = max(64, EVALUATED // (k * widest * members))
    found = []
    for start in range(0, m, size):
        x, c = _fetch(table, rows[:, start : start + size])
        outputs = net(tensors, kept, x, c)
        found.append(outputs if members == 1 else combined(outputs, members, classes=classes))
    if not found:
        return np.empty((k, 0, program.net.inputs.outputs))
    return torch.cat(found, dim=1).numpy()


@torch.no_grad()
def refresh_statistics(
    program: Program, layout: Layout, table: Table, state: State, rows: npt.NDArray[np.int32]
) -> None:
    """Set batch-normalisation statistics to those of rows ``[k, m]``, candidate by candidate.

    One pass suffices although layers depend on each other: each layer normalises by the
    statistics of these very rows on the way.
    """
    if program.net.shape.normaliser != "batch":
        return
    net = StackedNet(program.net)
    for prefix, (tensors, kept) in zip(("", "ema/"), _versions(layout, state), strict=True):
        for row in range(len(state.ids)):
            x, c = _fetch(table, rows[row : row + 1])
            record = Record()
            one = {name: value[row : row + 1] for name, value in tensors.items()}
            net(one, {name: v[row : row + 1] for name, v in kept.items()}, x, c, record=record)
            for index, (mean, variance) in enumerate(record.statistics):
                state.kept[f"{prefix}norm.{index}.mean"][row] = mean[0]
                state.kept[f"{prefix}norm.{index}.var"][row] = variance[0]


@torch.no_grad()
def said_of(
    program: Program,
    layout: Layout,
    table: Table,
    state: State,
    rows: npt.NDArray[np.int32],
) -> dict[str, Array]:
    """What the hidden layers say of rows ``[k, m]`` (see `engine.contract.Stack.activations`)."""
    edges = ACTIVATIONS[program.net.shape.activation].flat
    found: dict[str, list[Tensor]] = {}
    for h in _hidden(program, layout, table, state, rows):
        variance, mean = torch.var_mean(h, dim=(1, 2), correction=0)
        deviation = variance.sqrt()
        low, high = torch.aminmax(h, dim=1)
        said = {
            "activation_std": deviation,
            "activation_mean": mean.abs() / deviation.clamp_min(TINY),
            "dead_share": (low == high).double().mean(1),
        }
        if edges is not None:
            said["saturated_share"] = ((h < edges[0]) | (h > edges[1])).double().mean((1, 2))
        for name, value in said.items():
            found.setdefault(name, []).append(value.double())
    return {name: torch.stack(values, dim=1).numpy() for name, values in found.items()}


@torch.no_grad()
def distribution_of(
    program: Program,
    layout: Layout,
    table: Table,
    state: State,
    rows: npt.NDArray[np.int32],
) -> tuple[Array, Array]:
    """Histograms of the hidden layers (see `engine.contract.Stack.distribution`)."""
    all_edges, all_counts = [], []
    for h in _hidden(program, layout, table, state, rows):
        k, values = len(h), h.flatten(1).double()
        low, high = torch.aminmax(values, dim=1, keepdim=True)
        width = torch.where(high > low, (high - low) / BINS, 1.0)
        low = torch.where(high > low, low, low - BINS / 2)
        places = ((values - low) / width).nan_to_num(0.0).clamp(0, BINS - 1).long()
        places += BINS * torch.arange(k)[:, None]
        all_counts.append(places.flatten().bincount(minlength=k * BINS).view(k, BINS))
        all_edges.append(low + width * torch.arange(BINS + 1))
    return torch.stack(all_edges, dim=1).numpy(), torch.stack(all_counts, dim=1).numpy()


def _hidden(
    program: Program,
    layout: Layout,
    table: Table,
    state: State,
    rows: npt.NDArray[np.int32],
) -> list[Tensor]:
    """What each hidden layer says of rows ``[k, m]``."""
    tensors, kept = _versions(layout, state)[0]
    record = Record()
    StackedNet(program.net)(tensors, kept, *_fetch(table, rows), record=record)
    return record.activations


def _versions(
    layout: Layout, state: State
) -> list[tuple[Mapping[str, Tensor], Mapping[str, Tensor]]]:
    """Tensors and kept tensors of the current and of the averaged weights."""
    current = layout.views(state.flat["p"])
    average = layout.views(state.flat["ema"]) if "ema" in state.flat else current
    names = [name for name in state.kept if not name.startswith("ema/")]
    return [
        (current, {name: state.kept[name] for name in names}),
        (average, {name: state.kept[f"ema/{name}"] for name in names}),
    ]


def _fetch(table: Table, rows: npt.NDArray[np.int32]) -> tuple[Tensor, Tensor | None]:
    """``x`` and ``c`` of rows ``[k, m]``; a list that all candidates share is read once."""
    k, m = rows.shape
    shared = rows.strides[0] == 0
    wanted = np.array(rows[:1] if shared else rows)  # owned: torch wants it writable
    found = table.gather(torch.from_numpy(wanted.reshape(-1)), (wanted.shape[0], m))
    x, c = found["x"], found.get("c")
    if shared:
        x = x.expand(k, m, x.shape[-1])
        c = None if c is None else c.expand(k, m, c.shape[-1])
    return x, c
