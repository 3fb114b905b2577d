"""Text columns, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

from justright.core.column import ColumnKind
from justright.core.finding import Finding, Severity
from justright.data.audit.view import View, listed


def find_text(view: View) -> Iterator[Finding]:
    """Report text inputs and how they are encoded."""
    found = [column for column in view.inputs if column.kind is ColumnKind.TEXT]
    if not found:
        return
    names = tuple(column.name for column in found)
    noun = "column holds" if len(found) == 1 else "columns hold"
    yield Finding(
        "text",
        Severity.NOTE,
        f"{len(found)} {noun} text: {listed(names)} ({found[0].reason})",
        "turned into hashed character n-grams, reduced to a few components by SVD",
        names,
        {"columns": float(len(found))},
    )
