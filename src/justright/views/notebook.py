"""Studies and cards in notebooks: no script, no style sheet, nothing from the network."""

from __future__ import annotations

from collections.abc import Iterable

from justright.store.base import AbstractStore
from justright.views.card import Card, card_html
from justright.views.markup import text
from justright.views.registry import VIEWS, sections
from justright.views.verdict import verdict_lines

__all__ = ["card_html", "cards_html", "lines_html", "study_html"]

SHOWN = ("verdict", "data", "next", "noise", "rate", "right-size", "size-fit", "size-map")
"""Cards of a study in a notebook; the rest stands in the report."""


def study_html(store: AbstractStore, study: str) -> str:
    """A study as a notebook shows it: the verdict lines, then the few cards that matter most.

    Args:
        store: Where the study is kept.
        study: Its name.
    """
    views = tuple(view for view in VIEWS if view.name in SHOWN)
    cards = [part.card for part in sections(store, study, views=views) if part.card is not None]
    return lines_html(verdict_lines(store, study)) + cards_html(cards)


def cards_html(cards: Iterable[Card]) -> str:
    """Several cards below each other."""
    return "<hr>".join(card_html(card) for card in cards)


def lines_html(lines: Iterable[str]) -> str:
    """Lines as they stand in a terminal."""
    return f"<pre>{text(chr(10).join(lines))}</pre>"
