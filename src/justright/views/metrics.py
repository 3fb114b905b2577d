"""Names of metrics for people, and which of them to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from justright.statistics.metrics import METRICS


def title_of(name: str) -> str:
    """A metric's title; what its function is called if it is one of the user's.

    >>> title_of("rmse"), title_of("mine:net_profit:higher")
    ('RMSE', 'net profit')
    """
    if ":" in name:
        return name.split(":")[1].rpartition(".")[2].replace("_", " ")
    return next((metric.title for metric in METRICS if metric.name == name), name)


def columns_of(scores: Iterable[Mapping[str, float]], *, first: str) -> tuple[str, ...]:
    """The metrics that occur, `first` in front, the others in their usual order."""
    found = {name for mapping in scores for name in mapping}
    ordered = [metric.name for metric in METRICS if metric.name in found]
    ordered += sorted(found - set(ordered))
    return (first, *(name for name in ordered if name != first))
