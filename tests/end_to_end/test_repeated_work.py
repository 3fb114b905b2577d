"""A study repeated by its work plan, on a busier machine, gives equal baselines bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.store.opening import open_store
from justright.testing.commands import justright


def fit(folder: Path, name: str, *extra: str) -> subprocess.CompletedProcess[str]:
    words = ("fit", "t.csv", "-t", "y", "--quiet", "--name", name, *extra)
    return justright(*words, cwd=folder, timeout=240)


def baselines(folder: Path, study: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    with open_store(folder / "studies") as store:
        return {
            (trial.spec.stage, trial.spec.subject, trial.spec.partition): trial.result
            for trial in store.trials.list(study)
            if trial.spec.kind == "baseline" and trial.state == "done"
        }


def fit_first(folder: Path) -> str:
    """The name of a study by the clock, as short as this machine allows, with choices in it.

    A busy machine has no time for a network in 16 s, or none for what chooses by the clock.
    """
    said = ""
    for seconds in (16, 40, 100):
        done = fit(folder, name := f"first{seconds}", "--time", f"{seconds}s")
        said = done.stderr
        assert done.returncode == 0 or "no network could be trained in the time" in said, said
        found = baselines(folder, name) if done.returncode == 0 else {}
        if any(result["choice"] for result in found.values()):
            return name
    raise AssertionError(f"nothing depended on the clock {said}")


@pytest.mark.timeout(600)
def test_baselines_of_a_repetition_are_equal_under_another_load(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + 0.3 * rng.normal(size=1500)
    columns = {f"x{place}": x[:, place] for place in range(4)}
    pl.DataFrame(columns | {"y": y}).write_csv(tmp_path / "t.csv")
    name = fit_first(tmp_path)
    first = baselines(tmp_path, name)

    plan = json.loads((tmp_path / f"studies/{name}/work.json").read_text())
    assert all(isinstance(amount, int) for amount in plan["granted"].values())
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        done = fit(tmp_path, "second", "--time", "60s", "--work", f"studies/{name}/work.json")
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert done.returncode == 0, done.stderr
    second = baselines(tmp_path, "second")
    assert second.keys() == first.keys()
    for key, result in first.items():
        assert second[key]["scores"] == result["scores"], key
        assert second[key]["choice"] == result["choice"], key
        one, other = (np.load(tmp_path / each["predictions"]) for each in (result, second[key]))
        assert np.array_equal(one, other), key
