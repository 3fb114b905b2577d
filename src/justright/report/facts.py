"""The few figures under the headline of a report."""

from __future__ import annotations

from dataclasses import dataclass

from justright.views.describe import shape_text
from justright.views.numbers import bytes_text, compact, count, decimals, duration, fixed, span
from justright.views.outcome import outcome
from justright.views.reader import Reader


@dataclass(frozen=True)
class Fact:
    """A figure with its name and, in small, what qualifies it."""

    name: str
    value: str
    detail: str = ""


def key_facts(reader: Reader) -> tuple[Fact, ...]:
    """Score, best baseline, difference, size and time, as far as they are known."""
    facts: list[Fact] = []
    result = outcome(reader)
    if result is not None:
        if result.network is not None:
            facts.append(Fact(f"Network, {result.title}", result.network.text, "95% interval"))
        rival = next((m for m in result.baselines if m.title == result.against), None)
        if rival is not None:
            facts.append(Fact(f"{rival.title}, {result.title}", rival.text, "best baseline"))
        decisive = result.decisive
        if decisive is not None:
            places = decimals((decisive.high - decisive.low) / 2)
            value = fixed(decisive.difference, places)
            facts.append(
                Fact("Advantage of the network", value, span(decisive.low, decisive.high))
            )
    network = reader.fact("network")
    if network.get("parameters"):
        detail = [shape_text(network.get("shape") or {})]
        if network.get("bytes"):
            detail.append(bytes_text(network["bytes"]))
        facts.append(Fact("Weights", compact(network["parameters"]), ", ".join(detail)))
    clock = reader.fact("clock")
    if clock.get("used_s"):
        limit = clock.get("limit_s")
        facts.append(
            Fact("Time", duration(clock["used_s"]), f"of {duration(limit)}" if limit else "")
        )
    if reader.findings:
        critical = sum(1 for finding in reader.findings if str(finding.severity) == "critical")
        detail = f"{critical} critical" if critical else "none critical"
        facts.append(Fact("Data", count(len(reader.findings), "finding"), detail))
    return tuple(facts)
