"""Which sizes are just right: a word for each size, and the plateau they form.

"just right": within delta of every other size (one-sided 90% limits; each pair is tested, so no
size has to be chosen first: intersection-union, Berger 1982). "worse": more than delta worse than
the best, and the 95% interval, which holds for all pairs together, excludes 0. Everything else is
"cannot tell". Where no size is shown to be just right, the plateau is what could not be excluded.

Sizes have a weight and a shape, so a worse size says nothing of lighter ones by itself: sizes are
too small below the lightest that is not worse, too large above the heaviest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from justright.statistics.additive import Fit, estimate_noise, fit_additive
from justright.statistics.noise import Pooled
from justright.statistics.simultaneous import Pairs, all_pairs, critical_value

JUST_RIGHT, WORSE, CANNOT_TELL = "just right", "worse", "cannot tell"

TOO_LARGE, NO_EVIDENCE, NOT_TESTED = (
    "too large above",
    "no evidence for larger",
    "not tested above",
)

NON_INFERIOR_LEVEL = 0.90
"""One-sided level of "at most delta worse" (a convention of non-inferiority trials)."""

LEVEL = 0.97
"""Nominal level of the limits called 95%. Measured on 1,000 studies each of flat sizes: at
0.95 they held in only 91 to 95% (noise is tested for equality first; tails may be heavy)."""


@dataclass(frozen=True)
class SizeWord:
    """What the blocks say about one size.

    Attributes:
        weights: Its number of weights.
        difference: Its loss minus that of the best size; nan where they share no block.
        low: Lower end of the 95% interval, which holds for all sizes together.
        high: Upper end.
        se: Standard error of the difference.
        margin: Upper 90% limit of how much worse it is than any other size.
        word: "just right", "worse" or "cannot tell".
        blocks: On how many blocks it was trained.
    """

    weights: int
    difference: float
    low: float
    high: float
    se: float
    margin: float
    word: str
    blocks: int


@dataclass(frozen=True)
class Plateau:
    """The verdict about sizes; all sizes are places in `sizes`.

    Attributes:
        sizes: Every size in the order given.
        best: Lowest mean loss; None where nothing was measured.
        low: Lightest size of the plateau.
        high: Heaviest.
        sure: Whether the plateau consists of sizes shown to be just right; otherwise of those
            that could not be told from the best.
        possible: Lightest and heaviest size that was not shown to be worse.
        apart: Sizes between these that are worse all the same: by their shape.
        chosen: The size to take.
        below: Weights under which sizes are too small; None without evidence for that.
        above: Weights over which sizes are too large; None without evidence for that.
        upper: "too large above", "no evidence for larger" or "not tested above".
        delta: Smallest difference that matters.
        df: Degrees of freedom of the pooled noise.
        levene: p value of equal noise in all thirds of the sizes; nan if not tested.
        pooled_by: How many groups of sizes have their own noise.
    """

    sizes: tuple[SizeWord, ...]
    best: int | None
    low: int | None
    high: int | None
    sure: bool
    possible: tuple[int, int] | None
    apart: tuple[int, ...]
    chosen: int | None
    below: int | None
    above: int | None
    upper: str
    delta: float
    df: float
    levene: float
    pooled_by: int


def find_plateau(
    losses: np.ndarray,
    weights: Sequence[int],
    *,
    overlap: float,
    delta: float,
    row_variance: float | np.ndarray = 0.0,
    selection: Sequence[int] = (),
    pooled: Pooled | None = None,
    prefer: str = "small",
) -> Plateau:
    """Judge all sizes from paired blocks (a block: fresh partition, fresh seed, all sizes).

    The noise is pooled over all sizes and blocks by an additive model, by thirds of the sizes
    where their noise differs. All pairs are corrected for the choice of the best among them. With
    `selection`, the reference is chosen on those blocks and judged on the others.

    Args:
        losses: float64 [sizes, blocks], lower is better; nan = not run, inf = diverged.
        weights: Number of weights of each size, not decreasing.
        overlap: n_val / n_train of fresh partitions; 0 for new seeds on one fixed hold-out, which
            needs `row_variance` instead.
        delta: Smallest difference that matters, in units of the loss.
        row_variance: Variance of a pair's difference from the choice of the validation rows; one
            for all, or [sizes, sizes]; inf where they cannot show it, and then no size is judged.
        selection: Blocks (columns) on which sizes were chosen that then ran on all other blocks.
        pooled: What is known of the variance of a difference from other runs of this kind.
        prefer: "small": the smallest of the plateau; "accuracy": the lowest mean.

    Raises:
        ValueError: If shapes, weights, overlap, delta or `prefer` make no sense.

    >>> losses = np.array([[0.9, 0.8, 0.85], [0.51, 0.41, 0.46], [0.5, 0.4, 0.455]])
    >>> found = find_plateau(losses, [100, 1_000, 10_000], overlap=0.25, delta=0.05)
    >>> [size.word for size in found.sizes], found.chosen, found.below, found.upper
    (['worse', 'just right', 'just right'], 1, 1000, 'no evidence for larger')
    """
    losses = np.array(losses, dtype=np.float64)
    rows = _checked(losses, weights, overlap, delta, row_variance, prefer)
    diverged = np.asarray(np.isposinf(losses).any(axis=1))
    losses[diverged | ~np.isfinite(losses).any(axis=1)] = np.nan
    losses[~np.isfinite(losses)] = np.nan
    everything = fit_additive(losses)
    cell_noise = estimate_noise(everything, pooled) if np.isfinite(rows).all() else None
    if not np.isfinite(everything.mean).any():
        return _nothing(weights, delta, diverged)
    reference, fits = _fits(losses, everything, selection)
    words = _words(weights, losses, diverged, reference)
    levene, groups, df = math.nan, 0, 0.0
    if cell_noise is not None:
        judged = [(all_pairs(fit, cell_noise, overlap, rows), own) for fit, own in fits]
        words = _judge(words, judged, reference, delta, diverged)
        levene, groups = cell_noise.levene, len(cell_noise.variance)
        df = float(cell_noise.df.sum())
    return _plateau(words, reference, delta, prefer, (df, levene, groups))


def _checked(
    losses: np.ndarray,
    weights: Sequence[int],
    overlap: float,
    delta: float,
    row_variance: float | np.ndarray,
    prefer: str,
) -> np.ndarray:
    """Row variances [sizes, sizes] with 0 on the diagonal, once all arguments make sense."""
    if losses.ndim != 2 or len(losses) != len(weights) or not len(weights):
        raise ValueError(f"losses {losses.shape} for {len(weights)} sizes, it must be [sizes, J]")
    if any(b < a for a, b in pairwise(weights)):
        raise ValueError(f"weights {list(weights)}, they must not decrease")
    rows = np.array(np.broadcast_to(np.asarray(row_variance, dtype=np.float64), [len(losses)] * 2))
    np.fill_diagonal(rows, 0.0)
    for name, value in (("overlap", overlap), ("delta", delta)):
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} = {value}, it must be a finite number of at least 0")
    if not rows.min() >= 0.0:
        raise ValueError(f"row_variance = {rows.min()}, it must be at least 0")
    if prefer not in ("small", "accuracy"):
        raise ValueError(f"prefer = {prefer!r}, it must be 'small' or 'accuracy'")
    return rows


def _fits(
    losses: np.ndarray, everything: Fit, selection: Sequence[int]
) -> tuple[int, list[tuple[Fit, bool]]]:
    """The reference size, and the fits that judge, the most trusted first.

    Each comes with whether its blocks are free of the choice of the reference.
    """
    chosen = np.zeros(losses.shape[1], dtype=bool)
    chosen[list(selection)] = True
    if chosen.any() and not chosen.all():
        first = fit_additive(np.where(chosen, losses, np.nan)).mean
        confirmed = fit_additive(np.where(chosen, np.nan, losses))
        both = np.isfinite(first) & np.isfinite(confirmed.mean) & np.isfinite(everything.mean)
        if both.sum() > 1:
            reference = int(np.argmin(np.where(both, first, np.inf)))
            return reference, [(confirmed, True), (everything, False)]
    return int(np.nanargmin(everything.mean)), [(everything, False)]


def _words(
    weights: Sequence[int],
    losses: np.ndarray,
    diverged: np.ndarray,
    reference: int,
) -> list[SizeWord]:
    """What can be said before any noise is known: differences, and which sizes diverged."""
    found = []
    for i, count in enumerate(weights):
        gap = losses[i] - losses[reference]
        gap = gap[np.isfinite(gap)]
        mean = math.inf if diverged[i] else float(gap.mean()) if len(gap) else math.nan
        word = WORSE if diverged[i] else CANNOT_TELL
        blocks = int(np.isfinite(losses[i]).sum())
        found.append(SizeWord(count, mean, math.nan, math.nan, math.nan, math.inf, word, blocks))
    return found


def _judge(
    words: list[SizeWord],
    judged: list[tuple[Pairs, bool]],
    reference: int,
    delta: float,
    diverged: np.ndarray,
) -> list[SizeWord]:
    """Give every size the limits and the word of the first fit that knows it."""
    open_to: set[int] = set(np.flatnonzero(~diverged).tolist())
    found = list(words)
    for pairs, free in judged:
        there = np.flatnonzero(np.isfinite(pairs.difference[:, reference]))
        both = [(i, j) for i in there for j in there if i > j]
        if free:  # the reference was chosen elsewhere: only differences to it are looked at
            both = [(i, reference) for i in there if i != reference]
        reach = critical_value(pairs, np.array(both).reshape(-1, 2), LEVEL) if both else math.inf
        how = (there, pairs.uppers(NON_INFERIOR_LEVEL), reach, delta)
        for i in there:
            if i in open_to:
                found[i] = _word(words[i], pairs, int(i), reference, how)
                open_to.discard(int(i))
    return found


def _word(
    size: SizeWord,
    pairs: Pairs,
    i: int,
    reference: int,
    how: tuple[np.ndarray, np.ndarray, float, float],
) -> SizeWord:
    there, uppers, reach, delta = how
    others = uppers[i, there[there != i]]
    margin = float(others.max()) if len(others) else math.inf
    difference = float(pairs.difference[i, reference])
    se = float(pairs.se[i, reference])
    half = reach * se if i != reference else 0.0
    word = CANNOT_TELL
    if margin <= delta:
        word = JUST_RIGHT
    elif difference > delta and difference - half > 0.0:
        word = WORSE
    low, high = difference - half, difference + half
    return SizeWord(size.weights, difference, low, high, se, margin, word, size.blocks)


def _plateau(
    words: list[SizeWord],
    best: int,
    delta: float,
    prefer: str,
    noise: tuple[float, float, int],
) -> Plateau:
    """Put the sizes' words together."""
    good = [i for i, size in enumerate(words) if size.word != WORSE]  # the best is among them
    first, last = good[0], good[-1]
    right = [i for i in good if words[i].word == JUST_RIGHT]
    low, high = (right[0], right[-1]) if right else (first, last)
    if prefer == "accuracy":
        chosen = min(right or [best], key=lambda i: words[i].difference)
    else:
        # without a sure plateau, by the estimates: the smallest that is not delta behind
        near = [i for i in good if words[i].difference <= delta]
        chosen = low if right else near[0]
    return Plateau(
        sizes=tuple(words),
        best=best,
        low=low,
        high=high,
        sure=bool(right),
        possible=(first, last),
        apart=tuple(i for i in range(first, last) if i not in good),
        chosen=chosen,
        below=words[first].weights if first > 0 else None,
        above=words[last].weights if last + 1 < len(words) else None,
        upper=_upper(words, chosen, last),
        delta=delta,
        df=noise[0],
        levene=noise[1],
        pooled_by=noise[2],
    )


def _upper(words: list[SizeWord], chosen: int, last: int) -> str:
    if last + 1 < len(words):
        return TOO_LARGE
    # the largest size is the one to take: nobody knows what a still larger one would do
    return NOT_TESTED if chosen == len(words) - 1 else NO_EVIDENCE


def _nothing(weights: Sequence[int], delta: float, diverged: np.ndarray) -> Plateau:
    """The verdict where no size has a finite loss."""
    words = tuple(
        SizeWord(
            count,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            math.inf,
            WORSE if gone else CANNOT_TELL,
            0,
        )
        for count, gone in zip(weights, diverged, strict=True)
    )
    return Plateau(
        sizes=words,
        best=None,
        low=None,
        high=None,
        sure=False,
        possible=None,
        apart=(),
        chosen=None,
        below=None,
        above=None,
        upper=NOT_TESTED,
        delta=delta,
        df=0.0,
        levene=math.nan,
        pooled_by=0,
    )
