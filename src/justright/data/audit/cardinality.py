"""Category columns with very many values."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.column import ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import View

MANY = 100
"""Distinct values from which a category is worth a word. Assumption."""

RARE = 10
"""Rows below which a value is called rare. Assumption."""


def find_many_values(view: View) -> Iterator[Finding]:
    """Report categories with more than a hundred values, and how many rows hold rare ones."""
    frame = view.problem.table.frame
    for column in view.inputs:
        if column.kind is not ColumnKind.CATEGORY:
            continue
        counts = frame[column.name].drop_nulls().value_counts(name="__count")["__count"]
        if counts.len() <= MANY:
            continue
        rare = int(counts.filter(counts < RARE).sum())
        yield Finding(
            "many-values",
            Severity.NOTE,
            f"column {column.name!r} has {counts.len():,} distinct values; "
            f"{rare / frame.height:.1%} of the rows hold one that occurs fewer than {RARE} times",
            "frequent values are learned as vectors; rare and new ones share a place",
            (column.name,),
            {"values": float(counts.len()), "rare_share": rare / frame.height},
        )
