"""The main process of a complete `fit` imports neither torch nor scikit-learn: workers do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

FIT = """
import sys
from justright.cli.main import main
code = main(sys.argv[1:])
heavy = ("torch", "sklearn", "lightgbm")
print(code, [name for name in heavy if name in sys.modules])
"""


def test_a_complete_fit_leaves_the_heavy_packages_to_workers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # 2,000 rows take one partition, not five folds; with little to learn trees are soon done
    a, b, noise = rng.normal(size=(3, 2_600))
    pl.DataFrame({"a": a, "b": b, "y": a + 3 * noise}).write_csv(tmp_path / "t.csv")
    granted = {"start recipe steps": 60, "final 0": 60}
    (tmp_path / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    command = ["fit", "t.csv", "-t", "y", "-q", "--work", "plan.json", "--time", "10s"]
    done = subprocess.run(
        [sys.executable, "-c", FIT, *command], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == ["0 []"], done.stderr
    verdict = json.loads((tmp_path / "studies/t/verdict.json").read_text())
    assert verdict["test"], "the fit was not complete"
