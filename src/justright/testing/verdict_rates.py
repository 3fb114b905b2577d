"""How often the product's statistics are right in planted worlds; for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from justright.core.idea import Verdict
from justright.statistics.compare import (
    BETTER,
    CANNOT_TELL,
    NOT_BETTER,
    blocks_to_add,
    compare,
    plan_looks,
)
from justright.statistics.intervals import Sample, paired_difference
from justright.statistics.metrics import metric_named
from justright.statistics.noise import pool_alike
from justright.statistics.plateau import JUST_RIGHT, find_plateau
from justright.testing.worlds import ScoreWorld


def compare_rates(gains: np.ndarray, *, overlap: float, delta: float) -> dict[str, float]:
    """Share of each end of comparisons that are looked at as their blocks come.

    Args:
        gains: Paired gains float64 [studies, blocks].
        overlap: n_val / n_train.
        delta: Smallest gain that matters.

    Returns:
        "better", "not better", "significantly worse" (part of it), the mean number of "blocks".
    """
    words, whys, blocks = [], [], []
    for row in gains:
        verdict = compare("", [], overlap=overlap, delta=delta)
        while more := blocks_to_add(verdict):
            count = verdict.blocks + more
            pairs = [(-gain, 0.0) for gain in row[:count]]
            verdict = compare("", pairs, overlap=overlap, delta=delta)
        words.append(verdict.word)
        whys.append(verdict.evidence.get("why"))
        blocks.append(verdict.blocks)
    return {
        "better": words.count(BETTER) / len(words),
        "not better": words.count(NOT_BETTER) / len(words),
        "significantly worse": whys.count("significantly worse") / len(words),
        "blocks": float(np.mean(blocks)),
    }


def round_rates(
    losses: np.ndarray, *, overlap: float, delta: float, pooling: bool = True
) -> dict[str, float]:
    """Share of each word about the last of several recipes that one round compares.

    Args:
        losses: float64 [studies, recipes, blocks], the incumbent first.
        overlap: n_val / n_train.
        delta: Smallest gain that matters.
        pooling: Whether the noise of all recipes is pooled, as the product does it.

    Returns:
        "better", "not better", and the mean number of "blocks".
    """
    ends = [_end_of_round(study, overlap, delta, pooling=pooling) for study in losses]
    words = [end.word for end in ends]
    return {
        "better": words.count(BETTER) / len(words),
        "not better": words.count(NOT_BETTER) / len(words),
        "blocks": float(np.mean([end.blocks for end in ends])),
    }


def _end_of_round(losses: np.ndarray, overlap: float, delta: float, *, pooling: bool) -> Verdict:
    old, *others, new = losses.tolist()
    verdict = compare("", [], overlap=overlap, delta=delta)
    for count, level in plan_looks(losses.shape[1]):
        pairs = list(zip(new[:count], old[:count], strict=True))
        pooled = pool_alike(new[:count], old[:count], others) if pooling else None
        verdict = compare("", pairs, overlap=overlap, delta=delta, pooled=pooled, alpha=level)
        if verdict.word != CANNOT_TELL:
            break
    return verdict


def interval_coverage(gains: np.ndarray, truth: float, *, overlap: float, blocks: int) -> float:
    """Share of the intervals of a comparison on a fixed number of blocks that hold the truth."""
    hits = 0
    for row in gains[:, :blocks]:
        found = compare("", [(-gain, 0.0) for gain in row], overlap=overlap, delta=0.0)
        hits += found.low <= truth <= found.high
    return hits / len(gains)


def plateau_rates(
    world: ScoreWorld, *, blocks: int, delta: float, studies: int, seed: int = 0
) -> dict[str, float]:
    """How often verdicts about sizes are false, and what they cost.

    Returns:
        "too small", "too large": a truly best size was called so (either is "false");
        "within delta": the same of a size within delta of the best; "just right": a size more
        than delta worse was called just right; "plateau", "possible": a truly best size is in
        that range; "good plateau": one within delta is in it; "sure"; "intervals": all
        intervals hold together; "regret": mean of the chosen size, and "near": at most delta.
    """
    rng = np.random.default_rng(seed)
    excess = np.array(world.profile) - min(world.profile)
    best, good = excess == 0.0, excess <= delta
    size = np.arange(len(excess))
    rows = []
    for _ in range(studies):
        found = find_plateau(
            world.draw(rng, blocks), world.weights, overlap=world.overlap, delta=delta
        )
        assert found.possible
        assert found.low is not None
        assert found.high is not None
        assert found.best is not None
        assert found.chosen is not None
        small, large = size < found.possible[0], size > found.possible[1]
        inside = (size >= found.low) & (size <= found.high)
        right = np.array([one.word == JUST_RIGHT for one in found.sizes])
        truth = excess - excess[found.best]
        held = [
            s.low - 1e-12 <= t <= s.high + 1e-12 for s, t in zip(found.sizes, truth, strict=True)
        ]
        rows.append(
            {
                "too small": (small & best).any(),
                "too large": (large & best).any(),
                "false": ((small | large) & best).any(),
                "within delta": ((small | large) & good).any(),
                "just right": (right & ~good).any(),
                "plateau": (inside & best).any(),
                "good plateau": (inside & good).any(),
                "possible": (~small & ~large & best).any(),
                "sure": found.sure,
                "intervals": all(held),
                "regret": excess[found.chosen],
                "near": good[found.chosen],
            }
        )
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def paired_coverage(
    metric: str, kind: str, *, studies: int, seed: int = 0, rows: int = 600, resamples: int = 500
) -> float:
    """Share of 95% intervals of "this network against this booster" that hold the truth.

    Args:
        metric: "rmse" or "log_loss".
        kind: "rows", "clusters" (of 8 rows, correlation 0.5) or "blocks of time" (neighbours
            correlated by 0.6).
        studies: Test sets drawn.
        seed: Of everything random.
        rows: Of a test set.
        resamples: Of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    measure = metric_named(metric)
    y, a, b = _predictions(metric, rng.standard_normal((3, 500_000)), rng)
    truth = measure(y, b, None) - measure(y, a, None)
    hits = 0
    for study in range(studies):
        latent, groups, times = _latent(rng, kind, rows)
        y, a, b = _predictions(metric, latent, rng)
        sample = Sample(y, groups=groups, times=times)
        found = paired_difference(measure, sample, a, b, seed=study, resamples=resamples)
        hits += found.low <= truth <= found.high
    return hits / studies


