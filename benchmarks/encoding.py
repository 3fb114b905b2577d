"""Read and encode a made-up table of 1 million rows × 50 columns: seconds and peak memory.

python benchmarks/encoding.py [ROWS]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from justright.data.encode import write_encoded
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.recipe.recipe import PreprocessingSpec


def made_up(rows: int) -> pl.DataFrame:
    """30 amounts, 9 counts, 9 categories of 5 to 20,000 values, a boolean and a date."""
    g = np.random.default_rng(0)
    sizes = [5 * (k + 1) ** 2 for k in range(8)] + [20_000]
    seconds = g.integers(0, 10**8, rows).astype("timedelta64[s]")
    columns: dict[str, np.ndarray] = {
        f"amount{k}": np.round(100 * g.normal(size=rows), 3) for k in range(30)
    }
    columns |= {f"count{k}": g.integers(0, 1000, rows) for k in range(9)}
    columns |= {
        f"category{k}": np.array([f"value{v}" for v in range(size)])[g.integers(0, size, rows)]
        for k, size in enumerate(sizes)
    }
    columns["new"] = np.array(["yes", "no"])[g.integers(0, 2, rows)]
    columns["when"] = (np.datetime64("2020-01-01T00:00:00") + seconds).astype("datetime64[ms]")
    columns["y"] = 2 * columns["amount0"] + g.normal(size=rows)
    return pl.DataFrame(columns)


def main(rows: int) -> None:
    """Print the seconds of each step, and the process's peak after it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        made_up(rows).write_csv(path)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB of CSV; {_peak()} making it")
        began = time.perf_counter()
        table = read_table(path)
        began = _say("read", began)
        problem = make_problem(table, DataOptions(target=("y",)))
        began = _say("kinds and task", began)
        rest = np.arange(problem.table.rows)
        fitted = fit_preprocessing(problem, rest[rest % 5 > 0], PreprocessingSpec(), rest)
        began = _say("fit the preprocessing", began)
        write_encoded(problem, fitted, rest, Path(folder) / "encoded")
        _say("encode and write", began)


def _say(step: str, began: float) -> float:
    now = time.perf_counter()
    print(f"  {step:<24}{now - began:6.1f} s  {_peak()}")
    return now


def _peak() -> str:
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
