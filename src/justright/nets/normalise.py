"""Layer and batch normalisation of stacked layers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-5  # published: torch's default, which the deployed network shares


def layer_norm(h: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """Normalise each row to mean 0 and variance 1, then scale and shift (Ba et al. 2016).

    Args:
        h: ``[k, rows, units]``.
        gain, bias: ``[k, units]``.
    """
    unit = functional.layer_norm(h, (h.shape[-1],), eps=EPSILON)
    return torch.addcmul(bias.unsqueeze(1), unit, gain.unsqueeze(1))


def batch_norm(h: Tensor, gain: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Normalise each unit by the given statistics (Ioffe & Szegedy 2015).

    Args:
        h: ``[k, rows, units]``.
        gain, bias, mean, variance: ``[k, units]``.
    """
    factor = gain * torch.rsqrt(variance + EPSILON)
    return torch.addcmul((bias - mean * factor).unsqueeze(1), h, factor.unsqueeze(1))


def batch_statistics(h: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (biased) variance ``[k, units]`` of the rows of each candidate."""
    variance, mean = torch.var_mean(h, dim=1, correction=0)
    return mean, variance
