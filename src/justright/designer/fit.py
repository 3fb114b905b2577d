"""From a table to a network: where a study is set up, led through its stages, and closed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from justright.core.codec import fingerprint, to_document
from justright.core.errors import DataError, OptionError, StoreError
from justright.core.progress import Listener
from justright.core.study import StudyHead
from justright.core.trial import TrialState
from justright.data.ingest import check_path, table_name
from justright.data.problem import Problem
from justright.data.split import make_splits
from justright.designer.flow import Flow
from justright.designer.request.folder import StudyFolder
from justright.designer.request.options import FitOptions, check_name, name_after
from justright.designer.request.reading import ROWS, read_problem
from justright.designer.timing.clock import Clock, process_start
from justright.designer.timing.slowness import Pace, Slowness
from justright.designer.timing.work_plan import WorkPlan, read_plan
from justright.designer.work.blocks import Blocks
from justright.designer.work.crew import Crew, Interrupted
from justright.designer.work.session import Session
from justright.designer.work.watch import Watch
from justright.executors.processes import ProcessExecutor
from justright.store.base import AbstractStore
from justright.store.holder import this_process
from justright.store.opening import STORE_FILE, open_store

PRELOAD = (
    ("justright.training.run", "justright.training.calibrate", "justright.model.serve"),
    (
        "justright.baselines.run",
        "sklearn.ensemble",
        "sklearn.linear_model",
        "sklearn.neighbors",
    ),
)
"""What workers import before they are asked: torch in one nursery, scikit-learn in the other, so
that neither waits for the other (measured: both ready after 1.9 s, one nursery for both 3.3 s)."""

BUSY = 1.8
"""So slow a machine imports one after the other: torch, for the first network, then scikit-learn
(measured with two other programs a core: torch is there after 20 s if both come at once)."""

_SAME_S = 1.0
"""A study that started so close to its process is a command, not a call from a notebook."""

LEASE_S = 120.0
"""The lease on a study; prolonged every ten seconds while something runs."""


class StudyInterrupted(Exception):
    """Ctrl-C ended a study early; what was finished is saved in its folder."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        super().__init__(f"stopped; what was finished is in {folder.root}")


def fit_study(
    source: Any, options: FitOptions, *, started: float, listener: Listener | None = None
) -> StudyFolder:
    """Design a network for a table and leave its folder; going on where an earlier call stopped.

    Args:
        source: Path of a data file, or a frame.
        options: What the user asked.
        started: Unix time from which the limit counts.
        listener: Told about the progress.

    Raises:
        InputError: If something handed in cannot be used; nothing was changed.
        StudyInterrupted: On Ctrl-C, after what was finished has been saved.
    """
    clock = Clock(started, options.limit_s, Slowness(pace=Pace()))
    repeated = read_plan(options.work) if options.work is not None else None
    name = _name(source, options)
    if abs(process_start() - started) < _SAME_S:  # so far it has imported, and waited for nobody
        clock.slow.add(clock.elapsed_s, time.process_time())
    eager = clock.slow.factor < BUSY
    with ProcessExecutor(options.workers, preload=PRELOAD, eager=eager) as executor:
        rows = (repeated or _earlier(options, name)).granted.get(ROWS)
        with clock.slow.measured():
            problem, test_rows, rows = read_problem(source, options, rows)
            splits = make_splits(problem, test_rows)
        folder = StudyFolder(options.studies / name)
        watch = Watch(clock, listener)
        with (
            open_store(options.studies / STORE_FILE) as store,
            _held(store, folder, problem, options) as beat,
        ):
            session = Session(
                options=options,
                name=name,
                folder=folder,
                store=store,
                clock=clock,
                plan=_plan(store, name, repeated, options.limit_s),
                crew=Crew(executor, store, name, this_process(), watch, beat),
                watch=watch,
                blocks=Blocks(problem, splits, folder.cache, options.data.seed),
            )
            session.plan.grant(ROWS, lambda: rows)
            try:
                Flow(session, _source_text(source)).run()
            except (Interrupted, KeyboardInterrupt):
                raise StudyInterrupted(folder) from None
    return folder


def _name(source: Any, options: FitOptions) -> str:
    """The name of the study: as said, or after the file."""
    after = "table"
    if isinstance(source, str | os.PathLike):
        check_path(Path(source))
        after = name_after(table_name(Path(source)))
    return check_name(after if options.name is None else options.name)


def _source_text(source: Any) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return f"a {type(source).__module__.partition('.')[0]} {type(source).__name__}"


def _earlier(options: FitOptions, name: str) -> WorkPlan:
    """What the study was granted before; nothing if it is new."""
    path = options.studies / STORE_FILE
    if not path.is_file():
        return WorkPlan()
    with open_store(path) as store:
        known = store.studies.head(name) is not None
        return _stored(store, name, options.limit_s) if known else WorkPlan()


def _stored(store: AbstractStore, name: str, limit_s: float) -> WorkPlan:
    earlier = store.ledger.fact(name, "plan") or {}
    return WorkPlan(granted=dict(earlier.get("granted", {}))).reopened(limit_s)


def _plan(store: AbstractStore, name: str, repeated: WorkPlan | None, limit_s: float) -> WorkPlan:
    """The plan to follow: one to repeat, or what this study was granted before."""
    plan = repeated or _stored(store, name, limit_s)
    plan.on_grant = lambda plan: _record(store, name, plan)
    return plan


def _record(store: AbstractStore, name: str, plan: WorkPlan) -> None:
    store.ledger.put(name, "plan", plan.document())


@contextmanager
def _held(
    store: AbstractStore, folder: StudyFolder, problem: Problem, options: FitOptions
) -> Iterator[Callable[[], None]]:
    """Hold the study and its folder; yields what prolongs the lease.

    A new study that is refused before it has a network leaves nothing behind.
    """
    name = folder.root.name
    new, alone = store.studies.head(name) is None, not folder.root.exists()
    goal = to_document(options.data) | {"size": to_document(options.size)}
    goal["tolerance"] = options.tolerance
    if options.ensemble > 1:
        goal["ensemble"] = options.ensemble
    settings = goal | {"command": options.command, "time": options.limit_s}
    del goal["test"]  # its content is part of the data's fingerprint, its path means nothing
    head = StudyHead(
        name, problem.table.fingerprint, fingerprint(goal), settings, created=time.time()
    )
    lease = store.studies.open(head, this_process(), LEASE_S)

    def beat() -> None:
        nonlocal lease
        lease = store.studies.heartbeat(lease, LEASE_S)

    refused = False
    try:
        folder.create()
        _check_files(store, folder)
        yield beat
    except (DataError, OptionError):
        refused = new and store.ledger.fact(name, "champion") is None
        raise
    finally:
        store.studies.release(lease)
        if refused:
            store.studies.remove(name)
        if refused and alone:
            folder.remove()


def _check_files(store: AbstractStore, folder: StudyFolder) -> None:
    """Refuse to go on with a study whose files were taken away.

    Raises:
        StoreError: If the files of a finished trial are missing.
    """
    for trial in store.trials.list(folder.root.name):
        files = [trial.result[key] for key in ("weights", "predictions") if trial.result.get(key)]
        for file in files:
            if trial.state is TrialState.DONE and not (folder.trials / Path(file).name).exists():
                raise StoreError(
                    f"study {folder.root.name!r} is known, but its files are missing, such as "
                    f"{str(folder.trials / Path(file).name)!r}",
                    hint=f"remove it with: justright studies --remove {folder.root.name}, or "
                    "choose another name with --name",
                )
