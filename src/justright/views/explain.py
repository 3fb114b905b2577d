"""Decisions of a study as lines for a terminal: what, why, on whose word, with what effect."""

from __future__ import annotations

from textwrap import wrap

from justright.store.base import AbstractStore
from justright.views.card import Card
from justright.views.cards.decisions import measured_text
from justright.views.cards.size_fit import size_fit
from justright.views.cards.size_search import size_search
from justright.views.reader import Reader

WIDTH = 96


def stages(store: AbstractStore, study: str) -> tuple[str, ...]:
    """Stages of a study in which something was decided, in their order."""
    return tuple(dict.fromkeys(decision.stage for decision in Reader(store, study).decisions))


def explain_lines(store: AbstractStore, study: str, stage: str | None = None) -> list[str]:
    """Every decision with its reason, source and measured effect.

    Args:
        store: Where the study is kept.
        study: Its name.
        stage: Only decisions of this stage; None = all.
    """
    lines: list[str] = []
    for decision in Reader(store, study).decisions:
        if stage is not None and decision.stage != stage:
            continue
        measured = measured_text(decision.measured)
        lines += _folded(f"{decision.stage}: ", decision.choice)
        lines += _folded("  because ", decision.reason)
        lines += _folded("  source  ", f"{decision.source} ({decision.status})")
        if measured:
            lines += _folded("  measured ", measured)
    return lines


def size_lines(store: AbstractStore, study: str) -> list[str]:
    """The size search: its verdict, then a line for each size, lightest first."""
    reader = Reader(store, study)
    card = size_search(reader)
    if not isinstance(card, Card):
        return [card.reason]
    assert card.table is not None
    cells = [tuple(column.title for column in card.table.columns), *card.table.rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    lines = [card.claim]
    for place, row in enumerate(cells):
        mark = "→ " if place - 1 in card.table.strong else "  "
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append((mark + "  ".join(padded)).rstrip())
    fit = size_fit(reader)
    for text in (*([fit.claim] if isinstance(fit, Card) else []), *card.notes):
        lines += _folded("", text)
    return lines


def _folded(label: str, text: str) -> list[str]:
    first, *rest = wrap(text, WIDTH - len(label)) or [""]
    return [label + first, *(" " * len(label) + line for line in rest)]
