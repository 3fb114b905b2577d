"""The verdict about sizes: which are too small, which are just right, which one to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from justright.sizing.evidence import FULL, SHARES, THIRD, Evidence
from justright.sizing.goal import Goal
from justright.sizing.search import chosen
from justright.sizing.shapes import Hidden, ladder, name_of
from justright.statistics.plateau import (
    NO_EVIDENCE,
    NOT_TESTED,
    TOO_LARGE,
    Plateau,
    find_plateau,
)

RowVariance = Callable[[Hidden, Hidden], float]

FEW_ROWS = 500
"""With fewer rows nothing is called too large: a block's validation rows are too few to tell it
from bad luck (assumption)."""


@dataclass(frozen=True)
class SizeRow:
    """One size and what was seen of it.

    Attributes:
        hidden: Units of each layer.
        name: For people.
        weights: Learned weights.
        share: Share of the full length it was trained for.
        blocks: On how many blocks it has that.
        loss: Mean deciding loss there, lower is better.
        train: Mean proper loss of training rows there; nan if it was not recorded.
        proper: Mean proper loss of the validation rows; nan if it was not recorded.
        word: "just right", "worse", "cannot tell"; "given up" before its full length.
        difference: Of the loss to the best size; nan if it was given up.
        low, high: 95% limits of it, for all sizes together.
    """

    hidden: Hidden
    name: str
    weights: int
    share: float
    blocks: int
    loss: float
    train: float
    proper: float
    word: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class SizeReport:
    """What is known about the right size.

    Attributes:
        rows: Every size that was trained, lightest first.
        chosen: The size to take.
        lightest, heaviest: Ends of the plateau.
        sure: Whether the plateau is of sizes shown to be just right; else it is of those that
            could not be told from the best.
        below: Sizes lighter than this one are too small; None without evidence.
        upper: "too large above", "no evidence for larger" or "not tested above".
        untested: The lightest rung of the ladder that there was no time for; None = none.
        delta: Smallest difference that matters.
        confirmed: Whether the words rest on blocks that chose nothing.
        limited: Whether the largest rung that the user's limits allow is still better than the
            one before by more than delta, on the blocks that chose.
        by_heart: Whether the heaviest size is worse than the chosen one on validation rows, and
            better on training rows.
    """

    rows: tuple[SizeRow, ...]
    chosen: Hidden
    lightest: Hidden
    heaviest: Hidden
    sure: bool
    below: Hidden | None
    upper: str
    untested: Hidden | None
    delta: float
    confirmed: bool
    limited: bool = False
    by_heart: bool = False

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        ends = name_of(self.lightest), name_of(self.heaviest)
        span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
        parts = [f"too small below {name_of(self.below)}"] if self.below else []
        if self.sure:
            parts.append(f"just right {span}")
        elif ends[0] == ends[1]:
            parts.append(f"only {span} was trained in full")
        else:
            parts.append(f"cannot tell {span} apart")
        if self.upper == NOT_TESTED or (self.untested and self.upper != TOO_LARGE):
            parts.append(f"not tested above {name_of(max(self.rows, key=_weight).hidden)}")
        elif self.upper == TOO_LARGE:
            parts.append(f"too large above {ends[1]}")
        else:
            parts.append(self.upper)
        if self.limited:
            parts.append("still improving at the limit that was given, which costs accuracy")
        return " · ".join([*parts, f"chosen {name_of(self.chosen)}"])


def report_of(
    evidence: Evidence, goal: Goal, row_variance: RowVariance | None = None, prefer: str = "small"
) -> SizeReport | None:
    """Sum up a search; None if no size reached its full length.

    Args:
        evidence: All curves.
        goal: What was searched.
        row_variance: Variance of the difference of two sizes from the choice of the one set of
            validation rows, where all blocks share it.
        prefer: "small" or "accuracy".
    """
    blocks = (*goal.selection, *goal.confirmation)
    sizes = sorted(
        (s for s in evidence.sizes if s in evidence.failed or _full(evidence, s, goal)),
        key=lambda size: (goal.weigh(size), size),
    )
    if chosen(evidence, goal.selection, goal) is None:
        return None
    losses = evidence.losses(sizes, blocks, FULL)
    losses[[size in evidence.failed for size in sizes]] = np.inf
    fresh = losses[:, len(goal.selection) :]
    confirmed = bool((np.isfinite(fresh).all(axis=1)).sum() > 1) if fresh.size else False
    found = find_plateau(
        losses,
        [goal.weigh(size) for size in sizes],
        overlap=goal.overlap,
        delta=goal.delta,
        row_variance=_row_variances(sizes, row_variance),
        selection=range(len(goal.selection)) if confirmed else (),
        prefer=prefer,
    )
    assert found.chosen is not None
    assert found.low is not None
    assert found.high is not None
    assert found.possible is not None
    judged = {size: place for place, size in enumerate(sizes)}
    rungs = [each for each in ladder(goal.limits, goal.weigh) if each not in evidence.sizes]
    heaviest = max(map(goal.weigh, evidence.sizes))
    few = goal.rows < FEW_ROWS and found.upper == TOO_LARGE
    rows = tuple(
        _row(evidence, goal, size, found, judged.get(size))
        for size in sorted(evidence.sizes, key=lambda size: (goal.weigh(size), size))
    )
    return SizeReport(
        rows=rows,
        chosen=sizes[found.chosen],
        lightest=sizes[found.low],
        heaviest=sizes[found.high],
        sure=found.sure,
        below=sizes[found.possible[0]] if found.below is not None else None,
        upper=NO_EVIDENCE if few else found.upper,
        untested=next((each for each in rungs if goal.weigh(each) > heaviest), None),
        delta=goal.delta,
        confirmed=confirmed,
        limited=_limited(evidence, goal),
        by_heart=_by_heart(rows, sizes[found.chosen]),
    )


def _limited(evidence: Evidence, goal: Goal) -> bool:
    free = replace(goal.limits, weights=None, only=None)
    allowed = ladder(goal.limits, goal.weigh)
    if len(allowed) < 2 or allowed == ladder(free, goal.weigh):
        return False
    before, last = (evidence.mean(each, goal.selection, THIRD) for each in allowed[-2:])
    return last < before - goal.delta


def _by_heart(rows: Sequence[SizeRow], chosen: Hidden) -> bool:
    own = next(row for row in rows if row.hidden == chosen)
    last = max((row for row in rows if row.word != "given up"), key=_weight)
    return last.low > 0 and last.weights > own.weights and last.train < own.train


def _weight(row: SizeRow) -> int:
    return row.weights


def _full(evidence: Evidence, size: Hidden, goal: Goal) -> bool:
    return evidence.known(size, goal.selection, FULL)


def _row_variances(sizes: list[Hidden], row_variance: RowVariance | None) -> float | np.ndarray:
    if row_variance is None:
        return 0.0
    found = np.zeros((len(sizes), len(sizes)))
    for i, first in enumerate(sizes):
        for j in range(i):
            found[i, j] = found[j, i] = row_variance(first, sizes[j])
    return found


def _row(
    evidence: Evidence, goal: Goal, size: Hidden, found: Plateau, place: int | None
) -> SizeRow:
    curves = [curve for (hidden, _), curve in evidence.curves.items() if hidden == size]
    share = min((curve.share[-1] for curve in curves), default=0.0)
    share = next((each for each in reversed(SHARES) if each <= share * 1.03), share)
    word = found.sizes[place] if place is not None else None
    return SizeRow(
        hidden=size,
        name=name_of(size),
        weights=goal.weigh(size),
        share=share,
        blocks=len(curves),
        loss=_mean([curve.at(share) for curve in curves]),
        train=_mean([curve.train[-1] for curve in curves if curve.train]),
        proper=_mean([curve.proper[-1] for curve in curves if curve.proper]),
        word="given up" if word is None else word.word,
        difference=float("nan") if word is None else word.difference,
        low=float("nan") if word is None else word.low,
        high=float("nan") if word is None else word.high,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
