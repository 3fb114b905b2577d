"""The grid of truth for the size search: depth 1 to 6 × width 16 to 512, trained to the end.

    python benchmarks/size_grid.py FOLDER --out benchmarks/out/size_grid

FOLDER holds a ``manifest.json`` and Parquet files. Every cell is trained at a constant rate, with
the average of weights evaluated, on the same blocks (a partition and a seed each); one JSON line
per training holds its curve. Trainings that are in the file are not repeated, so the run can be
interrupted; it can begin with the lines of ``size_grid.jsonl.gz``. `size.py` replays these lines.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from justright.recipe.network import NetworkSpec, parameter_count
from justright.training.budget import steps_of
from justright.training.request import MAX_EVALUATIONS, Member, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe
from justright.training.trunk import trunk

DEPTHS, WIDTHS = (1, 2, 3, 4, 5, 6), (16, 32, 64, 128, 256, 512)
TABLES = (
    "concrete", "satellite", "diamonds", "spambase",
    "ames", "letter", "telco_churn", "bikeshare",
)  # fmt: skip
MOST_ROWS = 4_000
"""Larger tables are thinned out: an exhaustive grid of them would take days."""

BLOCKS = 6
TOGETHER = 3
"""Blocks of a narrow cell that are trained as one stack."""


@dataclass(frozen=True)
class Cell:
    """One stack of trainings: a table, a shape, some blocks."""

    table: str
    depth: int
    width: int
    blocks: tuple[int, ...]


def problem_of(entry: dict[str, Any], folder: Path) -> Problem:
    """A table of the manifest, thinned out if it is large."""
    table = read_table(folder / entry["file"])
    if table.rows > MOST_ROWS:
        rng = np.random.default_rng(child_seed(0, "size grid", entry["name"]))
        chosen = np.sort(rng.choice(table.rows, MOST_ROWS, replace=False))
        table = replace(table, frame=table.frame[chosen])
    target = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
    return make_problem(table, DataOptions(target=tuple(target)))


def train(cell: Cell, entry: dict[str, Any], folder: Path, cache: Path) -> list[dict[str, Any]]:
    """Train a cell on its blocks: one line each."""
    problem = problem_of(entry, folder)
    blocks = Blocks(problem, make_splits(problem), cache / entry["name"], 0)
    spec = blocks.spec
    chosen = [blocks.block(number, spec) for number in cell.blocks]
    rows, inputs = len(chosen[0].train), blocks.inputs(chosen[0])
    recipe = trunk(start_recipe(problem.task, rows, inputs)[0])
    recipe = replace(
        recipe, shape=replace(recipe.shape, hidden=(cell.width,) * cell.depth), preprocessing=spec
    )
    with tempfile.TemporaryDirectory() as out:
        request = TrainRequest(
            recipe=recipe,
            folders=tuple(str(block.folder) for block in chosen),
            members=tuple(
                Member(str(block.number), block.seed, place, block.train, block.validation)
                for place, block in enumerate(chosen)
            ),
            steps=steps_of(recipe, rows),
            out=out,
            metric=problem.metric,
            evaluations=MAX_EVALUATIONS,
        )
        began = time.process_time()
        results = train_stack(request, lambda _: None)
        seconds = (time.process_time() - began) / len(chosen)
    weights = parameter_count(NetworkSpec(recipe.shape, inputs))
    common = asdict(cell) | {
        "weights": weights,
        "batch": recipe.batch,
        "seconds": seconds,
        "rows": rows,
        "overlap": chosen[0].overlap,
    }
    return [
        common
        | {"block": int(result.id), "state": result.state}
        | {
            name: [float(f"{value:.6g}") for value in values]
            for name, values in result.curve.items()
        }
        for result in results
    ]


def cells(tables: list[str], done: set[tuple[str, int, int, int]]) -> Iterator[Cell]:
    """What is still to be trained: all tables first on some blocks, then on further ones."""
    for first in range(0, BLOCKS, TOGETHER):
        for table in tables:
            for depth in DEPTHS:
                for width in WIDTHS:
                    blocks = tuple(
                        block
                        for block in range(first, first + TOGETHER)
                        if (table, depth, width, block) not in done
                    )
                    if blocks:
                        yield Cell(table, depth, width, blocks)


def _work(job: tuple[Cell, dict[str, Any], Path, Path]) -> list[dict[str, Any]]:
    return train(*job)


def main() -> None:
    """Train what is missing, on all cores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/size_grid"))
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = arguments.out / "lines.jsonl"
    known = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    done = {(line["table"], line["depth"], line["width"], line["block"]) for line in known}
    manifest = json.loads((arguments.folder / "manifest.json").read_text())
    entries = {entry["name"]: entry for entry in manifest}
    cache = arguments.out / "cache"
    jobs = [
        (cell, entries[cell.table], arguments.folder, cache)
        for cell in cells(arguments.tables, done)
    ]
    began = time.time()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for place, found in enumerate(pool.imap(_work, jobs), 1):
            with lines.open("a") as file:
                file.writelines(json.dumps(line) + "\n" for line in found)
            first = found[0]
            print(
                f"{place}/{len(jobs)} {first['table']} {first['depth']}×{first['width']} "
                f"{first['seconds']:.1f} s a training, {time.time() - began:.0f} s so far",
                flush=True,
            )
    shutil.rmtree(cache, ignore_errors=True)


if __name__ == "__main__":
    main()
