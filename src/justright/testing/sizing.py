"""Goals of a size search, for tests: every size costs the same, and wide ones weigh more."""

from __future__ import annotations

from justright.sizing.goal import Goal
from justright.sizing.shapes import Limits

GOAL = Goal(
    selection=(0, 1, 2),
    confirmation=(3, 4, 5),
    overlap=0.25,
    delta=0.01,
    limits=Limits(),
    weigh=lambda hidden: sum(hidden) ** 2,
    cost=lambda _: 1.0,
    budget=100.0,
    rows=1000,
    outputs=1,
)
"""Three blocks to choose on and three to confirm on."""
