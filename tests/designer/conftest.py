"""What the tests of stages share: a study of a small table that trains in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.core.study import StudyHead
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.designer.request.folder import StudyFolder
from justright.designer.request.limits import SizeWishes
from justright.designer.request.options import FitOptions
from justright.designer.timing.clock import Clock
from justright.designer.timing.prices import Prices
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.blocks import Blocks
from justright.designer.work.crew import Crew
from justright.designer.work.session import Session
from justright.designer.work.watch import Watch
from justright.executors.inline import InlineExecutor
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.store.memory import MemoryStore
from justright.training.cost import USUAL

LIMIT_S = 600.0


def table(rows: int) -> pl.DataFrame:
    """y = sin 2a + b + noise; c says nothing."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=rows)
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})


NewSession = Callable[..., Session]


@contextmanager
def sessions(place: Path) -> Iterator[NewSession]:
    """Makes studies of a table of 400 rows, each with a store of its own."""
    with ExitStack() as stack:

        def make(
            name: str = "s",
            plan: WorkPlan | None = None,
            frame: pl.DataFrame | None = None,
            roles: Mapping[str, Any] | None = None,
            store: AbstractStore | None = None,
            **wishes: object,
        ) -> Session:
            options = DataOptions(target=("y",), **(roles or {}))
            problem = make_problem(read_table(table(400) if frame is None else frame), options)
            folder = StudyFolder(place / name)
            folder.create()
            clock = Clock(time.time(), LIMIT_S)
            watch = Watch(clock)
            executor = stack.enter_context(InlineExecutor())
            if store is None:  # else the study goes on in it
                store = stack.enter_context(MemoryStore())
                store.studies.open(StudyHead(name, "d", "g", {}, 0.0), this_process())
            size = SizeWishes(**wishes)  # type: ignore[arg-type]
            return Session(
                options=FitOptions(data=options, limit_s=LIMIT_S, size=size),
                name=name,
                folder=folder,
                store=store,
                clock=clock,
                plan=plan or WorkPlan(),
                crew=Crew(executor, store, name, this_process(), watch, lambda: None),
                watch=watch,
                blocks=Blocks(problem, make_splits(problem), folder.cache, 0),
                prices=Prices(USUAL),
            )

        yield make


@pytest.fixture
def new_session(tmp_path: Path) -> Iterator[NewSession]:
    """Makes studies for one test."""
    with sessions(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def shared_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewSession]:
    """Makes studies that the tests of a file share; none of them may change what it finds."""
    with sessions(tmp_path_factory.mktemp("shared")) as make:
        yield make


@pytest.fixture
def session(new_session: NewSession) -> Session:
    """One such study."""
    return new_session()
