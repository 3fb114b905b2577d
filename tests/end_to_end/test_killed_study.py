"""A study that is killed again and again ends with the same decisions as one that was not."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

KILLS = 20


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "justright.cli.main", "fit", "toy.csv", "-t", "y", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors


def verdict(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / "studies" / name / "verdict.json").read_text())


def decisions(document: dict[str, Any]) -> list[Any]:
    """Everything that was decided, and the score of what was handed over."""
    rounds = [(r["round"], r["subject"], r["word"], r["accepted"]) for r in document["rounds"]]
    network = document["network"]
    return [rounds, network["shape"], network["steps"], network["recipe_fingerprint"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, and a work plan that takes a few seconds to repeat."""
    folder = tmp_path_factory.mktemp("killed")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 3))
    y = x[:, 0] * x[:, 1] + 0.2 * rng.normal(size=240)
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).write_csv(folder / "toy.csv")
    granted = {
        "start recipe steps": 120,
        "noise start recipe": 2,
        "round 1": 1,
        "round 2": 0,
        "round 1/shape/screen 3×256": 1,
        "round 1/shape/screen 2×64": 1,
        "round 1/shape/confirm": 5,
        "round 1/rate/screen rate × 3": 1,
        "round 1/rate/confirm": 5,
        "round 1/length/screen 3 × longer": 1,
        "round 1/length/confirm": 5,
        **{f"final {accepted}": 100 for accepted in range(4)},
    }
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    return folder


def test_killed_twenty_times(folder: Path) -> None:
    finish(start(folder, "--name", "whole", "--work", "plan.json"))
    wanted = verdict(folder, "whole")
    assert wanted["rounds"], "the plan tried nothing"

    chance = random.Random(1)
    for _ in range(KILLS):
        process = start(folder, "--name", "killed", "--work", "plan.json")
        time.sleep(chance.uniform(0.8, 6.0))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    finish(start(folder, "--name", "killed", "--work", "plan.json"))
    found = verdict(folder, "killed")

    assert decisions(found) == decisions(wanted)
    assert found["network"]["scores"]["rmse"] == pytest.approx(
        wanted["network"]["scores"]["rmse"], rel=1e-3
    )
