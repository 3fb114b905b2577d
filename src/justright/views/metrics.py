"""Names of metrics for people, and which of them to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from justright.statistics.metrics import METRICS


def title_of(name: str) -> str:
    """A metric's title; its name if it is not one of ours.

    >>> title_of("rmse")
    'RMSE'
    """
    return next((metric.title for metric in METRICS if metric.name == name), name)


def columns_of(scores: Iterable[Mapping[str, float]], *, first: str) -> tuple[str, ...]:
    """The metrics that occur, `first` in front, the others in their usual order."""
    found = {name for mapping in scores for name in mapping}
    ordered = [metric.name for metric in METRICS if metric.name in found]
    ordered += sorted(found - set(ordered))
    return (first, *(name for name in ordered if name != first))
