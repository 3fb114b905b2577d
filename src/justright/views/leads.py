"""What the searches found, in one line each: the right size and the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from justright.views.describe import shape_text, weights_text
from justright.views.numbers import bytes_text, compact, count, significant
from justright.views.reader import Reader


def size_line(reader: Reader) -> str:
    """How large the network is or should be, and on what grounds; empty while nothing is known."""
    network, found = reader.fact("network"), reader.fact("size")
    chosen: list[int] = list(found.get("chosen") or ())
    if not network:
        if chosen:
            return f"{_chosen_text(found, chosen)}: {_grounds(found, chosen)}"
        shape = (reader.fact("champion").get("recipe") or {}).get("shape")
        missing = _no_search(reader)
        return f"{shape_text(shape)} so far · {missing}" if shape and missing else ""
    shape = network.get("shape") or {}
    text = _network_text(network)
    if not chosen:
        return f"{text} · {missing}" if (missing := _no_search(reader)) else text
    if chosen == list(shape.get("hidden") or ()):
        return f"{text}: {_grounds(found, chosen)}"
    return f"{found.get('sentence')} · kept {text}, as the choice was not confirmed against it"


def rate_line(reader: Reader) -> str:
    """The learning rate that came out, and whether it was taken; empty while nothing is known."""
    fact, network = reader.fact("rate"), reader.fact("network")
    prior, peak = fact.get("prior"), fact.get("peak")
    if prior is None:
        return ""
    before = significant(prior, 2)
    raced = len((fact.get("race") or {}).get("entrants") or ())
    if peak is None or not raced:
        return f"{before} · {fact.get('reason') or 'no race was run'}"
    race = f"a race of {count(raced, 'rate')}"
    winner = significant(peak, 2)
    if winner == before:
        return f"{before} stays after {race}"
    if not network:
        return f"{winner} came out of {race}; before it was {before}"
    taken = ((network.get("recipe") or {}).get("optimiser") or {}).get("rate")
    if significant(taken, 2) == winner:
        return f"{winner} instead of {before}: it came out of {race}, and was confirmed"
    return f"{winner} came out of {race} · kept {significant(taken, 2)}, as it was not confirmed"


def _network_text(network: Mapping[str, Any]) -> str:
    name = shape_text(network.get("shape") or {})
    if (networks := int(network.get("networks") or 1)) > 1:
        name = f"{networks} networks of {name}"
    parts = []
    if network.get("parameters"):
        parts.append(f"{compact(network['parameters'])} weights")
    if network.get("bytes"):
        parts.append(f"{bytes_text(network['bytes'])} on disk")
    if network.get("ms_per_row"):
        parts.append(f"{significant(network['ms_per_row'], 2)} ms a row")
    return f"{name} ({', '.join(parts)})" if parts else name


def _chosen_text(found: Mapping[str, Any], chosen: list[int]) -> str:
    name = shape_text({"hidden": chosen})
    return f"{name} ({text})" if (text := weights_text(found)) else name


def _grounds(found: Mapping[str, Any], chosen: list[int]) -> str:
    """The verdict about sizes behind the name of the chosen one, without saying it again."""
    name = shape_text({"hidden": chosen})
    short = {
        f"just right {name}": "just right",
        f"best so far {name}": "the best so far",
        f"only {name} was trained in full": "the only one trained in full",
        f"chosen {name}": "",
    }
    parts = str(found.get("sentence") or "").split(" · ")
    said = [short.get(part, part) for part in parts]
    if len(found.get("rows") or ()) > 1 and not found.get("confirmed"):
        said.append("not confirmed on fresh blocks")
    return " · ".join(part for part in said if part)


def _no_search(reader: Reader) -> str:
    """Why there was no size search; empty while there may still be one."""
    clock = reader.fact("clock")
    if not clock:
        return ""
    if clock.get("interrupted"):
        return "stopped before a size search"
    reason = reader.fact("size").get("reason") or "no time for a size search"
    return reason if reason.startswith("no ") else f"no size search: {reason}"
