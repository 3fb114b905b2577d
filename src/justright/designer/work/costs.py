"""What trainings take: seconds of workers, and of the wall clock where they run side by side."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from justright.designer.work.session import Arm, Session, work_a_second
from justright.recipe.network import Inputs


@dataclass(frozen=True)
class Costs:
    """Predicts what the trainings of a study take (90% quantiles).

    Attributes:
        session: The study at work.
    """

    session: Session

    def work(self, arm: Arm, blocks: int, parts: int | None = None) -> float:
        """Worker-seconds of an arm on some blocks.

        Args:
            arm: What is trained.
            blocks: On how many blocks.
            parts: Into how many stacks narrow networks go; None = one per worker.
        """
        if blocks == 0:
            return 0.0
        session = self.session
        inputs = session.blocks.inputs_of(arm.recipe.preprocessing)
        if session.alone(arm.recipe):
            return blocks * session.seconds(arm, inputs)
        stacks = min(parts or session.crew.capacity, blocks)
        return stacks * session.seconds(arm, inputs, ceil(blocks / stacks))

    def longest(self, arm: Arm, blocks: int) -> float:
        """Seconds of the longest job when an arm's blocks are one stack, if they can be."""
        return self.work(arm, 1 if self.session.alone(arm.recipe) else blocks, 1)

    def wall(self, work: float, longest: float) -> float:
        """Wall seconds of worker-seconds, at best spread over the workers."""
        return max(work / work_a_second(self.session.crew.capacity), longest)

    def both(self, arm: Arm, champion: Arm, blocks: int, missing: int) -> float:
        """Wall seconds of two arms side by side; the champion misses some of the blocks."""
        if not missing:
            return self.wall(self.work(arm, blocks), self.longest(arm, 1))
        work = self.work(arm, blocks, 1) + self.work(champion, missing, 1)
        longest = max(self.longest(arm, blocks), self.longest(champion, missing))
        return self.wall(work, longest)

    def seeds(self, arm: Arm, inputs: Inputs, networks: int) -> float:
        """Wall seconds of trainings of so many seeds on the same rows, side by side."""
        session = self.session
        each = ceil(networks / session.crew.capacity)
        if session.alone(arm.recipe) or each == 1:
            return each * session.seconds(arm, inputs)
        return session.seconds(arm, inputs, each)
