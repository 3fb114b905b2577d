"""Measure `justright predict`: seconds and peak memory at several numbers of rows.

    python benchmarks/predict.py MODEL --rows 100000 1000000

The files hold random values in the columns that the model needs. Memory is the peak of resident
pages of the whole command, as the operating system counted it when it ended.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl


def columns_of(model: Path) -> dict[str, str]:
    """Name and kind of the columns that a model needs."""
    document = json.loads((model / "preprocessing.json").read_text(encoding="utf-8"))
    return {column["name"]: column["kind"] for column in document["columns"]}


def write_rows(path: Path, kinds: dict[str, str], rows: int) -> None:
    """A CSV of random rows: numbers, and words for everything else."""
    rng = np.random.default_rng(0)
    words = np.array(["red", "green", "blue"])
    frame = {
        name: rng.normal(size=rows) if kind == "number" else words[rng.integers(0, 3, rows)]
        for name, kind in kinds.items()
    }
    pl.DataFrame(frame).write_csv(path)


def measure(model: Path, data: Path) -> tuple[float, float]:
    """Seconds and peak resident MB of one command."""
    out = data.with_suffix(".out.csv")
    command = [sys.executable, "-m", "justright.cli.main", "predict", str(model), str(data)]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("predict failed")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    options = parser.parse_args()
    kinds = columns_of(options.model)
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            data = Path(folder) / f"{rows}.csv"
            write_rows(data, kinds, rows)
            seconds, peak = measure(options.model, data)
            print(
                f"{rows:>10,} rows × {len(kinds)} columns: {seconds:.1f} s, peak {peak:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
