"""The verdict about sizes: which are too small, which are just right, which one to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from justright.sizing.evidence import FULL, SHARES, Evidence
from justright.sizing.goal import Goal
from justright.sizing.overfit import able_to_overfit
from justright.sizing.search import budget_for, chosen, gaps, promising
from justright.sizing.shapes import Hidden, ladder, name_of
from justright.statistics.plateau import (
    CANNOT_TELL,
    JUST_RIGHT,
    NO_EVIDENCE,
    NOT_TESTED,
    TOO_LARGE,
    WORSE,
    SizeWord,
    find_plateau,
)

RowVariance = Callable[[Hidden, Hidden], float]

JUDGED = (JUST_RIGHT, WORSE, CANNOT_TELL)
"""Words for sizes at their full length."""

GIVEN_UP, NO_TIME, FAILED = "given up", "no time", "failed"
"""Words for the others."""

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
        loss: Mean deciding loss there, lower is better; at the full length the best size's loss
            plus the difference to it, so that losses of other blocks can be compared.
        train: Mean proper loss of training rows on the blocks that chose; nan if unrecorded.
        proper: The same of the validation rows.
        word: "just right", "worse", "cannot tell"; before its full length "given up", because it
            could not reach the best any more, or "no time"; "failed".
        difference: Of the loss to the best size; nan before the full length.
        low, high: 95% limits of it, for all sizes together.
        reason: Why it failed.
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
    reason: str = ""


@dataclass(frozen=True)
class SizeReport:
    """What is known about the right size.

    Attributes:
        rows: Every size that was trained, lightest first.
        chosen: The size to take.
        lightest, heaviest: Ends of the plateau.
        sure: Whether the plateau is of sizes shown to be just right; else it is of those that
            could not be told from the best.
        possible: Ends of what could not be excluded.
        apart: Sizes between these that are worse all the same, by their shape.
        below: Sizes lighter than this one are too small; None without evidence.
        upper: "too large above", "no evidence for larger" or "not tested above".
        untested: The lightest rung of the ladder that there was no time for; None = none.
        delta: Smallest difference that matters.
        confirmed: Whether the words rest on blocks that chose nothing.
        capped: Whether the user's limits allow nothing larger than what was trained in full.
        limited: Whether, besides, the largest rung that they allow is surely better than the one
            before by more than delta, on the blocks that chose.
        by_heart: Whether the heaviest size is surely worse than the best on validation rows, and
            better on training rows.
        able: The lightest size that is able to overfit; None if no size is known to be.
        part: "In full" means the network's own length over this.
        wanted: Worker-seconds of a search, of runs of the network's own length, that would take
            in `untested`; 0 without it.
        time: A time limit that may be enough for that, for people; empty where none is known.
    """

    rows: tuple[SizeRow, ...]
    chosen: Hidden
    lightest: Hidden
    heaviest: Hidden
    sure: bool
    possible: tuple[Hidden, Hidden]
    apart: tuple[Hidden, ...]
    below: Hidden | None
    upper: str
    untested: Hidden | None
    delta: float
    confirmed: bool
    capped: bool = False
    limited: bool = False
    by_heart: bool = False
    able: Hidden | None = None
    part: int = 1
    wanted: float = 0.0
    time: str = ""

    @property
    def length(self) -> str:
        """How long the sizes that are judged were trained."""
        return "in full" if self.part == 1 else f"for 1/{self.part} of the length"

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        span = _span(self.lightest, self.heaviest)
        parts = [f"too small below {name_of(self.below)}"] if self.below else []
        if self.sure:
            if not self._open_above:
                parts.append(f"just right {span}")
            elif not self.below:
                parts.append(f"best so far {span}")
            if self.possible != (self.lightest, self.heaviest):
                parts.append(f"{_span(*self.possible)} not excluded")
        elif self.lightest == self.heaviest:
            parts.append(f"only {span} was trained in full")
        else:
            parts.append(f"cannot tell {span} apart")
        if self.apart:
            names = ", ".join(map(name_of, self.apart))
            parts.append(f"{names} worse by {'its' if len(self.apart) == 1 else 'their'} shape")
        length = [f"at 1/{self.part} of the length"] if self.part > 1 else []
        return " · ".join([*parts, self._above, *length, f"chosen {name_of(self.chosen)}"])

    @property
    def _open_above(self) -> bool:
        """Whether the one size that is just right is also the heaviest that was compared."""
        single = self.lightest == self.heaviest == self._full[-1].hidden
        return single and self._above.startswith(NOT_TESTED)

    @property
    def _full(self) -> list[SizeRow]:
        return [row for row in self.rows if row.word in JUDGED]

    @property
    def _above(self) -> str:
        """What is known of larger sizes."""
        if self.upper == TOO_LARGE:
            return f"too large above {name_of(self.possible[1])}"
        if self.limited:
            return "the limit that was given costs accuracy"
        if self.capped:
            return "nothing larger is allowed"
        if self.upper == NOT_TESTED or self.untested:
            more = f" in this time (--time {self.time} may be enough)" if self.time else ""
            return f"{NOT_TESTED} {name_of(self._full[-1].hidden)}{more}"
        return self.upper


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
    everything = sorted(evidence.sizes, key=lambda size: (goal.weigh(size), size))
    sizes = [s for s in everything if _judged(evidence, s, goal)]
    if chosen(evidence, goal.selection, goal) is None:
        return None
    losses = evidence.losses(sizes, blocks, FULL)
    losses[[evidence.diverged(size) for size in sizes]] = np.inf
    fresh = losses[:, len(goal.selection) :]
    confirmed = bool((np.isfinite(fresh).all(axis=1)).sum() > 1) if fresh.size else False
    # On one set of validation rows new seeds are not free of the choice: all pairs are judged.
    free = confirmed and row_variance is None
    found = find_plateau(
        losses,
        [goal.weigh(size) for size in sizes],
        overlap=goal.overlap,
        delta=goal.delta,
        row_variance=_row_variances(sizes, row_variance),
        selection=range(len(goal.selection)) if free else (),
        prefer=prefer,
    )
    if found.chosen is None or found.best is None or found.possible is None:
        return None
    assert found.low is not None
    assert found.high is not None
    judged = {size: place for place, size in enumerate(sizes)}
    base = float(np.nanmean(fresh[found.best] if free else losses[found.best]))
    weak = goal.rows < FEW_ROWS or goal.part > 1  # large sizes gain more from the rest of a run
    upper = NO_EVIDENCE if weak and found.upper == TOO_LARGE else found.upper
    rows = tuple(
        _row(evidence, goal, size, found.sizes[judged[size]], base)
        if size in judged and size not in evidence.failed
        else _unjudged(evidence, goal, size)
        for size in everything
    )
    capped = _capped(evidence, goal)
    untested = _untested(evidence, goal)
    return SizeReport(
        rows=rows,
        chosen=sizes[found.chosen],
        lightest=sizes[found.low],
        heaviest=sizes[found.high],
        sure=found.sure,
        possible=(sizes[found.possible[0]], sizes[found.possible[1]]),
        apart=tuple(sizes[place] for place in found.apart),
        below=sizes[found.possible[0]] if found.below is not None else None,
        upper=upper,
        untested=untested,
        delta=goal.delta,
        confirmed=confirmed,
        capped=capped,
        limited=capped and _costly(evidence, goal),
        by_heart=goal.rows >= FEW_ROWS and _by_heart(rows),
        able=able_to_overfit(evidence, sizes, goal),
        part=goal.part,
        wanted=_wanted(evidence, goal, untested) if upper != TOO_LARGE else 0.0,
    )


def _span(first: Hidden, last: Hidden) -> str:
    return name_of(first) if first == last else f"{name_of(first)} to {name_of(last)}"


def _untested(evidence: Evidence, goal: Goal) -> Hidden | None:
    """The lightest rung above everything that was trained."""
    heaviest = max(map(goal.weigh, evidence.sizes))
    above = (each for each in ladder(goal.limits, goal.weigh) if goal.weigh(each) > heaviest)
    return next(above, None)


def _wanted(evidence: Evidence, goal: Goal, untested: Hidden | None) -> float:
    """Worker-seconds for a further size; with more time runs have the network's own length."""
    return 0.0 if untested is None else goal.part * budget_for(evidence, untested, goal)


