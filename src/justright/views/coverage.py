"""What intervals and a temperature are worth, as the cards of predictions say it."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from justright.views.numbers import count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table


def coverage_table(reader: Reader) -> Table | None:
    """Aimed and measured coverage of intervals, target by target; None if not measured."""
    found = reader.fact("intervals")
    levels = [each for each in found.get("levels") or () if each.get("width")]
    if not levels:
        return None
    targets = [str(name) for name in reader.fact("table").get("target") or ()]
    several = len(levels[0]["width"]) > 1
    heads = [Column("Target")] if several else []
    heads += [
        Column("Interval", numeric=True),
        Column("Test rows inside", numeric=True),
        Column("95% interval of that", numeric=True),
        Column("Width", numeric=True),
    ]
    rows = [
        (
            *([targets[place]] if several else []),
            f"{each['level']:.0%}",
            f"{each['coverage'][place]:.1%}",
            _span(each, place),
            significant(each["width"][place]),
        )
        for place in range(len(levels[0]["width"]))
        for each in levels
    ]
    return Table(tuple(heads), tuple(rows), caption="Intervals of predict, measured")


def coverage_notes(reader: Reader) -> tuple[str, ...]:
    """How intervals or sets of classes were made, and what to know of them."""
    found = reader.fact("intervals")
    levels = found.get("levels") or ()
    if not levels:
        return ()
    rows, tested = count(found.get("rows") or 0, "row"), count(found.get("test_rows") or 0)
    made = f"from the errors on {rows} held out (split-conformal; Lei et al. 2018)"
    if levels[0].get("width"):
        said = f"Intervals, such as predict(..., interval=0.9), are made {made}."
    else:
        each = "; ".join(
            f"{e['level']:.0%}: {e['coverage'][0]:.1%} ({_span(e, 0)}), {e['size']:.2f} classes "
            "on average"
            for e in levels
        )
        said = (
            f"Sets of classes, such as predict(..., interval=0.9), are made {made}. Of {tested} "
            f"test rows they hold, with its 95% interval: {each}."
        )
    return (said, *(str(remark) for remark in found.get("remarks") or ()), _held_out(reader))


def _held_out(reader: Reader) -> str:
    known = reader.fact("out of fold")
    never = known.get("never") or 0
    missing = f"; {count(never, 'row')} beside the test never were" if never else ""
    return f"{count(known.get('rows') or 0, 'row')} were held out of training{missing}: study.oof."


def temperature_note(reader: Reader) -> tuple[str, ...]:
    """What the temperature is, and what it does to rows that did not fit it."""
    found = reader.fact("calibration")
    if not found:
        return ()
    before, after = found["error"]
    errors = (
        f"Expected calibration error there: {100 * before:.1f} → {100 * after:.1f} percentage "
        "points."
    )
    if not found["kept"]:
        said = f"No temperature was applied (Guo et al. 2017): {found['reason']}."
        return (said, errors) if "→" in said else (said,)
    heated = "overconfident" if found["temperature"] > 1 else "too careful"
    said = (
        f"The network was {heated}: its logits are divided by {found['temperature']:.3g} "
        f"(temperature scaling; Guo et al. 2017): {found['reason']}."
    )
    headline = reader.fact("test").get("headline") or {}
    if headline.get("repetitions"):
        errors += " The cross-validated scores are of probabilities before that."
    return said, errors


def _span(level: Mapping[str, Any], place: int) -> str:
    low, high = level["low"][place], level["high"][place]
    if low is None or high is None or not isfinite(high - low):
        return "unknown"
    return f"{low:.1%} to {high:.1%}"
