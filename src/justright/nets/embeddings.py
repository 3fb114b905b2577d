"""Embeddings of numbers and categories of stacked networks."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor
from torch.nn import functional


def periodic(x: Tensor, frequency: Tensor, phase: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``[W cos(2π x f + p) + b, x]`` for each number (PBLD of RealMLP, Holzmüller et al. 2024).

    Args:
        x: ``[k, rows, numbers]``.
        frequency, phase: ``[k, numbers, frequencies]``.
        weight: ``[k, numbers, frequencies, learned]``.
        bias: ``[k, numbers, learned]``.

    Returns:
        ``[k, rows, numbers * (learned + 1)]``, number by number, the raw value last.
    """
    columns = x.transpose(1, 2).unsqueeze(-1)
    angle = torch.addcmul(phase.unsqueeze(2), columns, frequency.unsqueeze(2) * (2 * pi))
    learned = _per_column(angle.cos(), weight, bias)
    return torch.cat((learned, columns), dim=-1).transpose(1, 2).flatten(2)


def piecewise(x: Tensor, edges: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Piecewise-linear encoding of each number and a linear map of it (Gorishniy et al. 2022).

    Bin t holds ``(x - e_t) / (e_{t+1} - e_t)`` clamped to [0, 1]; the first bin has no lower and
    the last no upper bound; a bin without width holds 0.

    Args:
        x: ``[k, rows, numbers]``.
        edges: ``[k, numbers, bins + 1]``.
        weight: ``[k, numbers, bins, width]``.
        bias: ``[k, numbers, width]``.

    Returns:
        ``[k, rows, numbers * width]``, number by number.
    """
    with torch.no_grad():
        filled = _bins(x.transpose(1, 2).unsqueeze(-1), edges)
    return _per_column(filled, weight, bias).transpose(1, 2).flatten(2)


def categories(c: Tensor, tables: Tensor, offsets: Tensor) -> Tensor:
    """Look up every category column at once.

    Args:
        c: int ``[k, rows, columns]``, codes within each column's own table.
        tables: ``[k, values, width]``, the tables of all columns below each other.
        offsets: int ``[columns]``, where each column's table begins.

    Returns:
        ``[k, rows, columns * width]``, column by column.
    """
    k, values, width = tables.shape
    first = torch.arange(k, dtype=c.dtype).view(k, 1, 1) * values
    found = functional.embedding(c + offsets + first, tables.reshape(k * values, width))
    return found.flatten(2)


def _per_column(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``[k, numbers, rows, features] @ [k, numbers, features, width] + bias``."""
    k, numbers, rows, size = features.shape
    flat = torch.baddbmm(
        bias.reshape(k * numbers, 1, -1),
        features.reshape(k * numbers, rows, size),
        weight.reshape(k * numbers, size, -1),
    )
    return flat.view(k, numbers, rows, -1)


def _bins(columns: Tensor, edges: Tensor) -> Tensor:
    low = edges[..., :-1].unsqueeze(2)
    span = edges.diff(dim=-1).unsqueeze(2)
    empty = span <= 0
    filled = (columns - low) / span.masked_fill(empty, 1.0)
    bounded = filled.clamp(0.0, 1.0)
    if filled.shape[-1] == 1:
        bounded = filled
    else:
        bounded[..., 0] = filled[..., 0].clamp(max=1.0)
        bounded[..., -1] = filled[..., -1].clamp(min=0.0)
    return bounded.masked_fill(empty, 0.0)
