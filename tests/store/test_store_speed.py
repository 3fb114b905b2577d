"""What the store may cost; the figures are those of the issue, with room for a loaded machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from justright.core.trial import TrialState
from justright.store.sql.store import SqlStore
from justright.testing.stores.case import ELSEWHERE, head, opened, spec, started


def fastest(call: Callable[[], object], times: int = 7) -> float:
    """Processor seconds of the fastest call: waiting for a loaded machine does not count."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_a_point_costs_the_caller_ten_microseconds(tmp_path: Path) -> None:
    with SqlStore(tmp_path / "justright.db") as store:
        opened(store)
        attempt, trial = started(store)
        log, clock = store.curves.log, time.perf_counter_ns
        nanoseconds = []
        for step in range(20_000):
            start = clock()
            log(attempt, trial, "loss", step, 0.5)
            nanoseconds.append(clock() - start)
        assert median(nanoseconds) <= 10_000
        store.curves.flush()
        assert store.curves.summaries("houses")[trial, "loss"].points == 20_000


def test_ten_thousand_trials_are_listed_in_time(tmp_path: Path) -> None:
    with SqlStore(tmp_path / "justright.db") as store:
        opened(store)
        specs = [replace(spec(k), recipe={"width": k % 50}) for k in range(10_000)]
        trials = [trial.spec.id for trial in store.trials.plan("houses", specs)]
        attempt = store.trials.start("houses", trials, ELSEWHERE)
        result = {"scores": {"rmse": 1.234567, "mae": 2.345678, "r2": 0.5}, "seconds": 1.5}
        for trial in trials[:3]:
            store.trials.finish(attempt, trial, TrialState.DONE, result)
        with store._database.write() as connection:  # ten thousand commits would only cost time
            connection.exec_driver_sql(
                "UPDATE trials SET state = 'done', outcome ="
                " (SELECT outcome FROM trials WHERE outcome IS NOT NULL LIMIT 1)"
            )
        assert len(store.trials.list("houses")) == 10_000
        assert fastest(lambda: store.trials.list("houses")) < 0.3


def test_a_thousand_studies_are_listed_in_time(tmp_path: Path) -> None:
    with SqlStore(tmp_path / "justright.db") as store:
        opened(store)
        with store._database.write() as connection:
            connection.exec_driver_sql(
                "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 999) "
                "INSERT INTO studies (name, data, goal, settings, created, token, expires) "
                "SELECT 's' || k, data, goal, settings, k, 1, 0 FROM studies, n"
            )
        assert len(store.studies.heads()) == 1000
        assert store.studies.heads()[0] == replace(head("s999"), created=999.0)
        assert fastest(store.studies.heads) < 0.3


def imported(module: str) -> set[str]:
    """What a fresh process has imported after importing one module."""
    code = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_store_brings_nothing_heavy() -> None:
    heavy = {"torch", "sklearn", "polars", "pandas", "scipy", "plotly", "rich", "pytest"}
    assert not heavy & imported("justright.store.opening")
    assert "sqlalchemy" not in imported("justright.store.memory")
