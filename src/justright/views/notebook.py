"""Cards as small pieces of HTML for notebooks: no script, no style sheet, no network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from justright.views.markup import table_html, text

if TYPE_CHECKING:  # Card shows itself through this file, so this file must not need Card to load
    from justright.views.card import Card


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
        parts.append(table_html(type(card.table)(card.table.columns, shown, card.table.strong)))
        if len(shown) < len(card.table.rows):
            parts.append(f"<p>{len(card.table.rows) - len(shown):,} more rows in the report.</p>")
    if card.code:
        parts.append(f"<pre>{text(card.code)}</pre>")
    if card.notes:
        items = "".join(f"<li>{text(note)}</li>" for note in card.notes)
        parts.append(f"<ul>{items}</ul>")
    return f"<div>{''.join(parts)}</div>"


def cards_html(cards: Iterable[Card]) -> str:
    """Several cards below each other, for a study in a notebook."""
    return "<hr>".join(card_html(card) for card in cards)


def lines_html(lines: Iterable[str]) -> str:
    """The verdict lines of a study, as they stand in a terminal."""
    return f"<pre>{text(chr(10).join(lines))}</pre>"
