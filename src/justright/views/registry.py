"""All cards in their order; a new card is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from justright.store.base import AbstractStore
from justright.views.card import Card, NotApplicable
from justright.views.cards.activations import activations
from justright.views.cards.baselines import baselines
from justright.views.cards.classification import calibration, confusion
from justright.views.cards.comparisons import comparisons
from justright.views.cards.data import columns, findings
from justright.views.cards.decisions import decisions
from justright.views.cards.examples import examples
from justright.views.cards.following import following
from justright.views.cards.foresight import foresight
from justright.views.cards.health import health
from justright.views.cards.importance import importance
from justright.views.cards.more_data import more_data
from justright.views.cards.more_time import more_time
from justright.views.cards.noise import noise
from justright.views.cards.rate import rate
from justright.views.cards.recipes import recipes
from justright.views.cards.regression import regression
from justright.views.cards.reproduce import reproduce
from justright.views.cards.sanity import sanity
from justright.views.cards.size_fit import size_fit
from justright.views.cards.size_search import size_map, size_search
from justright.views.cards.sizes import sizes
from justright.views.cards.slices import weak_slices
from justright.views.cards.suspicious import suspicious_labels
from justright.views.cards.time import time
from justright.views.cards.verdict import verdict
from justright.views.reader import Reader

ViewFunction = Callable[[Reader], Card | NotApplicable]


@dataclass(frozen=True)
class View:
    """A card to be: its stable name, its name in a table of contents, how to make it."""

    name: str
    title: str
    make: ViewFunction


@dataclass(frozen=True)
class Section:
    """What became of a view: a card, or why there is none."""

    name: str
    title: str
    card: Card | None
    reason: str = ""


VIEWS: tuple[View, ...] = (
    View("verdict", "Verdict", verdict),
    View("data", "Data and findings", findings),
    View("sanity", "Sanity and state", sanity),
    View("next", "What to do next", following),
    View("baselines", "Baselines", baselines),
    View("recipes", "All recipes tried", recipes),
    View("tried", "Predicted and measured", comparisons),
    View("foresight", "Foresight", foresight),
    View("noise", "Noise", noise),
    View("health", "Health", health),
    View("activations", "Activations", activations),
    View("rate", "Learning rate", rate),
    View("right-size", "Right size", size_search),
    View("size-fit", "Size: training and validation", size_fit),
    View("size-map", "Size map", size_map),
    View("size", "Size", sizes),
    View("predictions", "Predictions", regression),
    View("confusion", "Confusion", confusion),
    View("calibration", "Calibration", calibration),
    View("slices", "Weak slices", weak_slices),
    View("importance", "Importance", importance),
    View("suspicious", "Suspicious labels", suspicious_labels),
    View("examples", "Examples", examples),
    View("more-data", "More data", more_data),
    View("more-time", "More time", more_time),
    View("decisions", "Decisions", decisions),
    View("columns", "Columns", columns),
    View("time", "Time", time),
    View("reproduce", "How to reproduce", reproduce),
)


def sections(
    store: AbstractStore,
    study: str,
    *,
    examples: bool = True,
    views: tuple[View, ...] = VIEWS,
) -> tuple[Section, ...]:
    """Every card of a study, in order.

    A view that fails leaves a card that says so: one broken card must not cost the others.

    Args:
        store: Where the study is kept.
        study: Its name.
        examples: Whether cells of the user's table may be shown.
        views: The views to make.
    """
    reader = Reader(store, study, examples=examples)
    return tuple(_section(view, reader) for view in views)


def _section(view: View, reader: Reader) -> Section:
    try:
        made = view.make(reader)
    except Exception as error:  # any failure of a card is a fact about that card alone
        card = Card(
            title=view.title,
            claim=f"This card could not be made: {type(error).__name__}: {error}",
            notes=("The others are not affected. Please report this.",),
        )
        return Section(view.name, view.title, card, reason="failed")
    if isinstance(made, NotApplicable):
        return Section(view.name, view.title, None, made.reason)
    return Section(view.name, view.title, made)
