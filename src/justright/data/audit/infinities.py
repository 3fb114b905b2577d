"""Infinite numbers."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed


def find_infinities(view: View) -> Iterator[Finding]:
    """Report inputs with infinite values, which are treated as missing."""
    frame = view.problem.table.frame
    counts = {
        column.name: int(frame[column.name].is_infinite().sum())
        for column in view.inputs
        if frame[column.name].dtype.is_float()
    }
    counts = {name: count for name, count in counts.items() if count}
    if not counts:
        return
    names = sorted(counts, key=lambda name: -counts[name])
    total = sum(counts.values())
    yield Finding(
        "infinities",
        Severity.WARNING,
        f"{total:,} infinite values in {listed([f'{n} ({counts[n]:,})' for n in names])}",
        "treated as missing; look for a division by zero",
        tuple(names),
        {"values": float(total)},
    )
