"""Columns that never change."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.column import ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed


def find_constants(view: View) -> Iterator[Finding]:
    """Report columns that were left out because they always hold the same value."""
    found = [
        column
        for column in view.problem.schema.columns
        if column.kind is ColumnKind.CONSTANT and column.name not in view.problem.options.drop
    ]
    if not found:
        return
    names = tuple(column.name for column in found)
    noun = "column holds" if len(found) == 1 else "columns hold"
    yield Finding(
        "constants",
        Severity.NOTE,
        f"{len(found)} {noun} one value only: {listed(names)} ({found[0].reason})",
        "left out",
        names,
        {"columns": float(len(found))},
    )
