"""Card: every decision with its reason and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from justright.views.card import Card, NotApplicable
from justright.views.numbers import count, significant
from justright.views.reader import Reader
from justright.views.table import Column, Table


def decisions(reader: Reader) -> Card | NotApplicable:
    """What was chosen, why, on whose word, and what was measured."""
    made = reader.decisions
    if not made:
        return NotApplicable("nothing was decided yet")
    status = Counter(str(decision.status) for decision in made)
    listed = ", ".join(f"{number} {name}" for name, number in status.most_common())
    rows = tuple(
        (
            decision.stage,
            decision.choice,
            decision.reason,
            measured_text(decision.measured),
            decision.source,
            str(decision.status),
        )
        for decision in made
    )
    heads = ("Stage", "Choice", "Reason", "Measured", "Source", "Status")
    return Card(
        title="Decisions",
        claim=f"{count(len(made), 'decision')}; what stands behind them: {listed}.",
        table=Table(tuple(Column(head) for head in heads), rows),
        notes=(
            "Published: from the named paper. Measured: on your data or in our benchmarks. "
            "Assumption: our best guess, open to correction.",
        ),
    )


def measured_text(measured: Mapping[str, Any]) -> str:
    """Measured figures in one line.

    >>> measured_text({"gain": 0.0123, "blocks": 3})
    'gain 0.0123, blocks 3'
    """
    parts = []
    for name, value in measured.items():
        shown = significant(value) if isinstance(value, float) else str(value)
        parts.append(f"{name.replace('_', ' ')} {shown}")
    return ", ".join(parts)