def _latent(
    rng: np.random.Generator, kind: str, rows: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Standard normals [3, rows] with the dependence of that kind, groups and times."""
    z = rng.standard_normal((3, rows))
    if kind == "clusters":
        group = np.arange(rows) // 8
        shared = rng.standard_normal((3, int(group[-1]) + 1))[:, group]
        return np.sqrt(0.5) * (shared + z), group, None
    if kind == "blocks of time":
        for k in range(1, rows):
            z[:, k] = 0.6 * z[:, k - 1] + 0.8 * z[:, k]
        return z, None, np.arange(rows, dtype=np.float64)
    return z, None, None


def _predictions(
    metric: str, z: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth and the predictions of two methods that err alike, the first a little less."""
    if metric == "rmse":
        return (
            np.zeros((z.shape[1], 1)),
            z[0][:, None],
            (0.8 * z[0] + 0.75 * z[1])[:, None],
        )
    y = (rng.random(z.shape[1]) < _sigmoid(1.5 * z[0])).astype(np.int64)
    return y, _two(_sigmoid(1.5 * z[0] + 0.5 * z[1])), _two(_sigmoid(1.2 * z[0] + 0.8 * z[2]))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def _two(p: np.ndarray) -> np.ndarray:
    return np.stack([1.0 - p, p], axis=1)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers with three decimals.

    >>> print(table(["world", "rate"], [["flat", 0.0312]]))
    | world | rate |
    |---|---|
    | flat | 0.031 |
    """

    def line(cells: Sequence[object]) -> str:
        return (
            "| " + " | ".join(f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells) + " |"
        )

    return "\n".join([line(head), "|" + "---|" * len(head), *map(line, rows)])
