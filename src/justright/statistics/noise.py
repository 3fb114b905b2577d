"""How much scores move when only the seed or the split changes; and what counts as a tie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from justright.statistics.student import f_tail


@dataclass(frozen=True)
class Noise:
    """The spread of repeated trainings of one recipe.

    Attributes:
        seed_sd: Standard deviation between seeds on the same split; nan if no split has two.
        split_sd: Standard deviation that splits add to it; nan with a single split.
        total_sd: Of a single training on a random split with a random seed.
        tie_below: Two recipes, each trained `blocks` times and paired by split, whose mean scores
            differ by less than this are a tie at 95%; nan when unknown.
        blocks: Paired trainings of the next comparison that `tie_below` is about.
        df: Degrees of freedom behind `seed_sd`.
    """

    seed_sd: float
    split_sd: float
    total_sd: float
    tie_below: float
    blocks: int
    df: int


def noise(scores: Iterable[tuple[str | int, int, float]], *, blocks: int = 3) -> Noise:
    """Separate the noise of seeds from that of splits (one-way random effects, Searle 1971).

    Args:
        scores: (split, seed, score) of every repeated training; scores that are not finite are
            left out.
        blocks: How many paired trainings the next comparison will have.

    >>> found = noise([("a", 0, 1.0), ("a", 1, 1.2), ("b", 0, 2.0), ("b", 1, 2.2)])
    >>> round(found.seed_sd, 3), round(found.split_sd, 3)
    (0.141, 0.7)
    """
    by_split: dict[str | int, list[float]] = {}
    for split, _, value in scores:
        if math.isfinite(value):
            by_split.setdefault(split, []).append(value)
    cells = [np.asarray(values) for values in by_split.values()]
    count, splits = sum(len(cell) for cell in cells), len(cells)
    df = count - splits
    within = sum(float(np.square(cell - cell.mean()).sum()) for cell in cells)
    seed_var = within / df if df > 0 else math.nan
    split_var = math.nan
    if splits > 1:
        means = np.array([cell.mean() for cell in cells])
        sizes = np.array([len(cell) for cell in cells], dtype=np.float64)
        between = float(np.var(means, ddof=1))
        part = seed_var * float(np.mean(1.0 / sizes)) if df > 0 else 0.0
        split_var = max(0.0, between - part)
    parts = [v for v in (seed_var, split_var) if not math.isnan(v)]
    # Without repeated seeds on a split the two cannot be told apart: the total stands for both,
    # which makes ties too wide rather than too narrow.
    known = seed_var if df > 0 else split_var
    return Noise(
        seed_sd=math.sqrt(seed_var),
        split_sd=math.sqrt(split_var),
        total_sd=math.sqrt(sum(parts)) if parts else math.nan,
        tie_below=tie(known, blocks),
        blocks=blocks,
        df=max(df, 0),
    )


def tie(variance: float, blocks: int) -> float:
    """Difference below which two means of so many paired trainings are a tie at 95%.

    >>> round(tie(0.01, 3), 3)
    0.16
    """
    return NormalDist().inv_cdf(0.975) * math.sqrt(2.0 * variance / blocks)


@dataclass(frozen=True)
class Pooled:
    """Variance of one paired difference, learned from all trainings of a stage.

    Attributes:
        variance: Of the difference of two recipes in one block.
        df: Its degrees of freedom.
    """

    variance: float
    df: float


def pool(scores: np.ndarray) -> Pooled | None:
    """Pool the noise over all recipes of a stage by an additive model, recipe + block.

    Three blocks alone give a standard error with 2 degrees of freedom, which is itself noise; k
    recipes on J blocks give (k - 1)(J - 1).

    Args:
        scores: [recipes, blocks], every recipe on the same blocks; nan where one is missing.

    Returns:
        None with fewer than 2 complete recipes or blocks.
    """
    scores = np.asarray(scores, dtype=np.float64)
    scores = scores[np.isfinite(scores).all(axis=1)]
    recipes, blocks = scores.shape
    if recipes < 2 or blocks < 2:
        return None
    rest = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    df = (recipes - 1) * (blocks - 1)
    return Pooled(2.0 * float(np.square(rest).sum()) / df, df)


LEAST_BLOCKS = 3
"""On fewer blocks it cannot be seen which recipes are as noisy."""

ALIKE = 0.25
"""Two recipes are as noisy as each other if F of their variances lies between this quantile and
its counterpart. Measured in benchmarks/statistics.py ("round of four"): narrow enough that false
verdicts stay near 5% where noises differ, and a noisy bystander costs no power."""


def pool_alike(
    new: Sequence[float], old: Sequence[float], others: Iterable[Sequence[float]]
) -> Pooled | None:
    """Pool the noise of two recipes with that of others that are as noisy, on the same blocks.

    The differences of the two alone say little on few blocks. Others that are as noisy lend their
    degrees of freedom; what is returned is never less than the two show themselves.

    Args:
        new, old: Scores of the two that are compared, block by block.
        others: Scores of others, from the first of these blocks on; those with fewer do not count.

    Returns:
        None where no other recipe is alike, or on fewer than three blocks: the two then speak for
        themselves.

    >>> found = pool_alike([1.0, 2.0, 4.0], [1.1, 2.1, 3.9], [[0.9, 2.1, 4.1], [0.9, 2.1]])
    >>> round(found.variance, 4), found.df
    (0.0222, 4)
    """
    pair = np.array([new, old], dtype=np.float64)
    blocks = pair.shape[1]
    if blocks < LEAST_BLOCKS or not np.isfinite(pair).all():
        return None
    own = float(np.var(pair[0] - pair[1], ddof=1))
    alike = [*pair]
    for other in others:
        scores = np.asarray(other[:blocks], dtype=np.float64)
        if len(scores) == blocks and np.isfinite(scores).all():
            # around the mean of the two: 1 + 1/2 instead of 1 + 1 units of variance
            apart = float(np.var(scores - pair.mean(axis=0), ddof=1)) * 2.0 / 1.5
            if own > 0.0 and ALIKE < f_tail(apart / own, blocks - 1, blocks - 1) < 1.0 - ALIKE:
                alike.append(scores)
    found = pool(np.array(alike)) if len(alike) > 2 else None
    return None if found is None else Pooled(max(found.variance, own), found.df)


def smallest_useful(constant_loss: float, best_baseline_loss: float) -> float:
    """Smallest difference that matters in practice (delta).

    1% of the way from the constant to the best baseline (assumption: a hundredth of what is there
    to be learned is worth no further complexity); 0 where no baseline is better.

    Args:
        constant_loss: Of predicting the mean or the class shares; lower is better.
        best_baseline_loss: Of the best baseline.

    >>> smallest_useful(1.0, 0.5)
    0.005
    """
    reach = constant_loss - best_baseline_loss
    return 0.01 * reach if math.isfinite(reach) and reach > 0 else 0.0
