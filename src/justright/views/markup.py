"""Text and tables as HTML; the only place that turns user text into markup."""

from __future__ import annotations

from html import escape

from justright.views.table import Table

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


def _kind(table: Table, index: int) -> str:
    if table.columns[index].numeric:
        return "n"
    longest = max((len(row[index]) for row in table.rows), default=0)
    return "s" if longest <= SHORT else "w"
