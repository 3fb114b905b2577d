"""Whole studies of rows that belong together: few large groups, dates as text.

In both the main process of a complete `fit` imports neither torch nor scikit-learn: workers do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from justright.testing.commands import justright

FIT = """
import sys
from justright.cli.main import main
code = main(sys.argv[1:])
heavy = ("torch", "sklearn", "lightgbm")
print(code, [name for name in heavy if name in sys.modules])
"""

ROWS = 2_600
"""Enough for one partition instead of five folds; with little to learn trees are soon done."""

SHORT = ("--time", "10s")
"""A plan has no clock, but the limit says how long boosting may look for its settings."""


def fit(folder: Path, *words: str, **columns: Any) -> dict[str, Any]:
    """The verdict on a table with noise and these columns, without a clock and a search."""
    a, b, noise = np.random.default_rng(0).normal(size=(3, ROWS))
    frame = pl.DataFrame({"a": a, "b": b, "y": a + 3 * noise, **columns})
    frame.write_csv(folder / "t.csv")
    granted = {"start recipe steps": 60, "final 0": 60}
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    command = ["fit", "t.csv", "-t", "y", "-q", "--work", "plan.json", *SHORT, *words]
    done = subprocess.run(
        [sys.executable, "-c", FIT, *command], cwd=folder, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr  # and nothing heavy imported
    return json.loads((folder / "studies/t/verdict.json").read_text())


def test_ten_large_groups(tmp_path: Path) -> None:
    """Two of them are the test, and two are the validation rows."""
    verdict = fit(tmp_path, "--group", "who", who=[f"w{i % 10}" for i in range(ROWS)])
    assert verdict["test"]["rows"] == 520
    assert 0.0 <= verdict["network"]["low"] < verdict["network"]["score"]
    assert verdict["network"]["score"] < verdict["network"]["high"]


def test_dates_as_text(tmp_path: Path) -> None:
    places = np.random.default_rng(1).permutation(ROWS)
    start = datetime(2024, 1, 1)
    when = [f"{start + timedelta(hours=7 * int(place)):%Y-%m-%d %H:%M:%S}" for place in places]
    verdict = fit(tmp_path, "--time-column", "when", when=when)
    assert verdict["test"]["rows"] == 520
    assert verdict["network"]["low"] < verdict["network"]["score"] < verdict["network"]["high"]
    said = justright("explain", "t", cwd=tmp_path).stdout
    assert "the last 520 of 2,600 rows in time" in said
