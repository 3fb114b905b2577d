"""A study of 200 rows says only what 200 rows can say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.testing.commands import justright

ROWS = 200

PLAN = {
    "rows": ROWS,
    "start recipe steps": 300,
    "final 0": 100,
    "headline linear": 1,
    "headline constant": 1,
    "headline knn": 1,
    "headline repetitions": 2,
}
"""Work without a clock, so that a busy machine does the same: no search, two repetitions."""


def make_table(path: Path) -> None:
    """A line with noise as large as itself: no method can beat linear regression here."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(ROWS, 3))
    y = x[:, 0] - x[:, 1] + 1.4 * rng.normal(size=ROWS)
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y}).write_csv(path)


def fit(folder: Path, *more: str) -> str:
    # the limit only says how long boosting may look for its settings
    done = justright("fit", "small.csv", "-t", "y", "--time", "10s", *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study; the output lies beside it."""
    folder = tmp_path_factory.mktemp("small")
    make_table(folder / "small.csv")
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": PLAN}))
    (folder / "stdout").write_text(fit(folder, "--work", "plan.json"))
    return folder


def verdict_of(folder: Path, name: str = "small") -> dict:
    return json.loads((folder / "studies" / name / "verdict.json").read_text())


def test_the_headline_is_cross_validated_and_claims_no_victory(small: Path) -> None:
    verdict = verdict_of(small)
    first = verdict["headline"]
    assert first["source"].startswith("repeated cross-validation"), first["reason"]
    assert (first["repetitions"], first["blocks"]) == (2, 10)
    assert first["rows"] == ROWS - 40
    assert verdict["verdict"]["word"] in ("ties with", "loses to")
    network = verdict["network"]
    assert network["low"] < network["score"] < network["high"]
    assert network["low"] < 1.4 < network["high"] + 0.2  # the noise, which nobody can predict


def test_the_baselines_are_judged_on_every_fold(small: Path) -> None:
    verdict = verdict_of(small)
    scores = {entry["name"]: entry for entry in verdict["baselines"]}
    assert {"constant", "linear", "knn", "boosting"} <= set(scores)
    assert all(entry["validation"]["rmse"] for entry in scores.values())
    assert scores["linear"]["score"] < scores["constant"]["score"]


def test_the_locked_rows_are_opened_once_and_called_a_sanity_check(small: Path) -> None:
    verdict, screen = verdict_of(small), (small / "stdout").read_text()
    assert (verdict["test"]["rows"], verdict["test"]["openings"]) == (40, 1)
    assert verdict["test"]["score"] > 0
    assert "folds of cross-validation" in screen
    assert "sanity check" in next(row for row in screen.splitlines() if row.startswith("Test"))
    card = (small / "studies/small/model/card.md").read_text()
    assert "in repeated cross-validation" in card


def test_a_work_plan_repeats_the_headline(small: Path) -> None:
    fit(small, "--work", "studies/small/work.json", "--name", "again")
    first, second = verdict_of(small), verdict_of(small, "again")
    assert second["headline"]["repetitions"] == first["headline"]["repetitions"]
    assert second["headline"]["apparent"] == pytest.approx(first["headline"]["apparent"], rel=1e-5)