def _capped(evidence: Evidence, goal: Goal) -> bool:
    """Whether a ladder that limits made shorter was climbed to its end."""
    free = replace(goal.limits, weights=None, only=None)
    allowed = ladder(goal.limits, goal.weigh)
    shorter = bool(allowed) and allowed != ladder(free, goal.weigh)
    return shorter and _judged(evidence, allowed[-1], goal)


def _costly(evidence: Evidence, goal: Goal) -> bool:
    """Whether the last two rungs that are allowed say that a larger one would be better."""
    found = gaps(evidence, evidence.sizes, goal.selection, FULL, goal)
    last = ladder(goal.limits, goal.weigh)[-2:]
    if len(last) < 2 or not all(each in found for each in last):
        return False
    lighter, heavier = (found[each] for each in last)  # another shape may be the best
    reach = max(gap.mean - gap.low for gap in (lighter, heavier))
    return lighter.mean - heavier.mean - reach > goal.delta


def _by_heart(rows: Sequence[SizeRow]) -> bool:
    """Whether the heaviest size is better than the best on training rows, and surely worse."""
    full = [row for row in rows if row.word in JUDGED]
    best, last = next(row for row in full if row.difference == 0.0), full[-1]
    return last.low > 0.0 and last.weights > best.weights and last.train < best.train


