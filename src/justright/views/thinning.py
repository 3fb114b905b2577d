"""Long curves made short without losing their extremes."""

from __future__ import annotations

from collections.abc import Sequence


def thin(
    steps: Sequence[float], values: Sequence[float], limit: int
) -> tuple[list[float], list[float]]:
    """At most about `limit` points of a curve: first, last, and each bucket's lowest and highest.

    Args:
        steps: Where, rising.
        values: What was measured there; not-finite values are kept as they are.
        limit: Points wanted, at least 4.

    >>> thin(range(100), [9.0 if i == 50 else 0.0 for i in range(100)], 8)[1].count(9.0)
    1
    """
    size = len(steps)
    if size <= max(limit, 4):
        return [float(s) for s in steps], [float(v) for v in values]
    buckets = max((limit - 2) // 2, 1)
    keep = {0, size - 1}
    for bucket in range(buckets):
        start, stop = bucket * size // buckets, (bucket + 1) * size // buckets
        inside = [i for i in range(start, stop) if values[i] == values[i]]  # NaN != NaN
        if inside:
            keep.add(min(inside, key=lambda i: values[i]))
            keep.add(max(inside, key=lambda i: values[i]))
    order = sorted(keep)
    return [float(steps[i]) for i in order], [float(values[i]) for i in order]
