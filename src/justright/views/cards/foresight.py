"""Card: whether ideas helped as often, and by as much, as was foretold."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, decimals, fixed, significant, span
from justright.views.reader import Reader
from justright.views.table import Column, Table

AIMED = 0.8
"""Share of gains that lie between a 10% and a 90% quantile."""


def foresight(reader: Reader) -> Card | NotApplicable:
    """Brier score of the predicted probabilities, and where the measured gains lie."""
    fact = reader.fact("foresight")
    found = fact.get("all") or fact.get("own")
    if not found:
        return NotApplicable("no idea has an outcome yet")
    own = fact.get("own") or {}
    groups = list(found["groups"])
    heads = (
        Column("Predicted to help with", numeric=True),
        Column("Mean of that", numeric=True),
        Column("Helped", numeric=True),
        Column("Ideas", numeric=True),
    )
    rows = tuple(
        (
            f"{each['low']:.0%} to {each['high']:.0%}",
            f"{each['said']:.0%}",
            f"{each['came']:.0%}",
            count(each["ideas"]),
        )
        for each in groups
    )
    return Card(
        title="Foresight",
        claim=_claim(found),
        figure=_figure(groups) if len(groups) > 1 else None,
        table=Table(heads, rows),
        notes=(
            f"{_whence(found)}, {count(own.get('outcomes') or 0)} of them from this one. What "
            "could not be told counts with the probability that the gain is positive.",
            "Brier score: mean squared difference of probability and outcome, lower is better "
            "(Brier 1950). The constant is the share of the other ideas that helped. Ideas of one "
            "study are not independent, so the interval is somewhat too narrow.",
            *_gain_note(found),
        ),
    )


def _whence(found: Mapping[str, Any]) -> str:
    studies = count(found["studies"], "study", "studies")
    return f"{count(found['outcomes'], 'outcome')} of {studies} in this store"


def _claim(found: Mapping[str, Any]) -> str:
    text = (
        f"{found['helped']:.1f} of {count(found['outcomes'], 'idea')} helped; the predicted "
        f"probabilities have a Brier score of {significant(found['brier'])}, one probability for "
        f"all {significant(found['constant'])}"
    )
    low, high = found["low"], found["high"]
    if low is None or not (isfinite(low) and isfinite(high)):
        return f"{text}: too few outcomes to say which is better."
    by = fixed(abs(found["better"]), decimals((high - low) / 2))
    if low > 0.0:
        return f"{text}: they know more, by {by} (95% interval {span(low, high)})."
    if high < 0.0:
        return f"{text}: they mislead, by {by} (95% interval {span(-high, -low)})."
    return f"{text}: no difference is shown (95% interval {span(low, high)})."


def _gain_note(found: Mapping[str, Any]) -> tuple[str, ...]:
    if not found["gains"]:
        return ()
    return (
        f"Gains of ideas that helped: {count(found['inside'])} of {count(found['gains'])} lie "
        f"between the predicted 10% and 90% quantiles; {AIMED:.0%} are aimed at. Those that were "
        "taken look larger than they are, as they were chosen for it.",
    )


def _figure(groups: list[Mapping[str, Any]]) -> figures.Figure:
    most = max(int(each["ideas"]) for each in groups)
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": [each["said"] for each in groups],
        "y": [each["came"] for each in groups],
        "marker": {
            "color": figures.NETWORK,
            "size": [8 + 20 * (int(each["ideas"]) / most) ** 0.5 for each in groups],
        },
        "text": [count(each["ideas"], "idea") for each in groups],
        "hovertemplate": "said %{x:.0%}, helped %{y:.0%}<br>%{text}<extra></extra>",
    }
    axes = {"range": [-0.05, 1.05], "tickformat": ".0%"}
    return {
        "data": [figures.diagonal(), points],
        "layout": figures.layout(
            height=380,
            width=520,
            xaxis=figures.axis("predicted to help", **axes),
            yaxis=figures.axis("helped", **axes),
        ),
    }
