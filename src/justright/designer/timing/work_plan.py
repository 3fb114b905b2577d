"""The work plan: every amount of work that the clock had a say in, written before it is done.

Decisions depend on results, and results on recipes, partitions, seeds and steps. The clock enters
at one door only, `WorkPlan.grant`: how many steps, how many blocks, or whether a piece of work is
started at all. Each answer is recorded before the work begins, and corrected if the clock cuts it
short, so a study can be resumed with the answers already given, and repeated exactly with
``--work``, where no clock is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from justright.core.errors import OptionError

VERSION = 1

Amounts = Mapping[str, int]
"""Work by key: steps or blocks granted; 0 = not started."""

LIMIT = "limit in seconds"
"""Key of the time limit under which a plan was made."""

SIZE_BUDGET, SIZE_PART, SIZE_ENDED = "size core-seconds", "size length over", "size search ended"
SIZE_LEFT = "size milliseconds left"
"""Keys of what the size search may spend, of what its runs are shortened by, of its end, and of
what time was left when it began. What they say holds for one limit."""

ANOTHER_FINAL = "late another final training"
"""Whether time is kept for one while a size search is late: 2, or 1 for none."""

LATE = "late "
"""Before the keys of what was refused at first, and begins with the time that is left."""


@dataclass
class WorkPlan:
    """The amounts granted so far, and whether the clock may still be asked.

    Attributes:
        granted: Amounts by key, in the order of granting.
        repeat: Whether this is a repetition: unknown keys then get 0, and no clock is asked.
        on_grant: Called with the plan after each new amount, to store it before the work starts.
    """

    granted: dict[str, int] = field(default_factory=dict)
    repeat: bool = False
    on_grant: Callable[[WorkPlan], None] = lambda _: None

    def grant(self, key: str, propose: Callable[[], int]) -> int:
        """The amount of work for a key: as before, or proposed now and recorded.

        Args:
            key: Names the piece of work, stable between runs ("round 1/shape/confirm").
            propose: Asks the clock; called only for a new key outside a repetition.
        """
        if key in self.granted:
            return self.granted[key]
        amount = 0 if self.repeat else max(int(propose()), 0)
        self.granted[key] = amount
        self.on_grant(self)
        return amount

    def truncate(self, key: str, amount: int) -> None:
        """Record that the clock cut a piece of work after it was granted."""
        if not self.repeat and self.granted.get(key) != amount:
            self.granted[key] = amount
            self.on_grant(self)

    def choose(self, key: str, choice: Sequence[int]) -> None:
        """Record what a piece of work chose by the clock, in whole numbers from 0."""
        if self.repeat or self.choice(key) == tuple(choice):
            return
        for place, number in enumerate(choice):
            self.granted[f"{key} choice {place}"] = number + 1  # 0 would mean refused
        self.on_grant(self)

    def choice(self, key: str) -> tuple[int, ...]:
        """What was recorded by `choose`; empty if nothing was."""
        numbers = []
        while (amount := self.granted.get(f"{key} choice {len(numbers)}", 0)) > 0:
            numbers.append(amount - 1)
        return tuple(numbers)

    def reopened(self, limit_s: float) -> WorkPlan:
        """The plan for going on with a study within a time limit in seconds.

        What was refused may be asked again, and under a longer limit a size search that had ended
        may go on.
        """
        limit = ceil(limit_s)
        kept = {key: amount for key, amount in self.granted.items() if amount > 0}
        if limit > kept.get(LIMIT, limit):
            for key in (SIZE_BUDGET, SIZE_PART, SIZE_LEFT):
                kept.pop(key, None)
                kept.pop(LATE + key, None)
            for key in (SIZE_ENDED, ANOTHER_FINAL):
                kept.pop(key, None)
        kept[LIMIT] = limit
        return WorkPlan(granted=kept, repeat=self.repeat, on_grant=self.on_grant)

    def document(self) -> dict[str, object]:
        """JSON form, as written to ``work.json``."""
        return {"version": VERSION, "granted": dict(self.granted)}


def read_plan(path: Path) -> WorkPlan:
    """A plan to repeat.

    Args:
        path: A ``work.json`` that an earlier study left.

    Raises:
        OptionError: If the file is missing or is not a work plan.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise OptionError(
            f"cannot read the work plan {str(path)!r} ({error.strerror})",
            hint="give the work.json of an earlier study",
        ) from error
    except ValueError as error:
        raise OptionError(f"{str(path)!r} is not JSON", hint="give a work.json") from error
    granted = document.get("granted") if isinstance(document, dict) else None
    if not isinstance(granted, dict) or document.get("version") != VERSION:
        raise OptionError(
            f"{str(path)!r} is not a work plan of version {VERSION}",
            hint="give the work.json of an earlier study",
        )
    if not all(isinstance(amount, int) and amount >= 0 for amount in granted.values()):
        raise OptionError(f"the work plan {str(path)!r} holds amounts that are not whole numbers")
    return WorkPlan(granted=dict(granted), repeat=True)
