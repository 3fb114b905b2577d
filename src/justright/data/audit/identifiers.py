"""Columns that name rows."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.column import ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed


def find_identifiers(view: View) -> Iterator[Finding]:
    """Report columns that were left out because they name rows."""
    found = [
        column
        for column in view.problem.schema.columns
        if column.kind is ColumnKind.IDENTIFIER and not column.used
        if column.name not in view.problem.options.drop
    ]
    if not found:
        return
    names = tuple(column.name for column in found)
    noun = "column names" if len(found) == 1 else "columns name"
    yield Finding(
        "identifiers",
        Severity.NOTE,
        f"{len(found)} {noun} rows: {listed(names)} ({found[0].reason})",
        f"left out; if it says something, use --kind {names[0]!r}=category",
        names,
        {"columns": float(len(found))},
    )
