"""Cards: one claim with its figure and table, and nothing about how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from justright.views.markup import card_html


@dataclass(frozen=True)
class Column:
    """The head of a table's column; numeric ones are set right, in figures of equal width."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under their heads.

    Attributes:
        columns: One head per column.
        rows: Cells as text, already formatted; each row as long as `columns`.
        strong: Numbers of the rows worth finding first (the champion, the network).
        caption: What the rows are, when the card's claim does not say it.

    Raises:
        ValueError: If a row has another length than `columns`.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"row {row!r} does not fit {len(self.columns)} columns")


@dataclass(frozen=True)
class Card:
    """One claim with what shows it.

    Attributes:
        title: What the card is about.
        claim: The one sentence a reader should take away, with its numbers.
        figure: A Plotly figure as JSON (``data``, ``layout``), or None.
        table: The numbers behind it, or None.
        notes: Caveats and how to read it, one sentence each.
        code: Text to copy (a command, a plan), or empty.
    """

    title: str
    claim: str
    figure: Mapping[str, Any] | None = None
    table: Table | None = None
    notes: tuple[str, ...] = field(default=())
    code: str = ""

    def _repr_html_(self) -> str:
        """The card as a notebook shows it."""
        return card_html(self)


@dataclass(frozen=True)
class NotApplicable:
    """Why a study has no such card (yet)."""

    reason: str
