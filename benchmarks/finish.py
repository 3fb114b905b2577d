"""How should a training end? Schedules and SWA against the start recipe's, and seeds averaged.

    python benchmarks/finish.py FOLDER --steps 400 --tables concrete satellite telco_churn

FOLDER holds a ``manifest.json`` and the files. Of each table the start recipe is trained on four
blocks with each schedule of the catalogue, in pairs with its own, and on the first block with
further seeds, whose predictions are averaged. The best of all evaluations counts, as in a study.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.data.problem import Problem
from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from justright.designer.work.jobs import EncodedBlock
from justright.ideas.catalogue.schedule import SCHEDULES
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.statistics.metrics import metric_named
from justright.training.budget import steps_of
from justright.training.request import Member, MemberResult, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe
from size_grid import problem_of
from tables import tables

BLOCKS, SEEDS = 4, 4


def train(
    recipe: Recipe, blocks: Sequence[EncodedBlock], steps: int, metric: str, out: str
) -> tuple[MemberResult, ...]:
    """One training a block, as one stack."""
    folders = tuple(sorted({str(block.folder) for block in blocks}))
    members = tuple(
        Member(str(n), b.seed, folders.index(str(b.folder)), b.train, b.validation)
        for n, b in enumerate(blocks)
    )
    return train_stack(TrainRequest(recipe, folders, members, steps, out, metric), lambda _: None)


def opened(problem: Problem, cache: Path, count: int) -> tuple[Blocks, list[EncodedBlock], Recipe]:
    """The blocks of a table, the first few of them encoded, and the start recipe for it."""
    blocks = Blocks(problem, make_splits(problem), cache, 0)
    chosen = [blocks.block(number, blocks.spec) for number in range(count)]
    inputs = blocks.inputs(chosen[0])
    return blocks, chosen, start_recipe(problem.task, len(chosen[0].train), inputs)[0]


def measure(entry: dict[str, Any], folder: Path, cache: Path, most: int) -> None:
    """Print the lines of a table."""
    problem = problem_of(entry, folder)
    blocks, chosen, recipe = opened(problem, cache, BLOCKS)
    metric = metric_named(problem.metric)
    steps = steps_of(recipe, len(chosen[0].train), most)
    found = {}
    for name, title in SCHEDULES.items():
        own = Patch(title, {"schedule.name": name}).apply(recipe)
        began = time.process_time()
        done = train(own, chosen, steps, problem.metric, str(cache / name))
        seconds = time.process_time() - began
        losses = np.array([[metric.loss(r.scores[problem.metric]), r.loss] for r in done])
        found[name] = losses
        gains = 100 * (found[recipe.schedule.name] - losses) / np.abs(found["coslog4"])
        mean, error = gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(BLOCKS)
        print(
            f"| {entry['name']} | {steps} | {title} | {metric.loss(losses[:, 0].mean()):.4g} | "
            f"{mean[0]:+.2f} ± {error[0]:.2f} | {mean[1]:+.2f} ± {error[1]:.2f} | {seconds:.0f} |",
            flush=True,
        )
    seeds = [replace(chosen[0], seed=child_seed(chosen[0].seed, "seed", n)) for n in range(SEEDS)]
    began = time.process_time()
    done = train(recipe, seeds, steps, problem.metric, str(cache / "seeds"))
    seconds = time.process_time() - began
    y = blocks.sample(chosen[0]).y
    each = [np.load(result.predictions) for result in done]
    singles = np.array([metric.loss(metric(y, p, None)) for p in each])
    together = metric.loss(metric(y, np.mean(each, axis=0), None))
    print(
        f"| {entry['name']} | {steps} | {SEEDS} seeds averaged | {metric.loss(together):.4g} | "
        f"{100 * (singles.mean() - together) / abs(singles.mean()):+.2f} against their mean | | "
        f"{seconds:.0f} |",
        flush=True,
    )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--tables", nargs="*", default=["concrete", "satellite", "telco_churn"])
    given = parser.parse_args()
    print("| table | steps | | metric | gain, % | gain in loss, % | processor s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for entry in tables(given.folder):
        if entry["name"] in given.tables:
            with tempfile.TemporaryDirectory() as cache:
                measure(entry, given.folder, Path(cache), given.steps)


if __name__ == "__main__":
    main()
