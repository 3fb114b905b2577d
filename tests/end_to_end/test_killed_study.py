"""A study that is killed again and again ends with the same decisions as one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.store.opening import open_store

pytestmark = pytest.mark.timeout(900)
"""The process starts a dozen times: a machine that is busy with something else needs longer."""

EARLY, AT_WORK = 3, 4
"""Kills while a study starts, and after it has begun jobs: also on a busy machine, where starting
takes so long that a kill by the clock alone meets nothing else."""


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    words = ("fit", "toy.csv", "-t", "y", "--time", "10s", *arguments)
    return subprocess.Popen(
        [sys.executable, "-m", "justright.cli.main", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors


def kill_early(process: subprocess.Popen[str], chance: random.Random) -> None:
    time.sleep(chance.uniform(0.3, 2.5))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def kill_at_work(process: subprocess.Popen[str], chance: random.Random) -> bool:
    """Kill it after some jobs have begun; whether it came so far."""
    assert process.stderr is not None
    begun = (line for line in process.stderr if line.rstrip().endswith(": starting"))
    enough = chance.randint(1, 3)
    came = sum(1 for _ in islice(begun, enough)) == enough
    time.sleep(chance.uniform(0.0, 0.3))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return came


def verdict(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / "studies" / name / "verdict.json").read_text())


def decisions(folder: Path, name: str) -> dict[str, Any]:
    """Everything that was decided, and what was handed over."""
    document = verdict(folder, name)
    network = document["network"]
    with open_store(folder / "studies") as store:
        ledger = store.ledger
        chosen = [
            d.choice for d in ledger.decisions(name) if d.stage in ("rate", "size", "recipe")
        ]
        size, rate = ledger.fact(name, "size"), ledger.fact(name, "rate")
    assert size is not None
    assert rate is not None
    return {
        "rounds": [
            (r["round"], r["subject"], r["word"], r["accepted"]) for r in document["rounds"]
        ],
        "network": (network["shape"], network["steps"], network["recipe_fingerprint"]),
        "choices": chosen,
        "sizes": [(row["name"], row["share"], row["loss"], row["word"]) for row in size["rows"]],
        "rates": [(each["rate"], each["losses"]) for each in rate["race"]["entrants"]],
        "checked": rate["check"],
    }


def with_choices(folder: Path) -> dict[str, Any]:
    """The plan, and what the baselines of the whole run chose by the clock."""
    plan = json.loads((folder / "plan.json").read_text())
    with open_store(folder / "studies") as store:
        for trial in store.trials.list("whole"):
            spec = trial.spec
            key = f"{spec.stage} {spec.subject} {spec.partition} {spec.seed}"
            for place, number in enumerate(trial.result.get("choice", ())):
                plan["granted"][f"{key} choice {place}"] = number + 1
    return plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and a work plan that takes a few seconds to repeat."""
    folder = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 3))
    y = x[:, 0] * x[:, 1] + 0.2 * rng.normal(size=240)
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).write_csv(folder / "toy.csv")
    granted = {
        "start recipe steps": 50,
        "own length steps": 80,
        "noise start recipe": 2,
        "rate": 2,
        "size core-seconds": 60,
        "size search": 1,
        **{f"size ask ladder/{size}/0,1,2,3,4/333": 1 for size in ("16", "32", "64-64")},
        **{f"size ask length/{size}/0,1,2,3,4/1000": 1 for size in ("32", "64-64")},
        **{f"size ask confirm/{size}/5,6,7,8,9/1000": 1 for size in ("32", "64-64")},
        "size search ended": 1,
        "round 1": 1,
        "round 2": 0,
        **{f"round 1/shape/screen size {size}": 1 for size in ("1×32", "2×64")},
        "round 1/shape/confirm": 5,
        "round 1/rate/screen rate × 3": 1,
        "round 1/rate/confirm": 5,
        "round 1/length/screen 3 × longer": 1,
        "round 1/length/confirm": 5,
        **{f"final {accepted}": 50 for accepted in range(4)},
    }
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    return folder


def test_killed_again_and_again(folder: Path) -> None:
    finish(start(folder, "--name", "whole", "--work", "plan.json"))
    wanted = decisions(folder, "whole")
    assert len(wanted["rounds"]) > 2, "the plan tried nothing"
    assert len(wanted["sizes"]) == 3

    (folder / "plan.json").write_text(json.dumps(with_choices(folder)))
    words = ("--name", "killed", "--work", "plan.json")
    chance = random.Random(1)
    came = 0
    for early in [True, False] * EARLY + [False] * (AT_WORK - EARLY):
        if early:
            kill_early(start(folder, *words), chance)
        else:
            came += kill_at_work(start(folder, *words, "--verbose"), chance)
    assert came, "it was always killed too late"
    finish(start(folder, *words))

    assert decisions(folder, "killed") == wanted
    one, other = (verdict(folder, name)["network"] for name in ("whole", "killed"))
    assert other["scores"]["rmse"] == pytest.approx(one["scores"]["rmse"], rel=1e-6)
