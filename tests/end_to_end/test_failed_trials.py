"""Trainings that diverge or find no memory are recorded facts; their study goes on to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.core.trial import Trial, TrialState
from justright.model.predictor import Model
from justright.store.opening import open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux has")

LIMITS = """
import resource
from pathlib import Path

def limit(more, report):
    "Let this worker take so many bytes more than it has; None = as many as there are."
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = resource.RLIM_INFINITY if more is None else pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    return True
"""
"""A module for the worker."""

FIT = """
import sys
import time
from dataclasses import replace

import justright.designer.fit as fit
from justright.cli.main import main
from justright.executors.base import Call
from justright.recipe.patch import Patch

class Flow(fit.Flow):
    "A study that also tries what cannot work, on the workers that it has."

    def _champion(self, recipe):
        champion, baselines = super()._champion(recipe)
        self.attempt(champion.arm, "rate 1e30", {"optimiser.rate": 1e30})
        self.limit(60_000_000)
        self.attempt(champion.arm, "two of 4,000", {"shape.hidden": [4000, 4000]})
        self.limit(None)
        return champion, baselines

    def attempt(self, arm, subject, changes):
        session = self._session
        block = session.blocks.block(session.blocks.first[0], arm.recipe.preprocessing)
        tried = replace(arm, subject=subject, recipe=Patch(subject, changes).apply(arm.recipe))
        session.run(session.train(tried, "attempts", [block]))

    def limit(self, more):
        call = Call("limits:limit", {"more": more})
        assert self._session.crew.ask(call, "limit", time.time() + 60)

fit.Flow = Flow
sys.exit(main(sys.argv[1:]))
"""

ROWS = 2_600
"""Enough for one partition instead of five folds; with little to learn trees are soon done."""

GRANTED = {"start recipe steps": 60, "final 0": 60}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study, in which two trainings failed."""
    folder = tmp_path_factory.mktemp("failed")
    a, b, noise = np.random.default_rng(0).normal(size=(3, ROWS))
    pl.DataFrame({"a": a, "b": b, "y": a + 3 * noise}).write_csv(folder / "t.csv")
    (folder / "limits.py").write_text(LIMITS)
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": GRANTED}))
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    # One worker: the call that limits memory and the training after it meet the same process.
    command = ["fit", "t.csv", "-t", "y", "-q", "--work", "plan.json", "--workers", "1"]
    command += ["--time", "10s"]  # without a clock, but it says how long boosting may look
    done = subprocess.run(
        [sys.executable, "-c", FIT, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def trials(folder: Path) -> dict[str, Trial]:
    with open_store(folder / "studies") as store:
        return {f"{t.spec.stage}: {t.spec.subject}": t for t in store.trials.list("t")}


def test_a_training_that_diverges_is_recorded(folder: Path) -> None:
    trial = trials(folder)["attempts: rate 1e30"]
    assert trial.state is TrialState.FAILED
    assert trial.reason.startswith("diverged at step")


def test_a_training_without_memory_is_recorded(folder: Path) -> None:
    trial = trials(folder)["attempts: two of 4,000"]
    assert (trial.state, trial.reason) == (TrialState.FAILED, "out of memory")


def test_the_study_went_on_to_a_network_that_predicts(folder: Path) -> None:
    verdict: dict[str, Any] = json.loads((folder / "studies/t/verdict.json").read_text())
    assert verdict["test"]["rows"] > 0
    found = Model.load(folder / "studies/t/model").predict({"a": [0.5], "b": [1.0]})
    assert np.isfinite(found["y"].to_numpy()).all()


def test_the_report_names_both(folder: Path) -> None:
    report = (folder / "studies/t/report.html").read_text()
    assert "diverged at step" in report
    assert "out of memory" in report
