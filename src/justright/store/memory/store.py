"""A store in memory: the reference implementation, for tests and throw-away studies."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from justright.store.base import AbstractStore
from justright.store.memory.checkpoints import MemoryCheckpoints
from justright.store.memory.curves import MemoryCurves, MemoryHistograms
from justright.store.memory.ideas import MemoryIdeas
from justright.store.memory.ledger import MemoryLedger
from justright.store.memory.outbox import MemoryOutbox
from justright.store.memory.state import State
from justright.store.memory.studies import MemoryStudies
from justright.store.memory.trials import MemoryTrials


@final
class MemoryStore(AbstractStore):
    """Everything in dicts under one lock; gone when the process ends.

    Args:
        clock: Gives the Unix time; tests hand in their own.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        state = State(clock)
        self.studies = MemoryStudies(state)
        self.trials = MemoryTrials(state)
        self.curves = MemoryCurves(state)
        self.histograms = MemoryHistograms(state)
        self.ideas = MemoryIdeas(state)
        self.ledger = MemoryLedger(state)
        self.checkpoints = MemoryCheckpoints(state)
        self.outbox = MemoryOutbox(state)

    def close(self) -> None:
        """Nothing to let go of."""

    def check(self) -> tuple[str, ...]:
        """Memory does not rot."""
        return ()
