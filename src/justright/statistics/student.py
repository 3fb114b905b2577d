"""Student's t distribution, and F's tail, written out so that the main process needs no SciPy."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist


def t_cdf(t: float, df: float) -> float:
    """P(T <= t) for `df` degrees of freedom (> 0, need not be whole; inf is the normal).

    >>> round(t_cdf(2.776, 4), 4)
    0.975
    """
    if math.isinf(df) or df > 1e7:
        return NormalDist().cdf(t)
    # of the two regularised incomplete beta functions, the one without cancellation near t = 0
    if t * t < df:
        half = 0.5 * _incomplete_beta(0.5, 0.5 * df, t * t / (df + t * t))
        return 0.5 + half if t > 0 else 0.5 - half
    tail = 0.5 * _incomplete_beta(0.5 * df, 0.5, df / (df + t * t))
    return 1.0 - tail if t > 0 else tail


@lru_cache(maxsize=4096)
def t_quantile(p: float, df: float) -> float:
    """The t with ``t_cdf(t, df) == p``, by bisection.

    Raises:
        ValueError: If `p` is not inside (0, 1) or `df` is not positive.

    >>> round(t_quantile(0.975, 4), 3)
    2.776
    """
    if not 0.0 < p < 1.0 or not df > 0.0:
        raise ValueError(f"t quantile of p = {p}, df = {df}")
    if p == 0.5:
        return 0.0
    if p < 0.5:
        return -t_quantile(1.0 - p, df)
    low, high = 0.0, 1.0
    while t_cdf(high, df) < p and high < 1e12:
        low, high = high, 2.0 * high
    for _ in range(100):
        middle = 0.5 * (low + high)
        if t_cdf(middle, df) < p:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return 0.5 * (low + high)


def f_tail(f: float, df1: float, df2: float) -> float:
    """P(F > f) for the F distribution.

    >>> round(f_tail(3.490, 3, 12), 3)
    0.05
    """
    return _incomplete_beta(0.5 * df2, 0.5 * df1, df2 / (df2 + df1 * f)) if f > 0 else 1.0


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) (DLMF 8.17.22, modified Lentz)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):  # the fraction converges fast only below its mean
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    tiny = 1e-300
    c, d = 1.0, 1.0 / max(1.0 - (a + b) * x / (a + 1.0), tiny)
    fraction = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return front * fraction / a
