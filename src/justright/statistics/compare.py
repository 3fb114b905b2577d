"""Whether a candidate beats the incumbent, from paired blocks, in one of three words.

Blocks share training rows, so their differences are correlated: the variance of the mean is
s² (1 / J + n_val / n_train) instead of s² / J (corrected t; Nadeau & Bengio 2003). Looking several
times is paid for by smaller levels at early looks (group-sequential; Lan & DeMets 1983).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from justright.core.idea import Verdict
from justright.statistics.noise import Pooled
from justright.statistics.student import t_cdf, t_quantile

BETTER, NOT_BETTER, CANNOT_TELL = "better", "not better", "cannot tell"

COUNTS = (3, 5, 8, 12)
"""Blocks at which a comparison is looked at."""

EARLY_LEVELS, LAST_LEVEL = (0.005, 0.01, 0.02), 0.045
"""Two-sided nominal levels of the first looks, and of the last one. Measured once on 40,000
studies of four looks with futility (fewer in benchmarks/statistics.py): without an effect "better"
in 3.4% and "significantly worse" in 0.3% over all looks together; power 0.88 at 1 sd, 1.0 at 2 sd.
With 0.035 at the end: 3.0%, 0.3%, 0.85. With fewer looks there are fewer false verdicts."""

FUTILE_LEVEL = 0.80
"""A candidate is given up when the upper end of this interval is below delta. Measured: 9.4
instead of 11.9 blocks when there is no effect, for 0.01 of power; non-binding."""

_LEVEL = 0.95


def plan_looks(
    most: int, counts: Sequence[int] = COUNTS, *, early: bool = True
) -> tuple[tuple[int, float], ...]:
    """Blocks at each look and its two-sided nominal level, where there can be so many blocks.

    Args:
        most: Blocks of the last look, known before the first one.
        counts: Blocks at which to look before, rising; the first three below `most` are taken.
        early: Whether there are looks before the last one.

    >>> plan_looks(12)
    ((3, 0.005), (5, 0.01), (8, 0.02), (12, 0.045))
    >>> plan_looks(4), plan_looks(12, early=False)
    (((3, 0.005), (4, 0.045)), ((12, 0.045),))
    """
    before = [count for count in counts if count < most][: len(EARLY_LEVELS)] if early else []
    return (*zip(before, EARLY_LEVELS, strict=False), (most, LAST_LEVEL))


LOOKS = plan_looks(COUNTS[-1])
"""The looks of a comparison that can have all the blocks."""


def next_look(blocks: int) -> int | None:
    """Blocks at which to look next, or None after the last look.

    >>> next_look(3), next_look(12)
    (5, None)
    """
    return next((count for count, _ in LOOKS if count > blocks), None)


def blocks_to_add(verdict: Verdict) -> int:
    """How many more blocks a comparison by `LOOKS` needs; 0 means stop.

    A word other than "cannot tell" ends it, and so does the last look.

    >>> pairs = [(0.50, 0.60), (0.52, 0.61), (0.49, 0.62)]
    >>> blocks_to_add(compare("wider", pairs, overlap=0.25, delta=0.01))
    2
    """
    if verdict.word != CANNOT_TELL:
        return 0
    following = next_look(verdict.blocks)
    return 0 if following is None else following - verdict.blocks


def level_at(blocks: int) -> float:
    """Two-sided level of the last look that `blocks` reaches; that of the first before it."""
    reached = [level for count, level in LOOKS if count <= blocks]
    return reached[-1] if reached else LOOKS[0][1]


@dataclass(frozen=True)
class _Spread:
    """Standard error of the mean difference, with its degrees of freedom."""

    se: float
    df: float
    sd: float


def compare(
    subject: str,
    pairs: Sequence[tuple[float, float]],
    *,
    overlap: float,
    delta: float,
    row_variance: float = 0.0,
    pooled: Pooled | None = None,
    alpha: float | None = None,
    margin: float = 0.0,
) -> Verdict:
    """Judge a candidate against the incumbent.

    "better": significantly so, and by at least `delta`. "not better": significantly worse, or the
    gain is at best (80% interval) smaller than `delta`. Everything else, and fewer than three
    blocks, is "cannot tell".

    Args:
        subject: What is compared, for people.
        pairs: (candidate loss, incumbent loss) of each block: same partition, same seed, lower is
            better. A block where only the candidate is not finite has diverged: "not better".
        overlap: n_val / n_train of fresh partitions; 0 for new seeds on one fixed hold-out, which
            needs `row_variance` instead.
        delta: Smallest gain that matters, in units of the loss.
        row_variance: Variance of the mean difference from the choice of the validation rows; inf
            where they cannot show it, and then nothing can be told.
        pooled: Variance of a difference from all trainings of the stage; replaces that of these
            few blocks when it has more degrees of freedom, and allows verdicts on 1 or 2 blocks.
        alpha: Two-sided level of a comparison that is looked at once only (0.10 to screen, 0.01
            to confirm); None uses that of `LOOKS`.
        margin: By how much the candidate may be worse: the word is about the gain above minus
            this (non-inferiority; Piaggio et al. 2012), the figures are about the gain itself.

    Raises:
        ValueError: If `overlap`, `delta`, `row_variance`, `alpha` or `margin` is out of range.

    >>> pairs = [(0.50, 0.60), (0.52, 0.61), (0.49, 0.60)]
    >>> compare("wider", pairs, overlap=0.25, delta=0.01, alpha=0.05).word
    'better'
    >>> pairs = [(0.501, 0.500), (0.499, 0.500), (0.500, 0.501)]
    >>> compare("lighter", pairs, overlap=0.25, delta=0.0, alpha=0.045, margin=0.01).word
    'better'
    """
    _check(overlap, delta, margin, row_variance, alpha)
    given = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    diverged = int((np.isfinite(given[:, 1]) & ~np.isfinite(given[:, 0])).sum())
    finite = given[np.isfinite(given).all(axis=1)]
    gains = finite[:, 1] - finite[:, 0]
    blocks = len(gains)
    mean = float(gains.mean()) if blocks else math.nan
    level = level_at(blocks) if alpha is None else alpha
    evidence: dict[str, float | str] = {"delta": delta, "level": level, "diverged": diverged}
    if diverged:
        evidence["why"] = f"diverged on {diverged} of {len(given)} blocks"
        return Verdict(subject, NOT_BETTER, mean, math.nan, math.nan, blocks, evidence)
    spread = _spread(gains, overlap, row_variance, pooled)
    if spread is None or math.isinf(row_variance):
        why = f"{blocks} blocks, at least {LOOKS[0][0]} are needed"
        evidence["why"] = why if spread is None else "the validation rows hold too few groups"
        return Verdict(subject, CANNOT_TELL, mean, math.nan, math.nan, blocks, evidence)
    word, why = _word(mean + margin, spread, level, delta)
    if margin:
        evidence["margin"] = margin
        why = {BETTER: "worse by less than the margin"}.get(word, why)
    reach = t_quantile(0.5 + 0.5 * _LEVEL, spread.df) * spread.se
    t = mean / spread.se if spread.se > 0 else math.copysign(math.inf, mean) if mean else 0.0
    evidence |= {
        "why": why,
        "se": spread.se,
        "sd": spread.sd,
        "df": spread.df,
        "t": t,
        "p": 2.0 * t_cdf(-abs(t), spread.df),
        "won": float(np.mean(gains > 0.0)),
        # Stopping early overstates effects: shrunk as by James & Stein (1961), positive part.
        "shrunk": mean * max(0.0, 1.0 - 1.0 / t**2) if t else 0.0,
    }
    return Verdict(subject, word, mean, mean - reach, mean + reach, blocks, evidence)


def _spread(
    gains: np.ndarray, overlap: float, row_variance: float, pooled: Pooled | None
) -> _Spread | None:
    blocks = len(gains)
    least = 1 if pooled is not None else LOOKS[0][0]
    if blocks < least:
        return None
    df = float(blocks - 1)
    variance = float(np.var(gains, ddof=1)) if blocks > 1 else math.nan
    if pooled is not None and pooled.df > df:
        variance, df = pooled.variance, pooled.df
    own = variance * (1.0 / blocks + overlap)
    total = own + row_variance
    if row_variance > 0.0 and own > 0.0:
        df = df * (total / own) ** 2  # Welch (1947) and Satterthwaite (1946); rows count as known
    elif own == 0.0 and row_variance > 0.0:
        df = math.inf
    return _Spread(math.sqrt(total), df, math.sqrt(variance))


def _word(mean: float, spread: _Spread, level: float, delta: float) -> tuple[str, str]:
    bound = t_quantile(1.0 - 0.5 * level, spread.df) * spread.se
    upper = mean + t_quantile(0.5 + 0.5 * FUTILE_LEVEL, spread.df) * spread.se
    if mean > bound and mean >= delta:
        return BETTER, "the gain is significant and large enough"
    if mean < -bound:
        return NOT_BETTER, "significantly worse"
    if upper < delta:
        return NOT_BETTER, "a useful gain is unlikely"
    if mean > bound:
        return CANNOT_TELL, "a gain, but perhaps too small to matter"
    return CANNOT_TELL, "the blocks differ too much"


def _check(
    overlap: float, delta: float, margin: float, row_variance: float, alpha: float | None
) -> None:
    for name, value in (("overlap", overlap), ("delta", delta), ("margin", margin)):
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} = {value}, it must be a finite number of at least 0")
    if not row_variance >= 0.0:
        raise ValueError(f"row_variance = {row_variance}, it must be at least 0")
    if alpha is not None and not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha = {alpha}, it must be between 0 and 1")
