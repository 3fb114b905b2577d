"""Losses of stacked candidates: one value a row, so that weights stay outside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from justright.recipe.recipe import LossSpec

TINY = 1e-30
"""Bound below a batch's sum of weights: a batch of weight 0 has loss 0 and no gradient."""


def row_losses(
    loss: LossSpec, outputs: Tensor, y: Tensor, smoothing: float | Tensor | None = None
) -> Tensor:
    """The loss ``[k, rows]`` of each row.

    Args:
        loss: Name and numbers of the loss.
        outputs: ``[k, rows, outputs]``; one output with cross-entropy is the logit of class 1.
        y: Class codes ``[k, rows]`` (int64), or values ``[k, rows, outputs]``.
        smoothing: Label smoothing, a number or ``[k, 1]``; None for none.
    """
    if loss.name == "cross_entropy":
        if outputs.shape[-1] == 1:
            return _binary(outputs.squeeze(-1), y, smoothing)
        return _multi_class(outputs, y, smoothing)
    if loss.name == "mse":
        return (outputs - y).square().mean(-1)
    if loss.name == "mae":
        return (outputs - y).abs().mean(-1)
    return functional.huber_loss(outputs, y, reduction="none", delta=loss.delta).mean(-1)


def mixed_losses(
    loss: LossSpec,
    outputs: Tensor,
    y: Tensor,
    smoothing: float | Tensor | None,
    share: Tensor | None,
    members: int = 1,
) -> Tensor:
    """Row losses under mixup: the convex combination of those to both rows' targets.

    Args:
        loss, outputs, y, smoothing: As for `row_losses`.
        share: ``[k, 1, 1]``, the share of the row itself; None without mixup.
        members: How many times in succession each row stands there.
    """
    own = row_losses(loss, outputs, y, smoothing)
    if share is None:
        return own
    partner = row_losses(loss, outputs, y.roll(-members, dims=1), smoothing)
    return torch.lerp(partner, own, share.squeeze(-1))


def loss_and_flow(
    loss: LossSpec,
    outputs: Tensor,
    y: Tensor,
    weights: Tensor | None,
    smoothing: float | Tensor | None,
    share: Tensor | None,
    members: int = 1,
) -> tuple[Tensor, Tensor]:
    """Mean loss ``[k]`` and its derivative ``[k, rows, outputs]`` by the outputs.

    Cross-entropy of several classes and squared error without mixup are written out, since
    autograd's graph of a loss takes as long as a small layer; the rest is autograd's.

    Args:
        loss, outputs, y, smoothing, share, members: As for `mixed_losses`.
        weights: ``[k, rows]``, or None.
    """
    if share is None and loss.name == "mse":
        return _mse_and_flow(outputs, y, weights)
    if share is None and loss.name == "cross_entropy" and outputs.shape[-1] > 1:
        return _multi_class_and_flow(outputs, y, weights, smoothing)
    leaf = outputs.detach().requires_grad_()
    with torch.enable_grad():
        losses = mixed_losses(loss, leaf, y, smoothing, share, members)
        mean = weighted_mean(losses, weights)
        flow = torch.autograd.grad(mean.sum(), leaf)[0]
    return mean.detach(), flow


def weighted_mean(losses: Tensor, weights: Tensor | None) -> Tensor:
    """``sum(w l) / sum(w)`` of each candidate, ``[k]``."""
    if weights is None:
        return losses.mean(1)
    return (losses * weights).sum(1) / weights.sum(1).clamp_min(TINY)


def _binary(logits: Tensor, y: Tensor, smoothing: float | Tensor | None) -> Tensor:
    target = y.to(logits.dtype)
    if smoothing is not None:
        target = target * (1.0 - smoothing) + 0.5 * smoothing
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none")


def _multi_class(outputs: Tensor, y: Tensor, smoothing: float | Tensor | None) -> Tensor:
    """Classes before rows, since torch's log-softmax over a short last axis is 5 times slower."""
    logs = functional.log_softmax(outputs.transpose(1, 2).contiguous(), dim=1)
    own = functional.nll_loss(logs, y, reduction="none")
    if smoothing is None:
        return own
    return own * (1.0 - smoothing) - logs.mean(1) * smoothing


def _row_shares(y: Tensor, weights: Tensor | None, dtype: torch.dtype) -> Tensor:
    """What each row counts in the mean: ``[k, rows]``, or ``[1, 1]`` where rows are equal."""
    if weights is None:
        return torch.full((1, 1), 1.0 / y.shape[1], dtype=dtype)
    return weights / weights.sum(1, keepdim=True).clamp_min(TINY)


def _mse_and_flow(outputs: Tensor, y: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    shares = _row_shares(y, weights, outputs.dtype)
    error = outputs - y
    weighted = error * shares.unsqueeze(-1)
    mean = (weighted * error).sum(dim=(1, 2)) / outputs.shape[-1]
    return mean, weighted.mul_(2.0 / outputs.shape[-1])


def _multi_class_and_flow(
    outputs: Tensor, y: Tensor, weights: Tensor | None, smoothing: float | Tensor | None
) -> tuple[Tensor, Tensor]:
    classes = outputs.shape[-1]
    logs = torch.log_softmax(outputs.transpose(1, 2).contiguous(), dim=1)
    index = y.unsqueeze(1)
    own = logs.gather(1, index).squeeze(1).neg_()
    sure: Tensor = own.new_full((1, 1, 1), -1.0)
    if smoothing is not None:
        own = own * (1.0 - smoothing) - logs.mean(1) * smoothing
    flow = logs.exp_()
    if isinstance(smoothing, Tensor):
        flow.sub_(smoothing.unsqueeze(-1) / classes)
        sure = smoothing.unsqueeze(-1) - 1.0
    elif smoothing is not None:
        flow.sub_(smoothing / classes)
        sure = sure * (1.0 - smoothing)
    flow.scatter_add_(1, index, sure.expand(index.shape))
    shares = _row_shares(y, weights, outputs.dtype)
    flow.mul_(shares.unsqueeze(1))
    return (own * shares).sum(1), flow.transpose(1, 2)