def _judged(evidence: Evidence, size: Hidden, goal: Goal) -> bool:
    """Whether it is known how good a size is: as bad as can be, if it diverged."""
    if size in evidence.failed:
        return evidence.diverged(size)
    return evidence.known(size, goal.selection, FULL)


def _row_variances(sizes: list[Hidden], row_variance: RowVariance | None) -> float | np.ndarray:
    if row_variance is None:
        return 0.0
    found = np.zeros((len(sizes), len(sizes)))
    for i, first in enumerate(sizes):
        for j in range(i):
            found[i, j] = found[j, i] = row_variance(first, sizes[j])
    return found


def _row(evidence: Evidence, goal: Goal, size: Hidden, word: SizeWord, base: float) -> SizeRow:
    """A size at its full length; `base` is the loss of the size that differences are to."""
    row = _unjudged(evidence, goal, size)
    return replace(
        row,
        loss=base + word.difference,
        word=word.word,
        difference=word.difference,
        low=word.low,
        high=word.high,
    )


def _unjudged(evidence: Evidence, goal: Goal, size: Hidden) -> SizeRow:
    """A size as far as it was trained."""
    known = {block: curve for (hidden, block), curve in evidence.curves.items() if hidden == size}
    if evidence.known(size, goal.selection, FULL):  # some may have less, from a shorter search
        full = [block for block in known if evidence.known(size, [block], FULL)]
        known = {block: known[block] for block in full}
    curves = list(known.values())
    share = min((curve.share[-1] for curve in curves), default=0.0)
    share = next((each for each in reversed(SHARES) if each <= share * 1.03), share)
    # on the blocks that chose, which all sizes have: others may be easier or harder
    chose = [known[block] for block in goal.selection if block in known]
    failed = evidence.failed.get(size, "")
    hopeful = not failed and promising(evidence, size, goal)
    return SizeRow(
        hidden=size,
        name=name_of(size),
        weights=goal.weigh(size),
        share=share,
        blocks=len(curves),
        loss=_mean([curve.at(share) for curve in curves]),
        train=_mean([curve.train[-1] for curve in chose if curve.train]),
        proper=_mean([curve.proper[-1] for curve in chose if curve.proper]),
        word=FAILED if failed else NO_TIME if hopeful else GIVEN_UP,
        difference=float("nan"),
        low=float("nan"),
        high=float("nan"),
        reason=failed,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
