"""What more time would bring: from what was left out, as it was foretold, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from justright.core.idea import Idea
from justright.designer.improvement.idea_log import NOT_RUN
from justright.designer.request.options import time_text
from justright.designer.work.session import work_a_second
from justright.ideas.value import expected_gain, reservation, worth
from justright.store.records import IdeaRecord

LONGER = 3.0
"""The time that is suggested, over the one that was given (assumption: what somebody is ready to
wait for once the first result is there)."""

WHOLE = 1.25
"""Price of an idea over that of its climb: what it changes is tuned again (assumption)."""

UNPRICED_S = 1e8
"""An expected price from which on none is known."""


def more_time(
    records: Sequence[IdeaRecord], size: Mapping[str, Any] | None, limit_s: float, workers: int
) -> dict[str, Any]:
    """The fact "more time": what was left out, and what a longer study would get done of it.

    Ideas are taken in the order of expected gain per second, as the search does, until the time
    is spent. Those of one slot exclude each other, so the best of each counts; gains of different
    slots are added up, which is the most that they can bring. What the last of them that fits
    brings for a second is the price of a second, from which each idea's reservation value
    follows: once its slot has brought so much, it is not worth trying (Weitzman 1979).

    Args:
        records: The study's ideas with their predictions and verdicts.
        size: The fact "size"; None if there is none.
        limit_s: The time limit that was given.
        workers: Worker processes.
    """
    waiting = [record.idea for record in records if _waits(record)]

    def value(idea: Idea) -> float:
        return worth(idea.prediction, _price(idea) or inf)

    waiting.sort(key=lambda idea: -value(idea))
    budget = (LONGER - 1.0) * limit_s * work_a_second(workers)
    entries, best, spent, last = [], {}, 0.0, None
    for idea in waiting:
        price = _price(idea)
        fits = price is not None and spent + price <= budget
        spent += price if fits and price is not None else 0.0
        gain = expected_gain(idea.prediction)
        if fits:
            best[idea.slot] = max(best.get(idea.slot, 0.0), gain)
            last = idea
        entries.append(_entry(idea, gain, price, fits=fits))
    for entry, idea in zip(entries, waiting, strict=True):
        entry["until"] = 0.0 if idea is last else _until(idea, last and value(last))
    untested = dict(size or {})
    return {
        "time": time_text(LONGER * limit_s),
        "ideas": entries,
        "tested": sum(entry["fits"] for entry in entries),
        "expected": sum(best.values()),
        "core_seconds": spent,
        "untested": untested.get("untested") if untested.get("time") else None,
        "size_time": untested.get("time"),
    }


def _until(idea: Idea, second: float | None) -> float | None:
    """The reservation value of an idea where a second costs so much; None if it is not known."""
    price = _price(idea)
    if price is None or second is None:
        return None
    return reservation(idea.prediction, second * price * (1 + idea.prediction.complexity))


def _waits(record: IdeaRecord) -> bool:
    return all(verdict.word == NOT_RUN for verdict in record.verdicts)


def _price(idea: Idea) -> float | None:
    seconds = idea.prediction.seconds
    return WHOLE * seconds if 0.0 < seconds < UNPRICED_S else None


def _entry(idea: Idea, gain: float, price: float | None, *, fits: bool) -> dict[str, Any]:
    return {
        "title": idea.title,
        "slot": idea.slot,
        "helps": idea.prediction.helps,
        "expected": gain,
        "core_seconds": price,
        "fits": fits,
    }
