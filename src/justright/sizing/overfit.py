"""Which sizes are able to overfit, as `statistics.overfitting` defines it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from justright.sizing.evidence import FULL, Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.shapes import Hidden
from justright.statistics.overfitting import learns_by_heart, stopped_falling


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
    by_heart = learns_by_heart(best, train, goal.overlap)
    for (size, own), learned in zip(curves.items(), by_heart, strict=True):
        shares, losses = [curve.share for curve in own], [curve.proper for curve in own]
        if learned and stopped_falling(shares, losses):
            return size
    return None


def _has_both(curve: Curve) -> bool:
    """Whether both losses are known at the end."""
    both = (*curve.train[-1:], *curve.proper[-1:])
    return len(both) == 2 and bool(np.isfinite(both).all())
