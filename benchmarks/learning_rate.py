"""How good are the rates that rules and race find? Against a sweep of 13 rates at full length.

    python benchmarks/learning_rate.py FOLDER --out benchmarks/out/learning_rate

FOLDER holds a ``manifest.json`` and Parquet files. For each table and repeat (a partition and
seeds of its own) the start recipe goes through the range test, the rules, the race and its check,
as a study does it; then 13 rates, a third of a decade apart around the prior, and every proposed
rate are trained at full length, at a constant rate with the average of weights evaluated, and
under the recipe's own schedule with the peak that the constant rate stands for. One JSON line per
table and repeat; those in the file are not repeated, so the run can be interrupted, and can begin
with the lines of ``learning_rate.jsonl.gz``. Then the Markdown tables are printed; ``--repeats 0``
prints those of the lines that are there.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.data.problem import Problem
from justright.data.split import make_splits
from justright.designer.stages.range_test import SEEDS
from justright.designer.stages.rate import CHECKED, RACE_BLOCKS, RACED
from justright.designer.stages.rate_jobs import RaceJob
from justright.designer.work.blocks import FOLDS, Blocks
from justright.designer.work.jobs import EncodedBlock
from justright.recipe.recipe import Recipe
from justright.training.budget import steps_of
from justright.training.range_test import range_test
from justright.training.rate_race import lowest_point, race_steps
from justright.training.rate_rules import RangeCurve, alike, entrants, picks
from justright.training.request import MAX_EVALUATIONS, Member, RangeRequest, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe
from justright.training.trunk import CONSTANT_SHARE, trunk
from learning_rate_tables import SWEEP, array_of, is_checked, print_all
from size_grid import problem_of
from tables import tables


@dataclass(frozen=True)
class Subject:
    """What is raced: a table's blocks, which repeat, and the start recipe.

    Attributes:
        blocks: Of the table.
        repeat: Of the benchmark; a partition and seeds of its own.
        recipe: The start recipe.
        base: The same at a constant rate.
        steps: Of a full run.
    """

    blocks: Blocks
    repeat: int
    recipe: Recipe
    base: Recipe
    steps: int

    @property
    def block(self) -> EncodedBlock:
        """The rows of the repeat."""
        return self.blocks.block(self.repeat, self.blocks.spec)


def measure(entry: dict[str, Any], repeat: int, folder: Path, cache: Path) -> dict[str, Any]:
    """Everything about one table and repeat, on one core."""
    began = time.process_time()
    subject = subject_of(entry, repeat, folder, cache)
    problem, block, steps = subject.blocks.problem, subject.block, subject.steps
    base, recipe = subject.base, subject.recipe
    seeds = tuple(child_seed(block.seed, "range test", place) for place in range(SEEDS))
    test = RangeRequest(base, str(block.folder), block.train, seeds)
    seen = range_test(test, lambda _: None)
    curve = RangeCurve(np.array(seen["rates"]), np.array(seen["losses"]), seen["diverged"])
    proposed = picks(curve)
    tested = time.process_time()
    found = race(subject, proposed)
    raced = time.process_time()
    prior = base.optimiser.rate
    rates = [float(prior * factor) for factor in SWEEP]
    rates += sorted({pick.rate for pick in proposed if pick.rate is not None})
    line = {
        "table": entry["name"],
        "repeat": repeat,
        "rows": len(block.train),
        "steps": steps,
        "prior": prior,
        "diverged": curve.diverged,
        "picks": {pick.rule: pick.rate for pick in proposed},
        "rates": rates,
        **found,
        "constant": sweep(base, rates, block, problem, steps, 1.0),
        "own": sweep(recipe, rates, block, problem, steps, 1 / CONSTANT_SHARE),
    }
    ended = time.process_time()
    seconds = {"test_s": tested - began, "race_s": raced - tested, "sweep_s": ended - raced}
    return line | seconds


def race(subject: Subject, proposed: Sequence[Any]) -> dict[str, Any]:
    """The race and its check, on blocks as a study takes them."""
    field = entrants(subject.base.optimiser.rate, proposed)
    rates = [e.rate for e in field]
    losses = stretch(subject, rates, RACED)
    return {
        "raced": rates,
        "race_losses": known(losses),
        **check(subject, rates, losses),
    }


def check(subject: Subject, rates: Sequence[float], losses: np.ndarray) -> dict[str, Any]:
    """The rate that came out, and its losses and the prior's on fresh seeds; None if alike."""
    pair = [lowest_point(rates, losses), rates[0]]
    fresh = None
    if not alike(*pair):
        fresh = known(stretch(subject, pair, CHECKED))
    return {"checked": pair[0], "check_losses": fresh}


def known(losses: np.ndarray) -> list[list[float | None]]:
    """For JSON: null where a run diverged."""
    return [[x if np.isfinite(x) else None for x in row] for row in losses.tolist()]


