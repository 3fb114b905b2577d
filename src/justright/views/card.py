"""Cards: one claim with its figure and table, and nothing about how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from justright.views.markup import table_html, text
from justright.views.table import Table


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


def card_html(card: Card, *, rows: int = 20) -> str:
    """A card as HTML for a notebook cell.

    Notebooks strip scripts from saved output, so the figure is left to the report.

    Args:
        card: What to show.
        rows: At most so many rows of its table.
    """
    parts = [f"<h4>{text(card.title)}</h4>", f"<p>{text(card.claim)}</p>"]
    if card.table is not None:
        shown = card.table.rows[:rows]
        parts.append(table_html(Table(card.table.columns, shown, card.table.strong)))
        if len(shown) < len(card.table.rows):
            parts.append(f"<p>{len(card.table.rows) - len(shown):,} more rows in the report.</p>")
    if card.code:
        parts.append(f"<pre>{text(card.code)}</pre>")
    if card.notes:
        items = "".join(f"<li>{text(note)}</li>" for note in card.notes)
        parts.append(f"<ul>{items}</ul>")
    return f"<div>{''.join(parts)}</div>"
