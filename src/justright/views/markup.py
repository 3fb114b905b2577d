"""Text, tables and cards as HTML; the only place that turns user text into markup."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # cards show themselves through this file, so it must not need them to load
    from justright.views.card import Card, Table

SHORT = 24
"""Characters up to which a column's cells are kept on one line."""


def text(value: object) -> str:
    """Any text, safe between tags and inside quoted attributes.

    >>> text("<b>5 > 4 & 'so'</b>")
    '&lt;b&gt;5 &gt; 4 &amp; &#x27;so&#x27;&lt;/b&gt;'
    """
    return escape(str(value), quote=True)


def table_html(table: Table) -> str:
    """A table as HTML.

    Classes: ``n`` a numeric column, ``s`` one of short texts, ``w`` one with sentences; ``strong``
    a row worth finding first.
    """
    classes = [f' class="{_kind(table, index)}"' for index in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{mark}>{text(column.title)}</th>'
        for column, mark in zip(table.columns, classes, strict=True)
    )
    rows = []
    for number, row in enumerate(table.rows):
        cells = "".join(
            f"<td{mark}>{text(cell)}</td>" for cell, mark in zip(row, classes, strict=True)
        )
        mark = ' class="strong"' if number in table.strong else ""
        rows.append(f"<tr{mark}>{cells}</tr>")
    caption = f"<caption>{text(table.caption)}</caption>" if table.caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


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


def _kind(table: Table, index: int) -> str:
    if table.columns[index].numeric:
        return "n"
    longest = max((len(row[index]) for row in table.rows), default=0)
    return "s" if longest <= SHORT else "w"
