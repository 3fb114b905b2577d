"""Card: the range test, what its curve suggests, and which rate won the race."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1, isfinite, log10
from typing import Any

from justright.views import figures
from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table


def rate(reader: Reader) -> Card | NotApplicable:
    """The curve of the range test, the candidates read off it, and their race."""
    fact = reader.fact("rate")
    entrants = _entrants(fact)
    if not entrants:
        return NotApplicable(str(fact.get("reason") or "no learning rate was tested yet"))
    first, *notes = rate_lines(fact)
    curve = _curve(fact)
    return Card(
        title="Learning rate",
        claim=first,
        figure=_figure(fact, curve, entrants) if curve[0] else None,
        table=_table(fact, entrants),
        notes=(
            *notes,
            "Rates are meant at width 256, and constant ones: a schedule peaks above them.",
        ),
    )


def rate_lines(fact: Mapping[str, Any]) -> tuple[str, ...]:
    """What a study knows about its learning rate, one sentence each; empty without a race.

    Args:
        fact: The study's fact "rate".
    """
    entrants, race = _entrants(fact), _mapping(fact.get("race"))
    if not entrants:
        return ()
    prior, peak = _number(fact.get("prior")), _number(fact.get("peak"))
    raced = (
        f"{count(len(entrants), 'rate')} raced for {count(_number(race.get('steps')) or 0)} steps"
    )
    if prior is None or peak is None or prior == peak:
        claim = f"The peak rate {significant(prior, 2)} stays: {raced}."
    else:
        claim = (
            f"Peak rate {significant(peak, 2)} came out and is tried as an idea "
            f"instead of {significant(prior, 2)}: {raced}."
        )
    return (claim, *_check_lines(fact), *_rule_lines(fact), *_subject_lines(fact))


def _subject_lines(fact: Mapping[str, Any]) -> list[str]:
    """What was raced, and why not what it became."""
    raced = [f"Raced with {fact['subject']}."] if fact.get("subject") else []
    changed = "Its batch, optimiser or normalisation is another one since"
    return raced + ([f"{changed}: {fact['reason']}."] if fact.get("reason") else [])


def _check_lines(fact: Mapping[str, Any]) -> list[str]:
    """What lies between the winner and its neighbours, and how that did on fresh blocks."""
    race = _mapping(fact.get("race"))
    winner, tried = _number(race.get("winner")), _number(race.get("tried"))
    between = [
        f"Between the winner, {significant(winner, 2)}, and its neighbours the loss is lowest "
        f"at {significant(tried, 2)} (parabola)."
    ]
    return [*(between if tried and tried != winner else []), *_fresh_lines(fact)]


def _fresh_lines(fact: Mapping[str, Any]) -> list[str]:
    check = fact.get("check")
    if not isinstance(check, Mapping):
        return []
    seeds = count(_number(check.get("blocks")) or 0, "fresh block")
    gain = _number(check.get("gain"))
    if gain is None:
        which = "before" if check.get("holds") else "that came out"
        return [f"On {seeds} the rate {which} diverged."]
    holds = "so it holds" if check.get("holds") else "so the rate before stays"
    side = "lower" if gain >= 0 else "higher"
    return [
        f"On {seeds} the loss of the rate that came out was {side} by "
        f"{_percent(gain)} (noise {_percent(_number(check.get('noise')) or 0.0)}), {holds}."
    ]


def _percent(logarithm: float) -> str:
    """How much lower or higher a loss is whose logarithm differs by so much."""
    return f"{significant(100 * abs(expm1(-logarithm)), 2)}%"


def _rule_lines(fact: Mapping[str, Any]) -> list[str]:
    silent = [
        f"The rule {pick.get('rule')} had no answer: {pick.get('reason')}."
        for pick in _listed(fact.get("candidates"))
        if _number(pick.get("rate")) is None
    ]
    raced = {rule for entrant in _entrants(fact) for rule in entrant.get("rules") or ()}
    others = [
        f"{pick.get('rule')} {significant(rate, 2)}"
        for pick in _listed(fact.get("candidates"))
        if (rate := _number(pick.get("rate"))) is not None and pick.get("rule") not in raced
    ]
    if others:
        silent.append(f"Not raced, as such picks are seldom good: {', '.join(others)}.")
    diverged = _number(_mapping(fact.get("curve")).get("diverged"))
    end = (
        "The range test never diverged."
        if diverged is None
        else f"The range test diverged at {significant(diverged, 2)}."
    )
    return [end, *silent]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return [e for e in value if isinstance(e, Mapping)] if isinstance(value, list | tuple) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _entrants(fact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = _listed(_mapping(fact.get("race")).get("entrants"))
    return [entrant for entrant in listed if (_number(entrant.get("rate")) or 0) > 0]


def _rules(entrant: Mapping[str, Any]) -> str:
    rules = entrant.get("rules")
    return ", ".join(str(rule) for rule in rules) if isinstance(rules, list | tuple) else ""


def _table(fact: Mapping[str, Any], entrants: list[Mapping[str, Any]]) -> Table:
    winner = _mapping(fact.get("race")).get("winner")
    ordered = sorted(entrants, key=lambda entrant: float(entrant["rate"]))
    rows = tuple(
        (
            significant(float(entrant["rate"]), 2),
            _rules(entrant),
            "diverged"
            if _number(entrant.get("loss")) is None
            else significant(_number(entrant.get("loss")), 4),
            "winner" if entrant.get("rate") == winner else "",
        )
        for entrant in ordered
    )
    heads = (
        Column("Rate", numeric=True),
        Column("Proposed by"),
        Column("Validation loss in the race", numeric=True),
        Column(""),
    )
    strong = frozenset(i for i, entrant in enumerate(ordered) if entrant.get("rate") == winner)
    return Table(heads, rows, strong)


def _curve(fact: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    curve = _mapping(fact.get("curve"))
    rates, losses = curve.get("rates") or [], curve.get("losses") or []
    pairs = [(_number(x), _number(y)) for x, y in zip(rates, losses, strict=False)]
    kept = [(x, y) for x, y in pairs if x is not None and y is not None and x > 0]
    return [x for x, _ in kept], [y for _, y in kept]


def _figure(
    fact: Mapping[str, Any],
    curve: tuple[list[float], list[float]],
    entrants: list[Mapping[str, Any]],
) -> figures.Figure:
    """Loss over rate, with a mark on the curve for each candidate."""
    winner = _mapping(fact.get("race")).get("winner")
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": curve[0],
            "y": curve[1],
            "name": "range test",
            "line": {"color": figures.BASELINE, "width": 2},
            "hovertemplate": "rate %{x:.2g}: %{y:.4g}<extra></extra>",
        }
    ]
    for entrant in entrants:
        where = float(entrant["rate"])
        won = entrant.get("rate") == winner
        text = f"{_rules(entrant)} ({significant(where, 2)}){', won the race' if won else ''}"
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [where],
                "y": [_height(curve, where)],
                "name": figures.plain(_rules(entrant), limit=28),
                "text": [figures.plain(text)],
                "marker": {
                    "size": 13 if won else 9,
                    "symbol": "star" if won else "circle",
                    "color": figures.NETWORK if won else figures.WARNING,
                },
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    low, high = min(curve[0]), max(curve[0])
    ticks = figures.log_ticks(low, high) if high > low else {}
    return {
        "data": data,
        "layout": figures.layout(
            height=320,
            xaxis=figures.axis("learning rate, growing with every step", type="log", **ticks),
            yaxis=figures.axis("smoothed training loss", nticks=6),
        ),
    }


def _height(curve: tuple[list[float], list[float]], where: float) -> float:
    """The curve's loss at the rate nearest to one."""
    distances = [abs(log10(each) - log10(where)) for each in curve[0]]
    return curve[1][distances.index(min(distances))]
