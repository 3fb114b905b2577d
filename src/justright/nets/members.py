"""Members: networks in one that share the body (TabM-mini, Gorishniy et al., ICLR 2025).

A member multiplies the vector that enters the body by factors of its own and ends in a head of
its own; what lies between is one network. The members of a row lie side by side, so to the body
they are rows like any other: ``[k, rows * members, units]``.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor
from torch.nn import functional


def first_matrices(weight: Tensor, scale: Tensor | None, own: Tensor) -> Tensor:
    """The first matrix as each member sees it: ``[k, inputs, members * units]``.

    With the factors in the matrix, one product serves all members and no row is copied.

    Args:
        weight: ``[k, inputs, units]``.
        scale: Factors ``[k, inputs]`` that members share, if there are any.
        own: Factors ``[k, members, inputs]`` of each member.
    """
    factors = own if scale is None else own * scale.unsqueeze(1)
    return (weight.unsqueeze(2) * factors.transpose(1, 2).unsqueeze(-1)).flatten(2)


def heads(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The outputs ``[k, rows * members, outputs]``, each member's by its own head.

    Args:
        h: ``[k, rows * members, units]``.
        weight: ``[k, members, units, outputs]``.
        bias: ``[k, members, outputs]``.
    """
    own = by_member(h, weight.shape[1])
    # measured: a product with few columns takes a fifth of the time if they lie as rows
    turned = weight.transpose(2, 3).contiguous().flatten(0, 1)
    found = torch.baddbmm(bias.flatten(0, 1).unsqueeze(1), own, turned.transpose(1, 2))
    return by_row(found, weight.shape[1])


def by_member(h: Tensor, members: int) -> Tensor:
    """``[k, rows * members, units]`` as ``[k * members, rows, units]``; a view where k is 1."""
    k, rows, units = h.shape
    return h.reshape(k, rows // members, members, units).transpose(1, 2).flatten(0, 1)


def by_row(h: Tensor, members: int) -> Tensor:
    """``[k * members, rows, units]`` as ``[k, rows * members, units]``."""
    each, rows, units = h.shape
    return h.reshape(each // members, members, rows, units).transpose(1, 2).flatten(1, 2)


def combined(outputs: Tensor, members: int, *, classes: bool) -> Tensor:
    """What the members say together, ``[k, rows, outputs]``, as one network would say it.

    The mean of values; of classes the mean of the probabilities, as the logit (one output) or the
    logarithms (several) that give it again.

    Args:
        outputs: ``[k, rows * members, outputs]``.
        members: Members of a row.
        classes: Whether outputs are logits.

    >>> logits = torch.tensor([0.0, 200.0]).view(1, 2, 1)
    >>> round(float(combined(logits, 2, classes=True).sigmoid()), 6)
    0.75
    """
    k, rows, size = outputs.shape
    each = outputs.reshape(k, rows // members, members, size)
    if not classes:
        return each.mean(2)
    if size == 1:
        for_it = functional.logsigmoid(each).logsumexp(2)
        return for_it - functional.logsigmoid(-each).logsumexp(2)
    return torch.log_softmax(each, dim=-1).logsumexp(2) - log(members)
