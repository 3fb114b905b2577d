"""Does one learning rate serve all widths? `python benchmarks/rate_transfer.py [FILE:TARGET ...]`.

Trains two hidden layers of widths 16 to 512 at a grid of peak rates (cosine schedule, AdamW, no
regularisation, three seeds) and prints for each table and width the rate with the lowest training
loss, refined by a parabola through its neighbours, and the factor between the largest and the
smallest of them. Files are Parquet or CSV with the name of the target after the colon; without
files it uses sets that scikit-learn brings or makes. The rule for the factors is `nets.rates`.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import numpy as np
import polars as pl
from sklearn.datasets import load_digits, make_classification, make_friedman1

from justright.engine.contract import Candidate, Program, Span
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec, OptimiserName

WIDTHS = (16, 32, 64, 128, 256, 512)
SEEDS = (0, 1, 2)
PROBE, SPAN = 4096, 25
MOST_ROWS, MOST_VALUES = 20_000, 50


@dataclass(frozen=True)
class TableRows:
    """A table in memory; ``outputs`` is the number of classes, or 0 for a number."""

    name: str
    x: np.ndarray
    y: np.ndarray
    outputs: int

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": self.x[rows], "y": self.y[rows]}


def make_table(name: str, x: np.ndarray, y: np.ndarray) -> TableRows:
    """Standardise; a target of integers or texts becomes class codes."""
    x = np.asarray(x, np.float64)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)
    x = (x / np.sqrt(1 + (x / 3) ** 2)).astype(np.float32)  # RealMLP's smooth clip
    if y.dtype.kind == "f":
        scaled = (y - y.mean()) / y.std()
        return TableRows(name, x, scaled[:, None].astype(np.float32), 0)
    classes, codes = np.unique(y, return_inverse=True)
    return TableRows(name, x, codes.astype(np.int64), len(classes))


def made_tables() -> list[TableRows]:
    """Sets that need no file."""
    digits, number = load_digits(return_X_y=True)
    x, y = make_friedman1(8000, 12, noise=0.5, random_state=0)
    clusters, label = make_classification(
        8000, 24, n_informative=10, n_classes=6, n_clusters_per_class=3, random_state=0
    )
    made = [("digits", digits, number), ("friedman", x, y), ("clusters", clusters, label)]
    return [make_table(*each) for each in made]


def read_table(argument: str) -> TableRows:
    """``FILE:TARGET``; texts of few values become one column per value."""
    path, _, target = argument.rpartition(":")
    frame = pl.read_csv(path) if path.endswith(".csv") else pl.read_parquet(path)
    frame = frame.drop_nulls(target).sample(min(MOST_ROWS, len(frame)), seed=0, shuffle=True)
    y = frame[target].to_numpy()
    if y.dtype.kind in "iu" and len(np.unique(y)) > MOST_VALUES:
        y = y.astype(np.float64)
    parts = []
    for column in frame.drop(target):
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            parts.append(column.cast(pl.Float64).fill_null(strategy="mean").to_frame())
        elif column.n_unique() <= MOST_VALUES:
            parts.append(column.cast(pl.String).to_dummies())
    x = np.nan_to_num(np.concatenate([part.to_numpy() for part in parts], axis=1))
    return make_table(os.path.basename(path).partition(".")[0], x, np.asarray(y))


def losses(
    table: TableRows,
    width: int,
    rates: np.ndarray,
    steps: int,
    batch: int,
    rule: OptimiserName,
    parametrisation: str,
    activation: str,
) -> np.ndarray:
    """Training loss ``[rates]`` on a probe at the end, mean of the logarithm over seeds."""
    inputs = Inputs(table.x.shape[1], 0, (), table.outputs or 1)
    loss = LossSpec("cross_entropy" if table.outputs else "mse")
    outputs = 1 if table.outputs == 2 else inputs.outputs
    shape = Shape(hidden=(width, width), activation=activation)  # type: ignore[arg-type]
    net = NetworkSpec(shape, Inputs(inputs.numbers, 0, (), outputs))
    program = Program(net, loss, rule, batch, parametrisation=parametrisation)  # type: ignore[arg-type]
    members = [(rate, seed) for rate in rates for seed in SEEDS]
    stack = TorchBackend().open(
        program, table, [Candidate(str(i), seed) for i, (_, seed) in enumerate(members)]
    )
    k, rng = len(members), np.random.default_rng(0)
    peak = np.array([rate for rate, _ in members])[:, None]
    schedule = 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))
    found = []
    for start in range(0, steps, SPAN):
        n = min(SPAN, steps - start)
        order = np.tile(rng.integers(0, len(table), (1, n, batch)), (k, 1, 1)).astype(np.int32)
        controls = {"rate": peak * schedule[None, start : start + n]}
        controls["beta2"] = np.full((k, n), 0.95)
        stack.advance(Span(order, controls))
    probe = np.arange(min(PROBE, len(table)), dtype=np.int32)
    rows = np.resize(probe, (k, -(-len(probe) // batch), batch))
    trace = stack.advance(Span(rows, {}))  # a rate of 0: the loss of the probe, nothing moves
    found = np.where(trace.alive, trace.loss.mean(1), np.inf).reshape(len(rates), len(SEEDS))
    with np.errstate(invalid="ignore"):
        return np.log(np.maximum(found, 1e-12)).mean(1)


def best_rate(rates: np.ndarray, logs: np.ndarray) -> float:
    """Vertex of the parabola through the lowest point and its neighbours, in log rate."""
    i = int(np.argmin(logs))
    if i in (0, len(rates) - 1) or not np.isfinite(logs[i - 1 : i + 2]).all():
        return float(rates[i])
    low, middle, high = logs[i - 1 : i + 2]
    shift = 0.5 * (low - high) / max(low - 2 * middle + high, 1e-9)
    return float(rates[i] * (rates[i + 1] / rates[i]) ** np.clip(shift, -0.5, 0.5))


def main() -> None:
    """Print one line for each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="FILE:TARGET")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rule", default="adamw")
    parser.add_argument("--activation", default="relu")
    parser.add_argument("--parametrisation", default="width", choices=["width", "standard"])
    parser.add_argument("--lowest", type=float, default=2.0**-9)
    parser.add_argument("--highest", type=float, default=2.0**1)
    parser.add_argument("--widths", type=int, nargs="*", default=list(WIDTHS))
    parser.add_argument("--curves", action="store_true", help="print the log losses as well")
    a = parser.parse_args()
    count = round(np.log2(a.highest / a.lowest)) + 1
    rates = a.lowest * 2.0 ** np.arange(count)
    tables = [read_table(each) for each in a.tables] or made_tables()
    print("| table |" + "".join(f" {width} |" for width in a.widths) + " largest / smallest |")
    print("|---|" + "---|" * (len(a.widths) + 1))
    for table in tables:
        best = []
        for width in a.widths:
            logs = losses(
                table, width, rates, a.steps, a.batch, a.rule, a.parametrisation, a.activation
            )
            best.append(best_rate(rates, logs))
            if a.curves:
                print(width, np.round(logs, 2).tolist(), file=sys.stderr)
        cells = "".join(f" {rate:.3g} |" for rate in best)
        print(f"| {table.name} |{cells} {max(best) / min(best):.1f} |", flush=True)


if __name__ == "__main__":
    main()
