"""Several processes on one store."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_workers import head, spec

from justright.core.errors import StudyBusyError
from justright.core.trial import TrialState
from justright.store.holder import this_process
from justright.store.opening import open_store

WORKERS = str(Path(__file__).with_name("store_workers.py"))


def worker(role: str, path: Path, argument: str = "0") -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", WORKERS, role, str(path), argument]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_eight_processes_run_200_trials_exactly_once(tmp_path: Path) -> None:
    path = tmp_path / "justright.db"
    with open_store(path) as store:
        store.studies.open(head("all"), this_process())
        store.trials.plan("all", [spec(number) for number in range(200)])
        workers = [worker("claimer", path) for _ in range(8)]
        claimed = [json.loads(child.communicate(timeout=120)[0]) for child in workers]
        assert [child.returncode for child in workers] == [0] * 8
        assert sorted(itertools.chain(*claimed)) == list(range(200))
        assert all(t.state is TrialState.DONE for t in store.trials.list("all"))
        assert len(store.trials.attempts("all")) >= 50
        assert all(len(a.trials) <= 4 for a in store.trials.attempts("all"))
        assert store.check() == ()


def test_six_processes_create_the_store_together(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "justright.db"
    workers = [worker("hold", path) for _ in range(6)]
    said = []
    for child in workers:
        assert child.stdout is not None
        said.append(child.stdout.readline().strip())
    for child in workers:  # only now: a dead holder would make way for the next
        child.kill()
        child.communicate()
    assert said.count("held") == 1
    others = [line for line in said if line != "held"]
    assert all("is being worked on by process" in line for line in others), said


def test_a_killed_holder_makes_way_at_once(tmp_path: Path) -> None:
    path = tmp_path / "justright.db"
    child = worker("hold", path)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with open_store(path) as store:
        with pytest.raises(StudyBusyError, match=f"process {child.pid} on "):
            store.studies.open(head("all"), this_process())
        child.kill()
        child.communicate()
        start = time.monotonic()
        assert store.studies.open(head("all"), this_process()).token == 2
        assert time.monotonic() - start < 5  # far less than the 60 s of the lease


def test_a_store_is_not_carried_across_a_fork(tmp_path: Path) -> None:
    said, _ = worker("fork", tmp_path / "justright.db").communicate(timeout=60)
    assert "was opened by another process: open it again in this one" in said


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "justright.db"
    child = worker("fill", path, str(1_000_000))
    said = json.loads(child.communicate(timeout=60)[0])
    assert child.returncode == 0
    assert len(said["errors"]) == 2
    assert all("the disk is full" in error and "\n" not in error for error in said["errors"])
    with open_store(path) as store:
        assert store.check() == ()
        facts = store.ledger.facts("all")
        assert 10 < said["facts"] < 1000
        assert all(len(facts[f"fact{k}"]) == 16_000 for k in range(said["facts"]))
        assert len(facts) == said["facts"] + 1  # and "after", once there was room again
        assert facts["after"] is True
        steps, _ = store.curves.read("all", spec(0).id, "x")
        assert steps.tolist() == list(range(20_000))
