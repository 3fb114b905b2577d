"""Which sizes are able to overfit: the sign that they are large, and trained long, enough.

A gap between training and validation loss alone is no such sign. A size is able to overfit if it
learns its training rows better than any size predicts rows that it has not seen, and its own
validation loss has stopped falling: then what is missing is not capacity (a model that can overfit
comes first, less overfitting after it: Karpathy 2019; limits: assumption).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from justright.sizing.evidence import FULL, NEAR, THIRD, Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.shapes import Hidden

SURE_SE = 2.0
"""So many standard errors a training loss has to lie below the best validation loss
(assumption: the usual two)."""


def able_to_overfit(evidence: Evidence, sizes: Iterable[Hidden], goal: Goal) -> Hidden | None:
    """The lightest size that is able to overfit at its full length; None if no size is known to.

    Args:
        evidence: All curves; losses are compared on the blocks that choose.
        sizes: Of these; those without both losses there are left out.
        goal: What was searched.
    """
    curves = {
        size: [evidence.curves[size, block] for block in goal.selection]
        for size in sorted(sizes, key=lambda size: (goal.weigh(size), size))
        if size not in evidence.failed and evidence.known(size, goal.selection, FULL)
    }
    curves = {size: own for size, own in curves.items() if all(map(_has_both, own))}
    if not curves or len(goal.selection) < 2:
        return None
    validation = np.array([[curve.proper[-1] for curve in own] for own in curves.values()])
    train = np.array([[curve.train[-1] for curve in own] for own in curves.values()])
    best = validation[int(np.argmin(validation.mean(axis=1)))]
    ahead = best - train
    noise = float(ahead.var(axis=1, ddof=1).mean())
    se = np.sqrt(noise * (1 / len(goal.selection) + goal.overlap))
    for size, gain in zip(curves, ahead.mean(axis=1), strict=True):
        if gain > SURE_SE * se and _stopped(curves[size]):
            return size
    return None


def _has_both(curve: Curve) -> bool:
    """Whether both losses are known at the end."""
    both = (*curve.train[-1:], *curve.proper[-1:])
    return len(both) == 2 and bool(np.isfinite(both).all())


def _stopped(curves: Sequence[Curve]) -> bool:
    """Whether the validation loss is no lower in the second half of the last two thirds of a run.

    Halves are means over blocks and evaluations, as single ones are noisy at a constant rate. A
    run that was continued has an evaluation where it was interrupted, which the others lack.
    """
    shared = set.intersection(*(set(curve.share) for curve in curves))
    late = sorted(share for share in shared if share >= (1 - NEAR) * THIRD)
    losses = np.array(
        [[curve.proper[curve.share.index(share)] for share in late] for curve in curves]
    )
    half = len(late) // 2
    return half > 0 and bool(losses[:, half:].mean() >= losses[:, :half].mean())
