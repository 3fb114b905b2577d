"""Two states of this package on the same tables: both at the same time, one worker each.

    git clone . /tmp/before && git -C /tmp/before checkout COMMIT
    python benchmarks/before_after.py FOLDER --before /tmp/before --time 5m --out benchmarks/out/ba

Both networks are judged on the same test rows, which neither has seen: the difference is paired,
its interval is over rows. Tables that were finished are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import make_splits
from justright.statistics.intervals import Sample, paired_difference, standing
from justright.statistics.metrics import Metric, metric_named
from tables import tables

HERE = Path(__file__).resolve().parents[1]

TEST_ROWS = """
import sys, numpy as np
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
problem = make_problem(read_table(sys.argv[1]), DataOptions(target=tuple(sys.argv[3:])))
np.save(sys.argv[2], make_splits(problem).test)
"""


def targets_of(entry: dict[str, Any]) -> list[str]:
    """Target columns of a table."""
    return entry["target"] if isinstance(entry["target"], list) else [entry["target"]]


def start(checkout: Path, *words: str) -> subprocess.Popen[str]:
    """A command of one state of the package."""
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    return subprocess.Popen(
        [sys.executable, *words],
        env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> None:
    """Wait for it.

    Raises:
        RuntimeError: If it failed.
    """
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors[-500:])


def run(entry: dict[str, Any], path: Path, states: dict[str, Path], options: Any) -> None:
    """Fit with both states at once, and predict the test rows with what each handed over."""
    out, name, words = options.out, entry["name"], []
    for target in targets_of(entry):
        words += ["--target", target]
    for state in states:  # else one that was interrupted would go on with a limit of its own
        shutil.rmtree(out / state / name, ignore_errors=True)
    began = time.time()
    fits = {
        state: start(
            checkout, "-m", "justright.cli.main", "fit", str(path), *words, "--quiet",
            "--time", options.time, "--workers", "1", "--name", name,
            "--studies", str(out / state / name),
        )
        for state, checkout in states.items()
    }  # fmt: skip
    seconds = {}
    while len(seconds) < len(fits):
        time.sleep(0.1)
        for state, fit in fits.items():
            if state not in seconds and fit.poll() is not None:
                finished(fit)
                seconds[state] = time.time() - began
    for state, checkout in states.items():
        rows = out / state / f"{name}.npy"
        finished(start(checkout, "-c", TEST_ROWS, str(path), str(rows), *targets_of(entry)))
        model, answers = out / state / name / name / "model", out / state / f"{name}.parquet"
        command = ("predict", str(model), str(path), "--out", str(answers))
        finished(start(checkout, "-m", "justright.cli.main", *command))
    (out / f"{name}.json").write_text(json.dumps(seconds))


def predicted(problem: Problem, path: Path, rows: np.ndarray) -> np.ndarray:
    """Predictions of some rows, as metrics take them."""
    frame = pl.read_parquet(path)[rows]
    names = [f"p({each})" for each in problem.task.classes] or list(problem.task.targets)
    return frame.select(names).to_numpy().astype(np.float64)


def constant_of(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """The mean, or the class shares, of all other rows, for some rows."""
    y = np.delete(problem.target(), rows, axis=0)
    if problem.task.is_classification:
        shares = np.bincount(y, minlength=len(problem.task.classes)) / len(y)
        return np.tile(shares, (len(rows), 1))
    return np.tile(y.mean(axis=0), (len(rows), 1))


def line(entry: dict[str, Any], path: Path, out: Path) -> str:
    """One row of the table in Markdown."""
    name = entry["name"]
    problem = make_problem(read_table(path), DataOptions(target=tuple(targets_of(entry))))
    rows = make_splits(problem).test
    for state in ("before", "after"):
        assert np.array_equal(np.load(out / state / f"{name}.npy"), rows), f"{name}: other rows"
    weights, groups, times = problem.weights(), problem.groups(), problem.times()
    sample = Sample(
        problem.target()[rows],
        *(None if each is None else each[rows] for each in (weights, groups, times)),
    )
    metric: Metric = metric_named(problem.metric)
    before, after = (
        predicted(problem, out / state / f"{name}.parquet", rows) for state in ("before", "after")
    )
    found = paired_difference(metric, sample, after, before)
    scores = [metric(sample.y, each, sample.weights) for each in (before, after)]
    constant = metric(sample.y, constant_of(problem, rows), sample.weights)
    delta = 0.01 * abs(constant - min(scores, key=metric.loss))
    word, _ = standing(found, delta)
    seconds = json.loads((out / f"{name}.json").read_text())
    cells = [
        name,
        metric.name,
        *(f"{score:.4g}" for score in scores),
        f"{found.estimate:+.2g} ({found.low:+.2g} to {found.high:+.2g})",
        f"{found.estimate / delta:+.1f}",
        word,
        *(f"{seconds[state]:.0f}" for state in ("before", "after")),
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, default=HERE)
    parser.add_argument("--time", default="5m")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/before_after"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    states = {"before": options.before, "after": options.after}
    wanted = [name for name in options.only.split(",") if name]
    entries = [e for e in tables(options.folder) if not wanted or e["name"] in wanted]
    for entry in entries:
        path = options.folder / entry["file"]
        if not (options.out / f"{entry['name']}.json").exists():
            run(entry, path, states, options)
        print(line(entry, path, options.out), flush=True)
    heads = (
        "table", "metric", "before", "after", "gain (95%)", "gain / δ", "word",
        "seconds before", "after",
    )  # fmt: skip
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for entry in entries:
        print(line(entry, options.folder / entry["file"], options.out))


if __name__ == "__main__":
    main()
