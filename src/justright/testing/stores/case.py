"""What the tests of every store share: how it is opened, its clock, and sample values."""

from __future__ import annotations

import math
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from justright.core.idea import Idea, Prediction
from justright.core.study import StudyHead
from justright.core.trial import Attempt, Lease, TrialSpec
from justright.store.base import AbstractStore
from justright.store.holder import Holder, this_process

FLOATS = (
    *(0.0, -0.0, math.pi, -math.pi, 5e-324, 2.2250738585072014e-308),
    *(1.7976931348623157e308, -1.7976931348623157e308, math.inf, -math.inf, math.nan),
)
"""Values that a store must give back bit by bit."""

ELSEWHERE = Holder(4711, "another machine", 1e9)
"""A process of which nobody here can know whether it lives."""


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        """The time it was set to."""
        return self.now


class StoreCase(ABC):
    """Base of the contract suites: says how to open the store under test."""

    @abstractmethod
    def open(self, folder: Path, clock: Callable[[], float]) -> AbstractStore:
        """Open the store of this folder, creating it the first time."""

    @pytest.fixture
    def clock(self) -> Clock:
        """The time of the store."""
        return Clock()

    @pytest.fixture
    def store(self, tmp_path: Path, clock: Clock) -> Iterator[AbstractStore]:
        """An empty store."""
        with self.open(tmp_path, clock) as store:
            yield store


def head(name: str = "houses", data: str = "d1", goal: str = "g1", at: float = 5.0) -> StudyHead:
    """A study."""
    return StudyHead(name, data, goal, {"target": "price", "drop": ["id"], "share": 0.2}, at)


def spec(number: int = 0, stage: str = "rate") -> TrialSpec:
    """A trial whose recipe's keys are not in alphabetical order."""
    recipe = {"width": 64, "rate": 1e-3, "layers": [1, {"b": 1, "a": None}]}
    return TrialSpec("network", "rate × 3", stage, recipe, "p0", number, 1000)


def idea(title: str = "rate × 3", helps: float = 0.2) -> Idea:
    """An idea with a prediction."""
    prediction = Prediction(helps, (-0.1, 0.5, 2.0), 12.5)
    return Idea(title, "rate", {"optimiser.rate": 3e-3}, prediction, "assumption", "rates")


def opened(store: AbstractStore, name: str = "houses") -> Lease:
    """Create a study and hold it."""
    return store.studies.open(head(name), ELSEWHERE)


def started(store: AbstractStore, number: int = 0) -> tuple[Attempt, str]:
    """Plan and start one trial of the study "houses"."""
    trial = store.trials.plan("houses", [spec(number)])[0].spec.id
    return store.trials.start("houses", [trial], ELSEWHERE), trial


def log_now(store: AbstractStore, attempt: Attempt, trial: str, step: int) -> None:
    """Log one point and write it."""
    store.curves.log(attempt, trial, "loss", step, 1.0)
    store.curves.flush()


def dead_process() -> Holder:
    """A process of this machine that has ended."""
    child = subprocess.Popen([sys.executable, "-I", "-c", ""])
    child.wait()
    return replace(this_process(), pid=child.pid)
