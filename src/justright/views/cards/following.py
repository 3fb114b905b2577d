"""Card: what to try next."""

from __future__ import annotations

from justright.views.card import Card, NotApplicable
from justright.views.numbers import capital, count
from justright.views.reader import Reader
from justright.views.table import Column, Table

TOP = 3
"""Steps shown (DESIGN: the three most important)."""


def following(reader: Reader) -> Card | NotApplicable:
    """The next steps that promise most, with the reason of each."""
    entries = reader.entries("next")
    if not entries:
        return NotApplicable("nothing is known that would help further")
    rows = tuple(
        (str(e.get("title") or ""), reader.shown(str(e.get("why") or ""))) for e in entries[:TOP]
    )
    more = len(entries) - len(rows)
    return Card(
        title="What to do next",
        claim=f"{capital(rows[0][0])} is the most promising next step.",
        table=Table((Column("Step"), Column("Why")), rows),
        notes=(f"{count(more, 'further step')} in the ledger.",) if more else (),
    )