def checked_again(
    line: dict[str, Any], entry: dict[str, Any], folder: Path, cache: Path
) -> dict[str, Any]:
    """A line of an earlier state, whose race ended at another rate."""
    subject = subject_of(entry, line["repeat"], folder, cache)
    more = check(subject, line["raced"], array_of(line["race_losses"]))
    return {key: value for key, value in line.items() if not key.startswith("race ")} | more


def stretch(subject: Subject, rates: Sequence[float], first: int) -> np.ndarray:
    """Validation losses ``[rates, blocks]`` at the end of a race.

    The repeats of a small table are repetitions of its cross-validation, others its partitions.
    """
    blocks, repeat = subject.blocks, subject.repeat
    small = len(blocks.first) > 1
    numbers = [FOLDS * repeat + fold for fold in blocks.first] if small else [repeat] * RACE_BLOCKS
    whole, stop = race_steps(subject.steps)
    metric = blocks.problem.metric
    found = []
    with tempfile.TemporaryDirectory() as out:
        for place, number in enumerate(numbers):
            block = blocks.block(number, blocks.spec, first + place)
            job = RaceJob(subject.base, tuple(rates), block, whole, stop, metric, Path(out))
            request = job.call(job.specs, float("inf")).arguments["request"]
            results = train_stack(request, lambda _: None)
            found.append([r.loss if r.state == "done" else np.inf for r in results])
    return np.array(found).T


def subject_of(entry: dict[str, Any], repeat: int, folder: Path, cache: Path) -> Subject:
    """A table with its start recipe."""
    problem = problem_of(entry, folder)
    blocks = Blocks(problem, make_splits(problem), cache / f"{entry['name']}-{repeat}", 0)
    block = blocks.block(repeat, blocks.spec)
    recipe = start_recipe(problem.task, len(block.train), blocks.inputs(block))[0]
    recipe = replace(recipe, preprocessing=blocks.spec)
    return Subject(blocks, repeat, recipe, trunk(recipe), steps_of(recipe, len(block.train)))


def sweep(
    recipe: Recipe,
    rates: Sequence[float],
    block: EncodedBlock,
    problem: Problem,
    steps: int,
    factor: float,
) -> dict[str, Any]:
    """Validation losses of full runs: the best evaluation of each, and all of them.

    Null where a run diverged. The evaluations at a constant rate are among others a ninth, a third
    and the whole of the run.
    """
    members = tuple(
        Member(str(place), block.seed, 0, block.train, block.validation, rate=factor * rate)
        for place, rate in enumerate(rates)
    )
    with tempfile.TemporaryDirectory() as out:
        request = TrainRequest(
            recipe=recipe,
            folders=(str(block.folder),),
            members=members,
            steps=steps,
            out=out,
            metric=problem.metric,
            evaluations=MAX_EVALUATIONS,
        )
        results = train_stack(request, lambda _: None)
    alive = [r for r in results if r.state == "done" and np.isfinite(r.loss)]
    curves = [list(r.curve["validation_loss"]) if r in alive else None for r in results]
    where = list(alive[0].curve["step"]) if alive else []
    best = [r.loss if r in alive else None for r in results]
    return {"best": best, "steps": where, "curves": curves}


def _work(job: tuple[dict[str, Any], int, dict[str, Any] | None, Path, Path]) -> dict[str, Any]:
    entry, repeat, line, folder, cache = job
    return (
        checked_again(line, entry, folder, cache)
        if line
        else measure(entry, repeat, folder, cache)
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines so far, the last one of each table and repeat."""
    texts = path.read_text().splitlines() if path.exists() else []
    found = {(line["table"], line["repeat"]): line for line in map(json.loads, texts)}
    return list(found.values())


def main() -> None:
    """Measure what is missing, on all cores, then print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/learning_rate"))
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "lines.jsonl"
    done = {(line["table"], line["repeat"]): line for line in read_lines(path)}
    entries = tables(arguments.folder)
    entries = [e for e in entries if not arguments.tables or e["name"] in arguments.tables]
    with tempfile.TemporaryDirectory() as cache:
        jobs = [
            (entry, repeat, done.get((entry["name"], repeat)), arguments.folder, Path(cache))
            for repeat in range(arguments.repeats)
            for entry in entries
            if not is_checked(done.get((entry["name"], repeat), {}))
        ]
        with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
            for place, line in enumerate(pool.imap_unordered(_work, jobs), 1):
                with path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                took = [line[key] for key in ("test_s", "race_s", "sweep_s")]
                print(
                    f"{place}/{len(jobs)} {line['table']} {line['repeat']}: test {took[0]:.1f}, "
                    f"race {took[1]:.1f}, sweep {took[2]:.1f} core-seconds",
                    flush=True,
                )
    print_all(read_lines(path))


if __name__ == "__main__":
    main()
