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
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.data.problem import Problem
from justright.data.split import make_splits
from justright.designer.blocks import FOLDS, Blocks
from justright.designer.jobs import EncodedBlock
from justright.designer.rate import CHECKED, RACE_BLOCKS, RACED, SEEDS
from justright.designer.rate_jobs import RaceJob
from justright.recipe.recipe import Recipe
from justright.training.budget import steps_of
from justright.training.range_test import range_test
from justright.training.rate_race import race_steps, verify, winner_of
from justright.training.rate_rules import NAMES, RangeCurve, entrants, picks
from justright.training.request import MAX_EVALUATIONS, Member, RangeRequest, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe
from justright.training.trunk import CONSTANT_SHARE, trunk
from rate_transfer import best_rate
from size_grid import problem_of
from tables import tables

SWEEP = 10.0 ** (np.arange(-6, 7) / 3)
"""Factors on the prior: 13 rates over four decades."""

SCHEDULES = ("constant", "own")
METHODS = ("prior", *NAMES, "race", "race and check")
NEAR = 2
"""Rates on either side of the best one that the noise is taken from."""

HALF_DECADE = 0.5


def measure(entry: dict[str, Any], repeat: int, folder: Path, cache: Path) -> dict[str, Any]:
    """Everything about one table and repeat, on one core."""
    began = time.process_time()
    problem = problem_of(entry, folder)
    blocks = Blocks(problem, make_splits(problem), cache / f"{entry['name']}-{repeat}", 0)
    block = blocks.block(repeat, blocks.spec)
    rows = len(block.train)
    recipe = replace(
        start_recipe(problem.task, rows, blocks.inputs(block))[0], preprocessing=blocks.spec
    )
    base = trunk(recipe)
    seeds = tuple(child_seed(block.seed, "range test", place) for place in range(SEEDS))
    test = RangeRequest(base, str(block.folder), block.train, seeds)
    seen = range_test(test, lambda _: None)
    curve = RangeCurve(np.array(seen["rates"]), np.array(seen["losses"]), seen["diverged"])
    proposed = picks(curve)
    tested = time.process_time()
    steps = steps_of(recipe, rows)
    found = race(blocks, repeat, base, steps, problem.metric, proposed)
    raced = time.process_time()
    prior = base.optimiser.rate
    rates = [float(prior * factor) for factor in SWEEP]
    rates += sorted({pick.rate for pick in proposed if pick.rate is not None})
    line = {
        "table": entry["name"],
        "repeat": repeat,
        "rows": rows,
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


def race(
    blocks: Blocks, repeat: int, base: Recipe, steps: int, metric: str, proposed: Sequence[Any]
) -> dict[str, Any]:
    """The race and its check, on blocks as a study takes them."""
    prior = base.optimiser.rate
    field = entrants(prior, proposed)
    losses = stretch(blocks, repeat, base, steps, metric, [e.rate for e in field], RACED)
    winner = winner_of(losses)
    kept = winner
    if winner:
        pair = [field[winner].rate, prior]
        fresh = stretch(blocks, repeat, base, steps, metric, pair, CHECKED)
        kept = winner if verify(losses[[winner, 0]], fresh).holds else 0
    return {
        "race": field[winner].rate,
        "race and check": field[kept].rate,
        "raced": [e.rate for e in field],
        "race_losses": [[x if np.isfinite(x) else None for x in row] for row in losses.tolist()],
    }


def stretch(
    blocks: Blocks,
    repeat: int,
    base: Recipe,
    steps: int,
    metric: str,
    rates: Sequence[float],
    first: int,
) -> np.ndarray:
    """Validation losses ``[rates, blocks]`` of the first ninth of a run.

    The repeats of a small table are repetitions of its cross-validation, others its partitions.
    """
    small = len(blocks.first) > 1
    numbers = [FOLDS * repeat + fold for fold in blocks.first] if small else [repeat] * RACE_BLOCKS
    whole, stop = race_steps(steps)
    found = []
    with tempfile.TemporaryDirectory() as out:
        for place, number in enumerate(numbers):
            block = blocks.block(number, blocks.spec, first + place)
            job = RaceJob(base, tuple(rates), block, whole, stop, metric, Path(out))
            request = job.call(job.specs, float("inf")).arguments["request"]
            results = train_stack(request, lambda _: None)
            found.append([r.loss if r.state == "done" else np.inf for r in results])
    return np.array(found).T


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


def _work(job: tuple[dict[str, Any], int, Path, Path]) -> dict[str, Any]:
    return measure(*job)


class Truth:
    """The sweep of one table under one schedule: its best rate, and how noisy a loss is."""

    def __init__(self, lines: Sequence[Mapping[str, Any]], schedule: str) -> None:
        self.lines, self.schedule = lines, schedule
        self.rates = np.array(lines[0]["rates"][: len(SWEEP)])
        losses = [line[schedule]["best"][: len(SWEEP)] for line in lines]
        logs = np.log(np.array(losses, np.float64))
        logs = np.where(np.isnan(logs), np.inf, logs)
        means = logs.mean(axis=0)
        self.place = int(np.argmin(means))
        self.best = best_rate(self.rates, means)
        near = logs[:, max(self.place - NEAR, 0) : self.place + NEAR + 1]
        near = near[:, np.isfinite(near).all(axis=0)]
        rest = near - near.mean(axis=0) - near.mean(axis=1, keepdims=True) + near.mean()
        degrees = (near.shape[0] - 1) * (near.shape[1] - 1)
        self.noise = float(np.sqrt(2 * (rest**2).sum() / degrees)) if degrees else float("nan")

    def regret(self, line: Mapping[str, Any], rate: float) -> float:
        """How much lower the best rate's loss was on the same rows and seed, in logarithms."""
        away = np.abs(np.log(np.array(line["rates"]) / rate))
        nearest = int(np.argmin(away))  # it is there, but for rounding
        losses = line[self.schedule]["best"]
        own, best = losses[nearest], losses[self.place]
        return float("inf") if own is None else float(np.log(own) - np.log(best))


def rate_of(line: Mapping[str, Any], method: str) -> float | None:
    """What a method answers."""
    if method in NAMES:
        return line["picks"][method]
    return line[method]


def print_rules(tables_: Mapping[str, list[dict[str, Any]]], schedule: str) -> None:
    """One line per method over all tables and repeats."""
    head = (
        "method | answers | median abs log10(picked/best) | within half a decade | "
        "median regret % | median regret / noise | regret within noise | "
        "median largest/smallest | within ×2"
    )
    print(f"\n**{schedule}**\n\n| {head} |\n|" + "---|" * (head.count("|") + 1))
    truths = {name: Truth(lines, schedule) for name, lines in tables_.items()}
    for method in METHODS:
        away, regrets, shares, ratios, asked = [], [], [], [], 0
        for name, lines in tables_.items():
            truth = truths[name]
            rates = [rate_of(line, method) for line in lines]
            asked += len(rates)
            known = [rate for rate in rates if rate is not None]
            if len(known) > 1:
                ratios.append(max(known) / min(known))
            for line, rate in zip(lines, rates, strict=True):
                if rate is not None:
                    away.append(abs(np.log10(rate / truth.best)))
                    regrets.append(truth.regret(line, rate))
                    shares.append(regrets[-1] / truth.noise)
        if not away:
            print(f"| {method} | 0 of {asked} |" + " – |" * (head.count("|") - 1))
            continue
        cells = [
            method,
            f"{len(away)} of {asked}",
            f"{np.median(away):.2f}",
            f"{np.mean(np.array(away) <= HALF_DECADE):.0%}",
            f"{100 * np.expm1(np.median(regrets)):.1f}",
            f"{np.median(shares):.2f}",
            f"{np.mean(np.array(shares) <= 1):.0%}",
            f"{np.median(ratios):.1f}" if ratios else "–",
            f"{np.mean(np.array(ratios) <= 2):.0%}" if ratios else "–",
        ]
        print("| " + " | ".join(cells) + " |")


def print_tables(tables_: Mapping[str, list[dict[str, Any]]]) -> None:
    """One line per table: best rates, where the test diverged, and what won."""
    print(
        "\n| table | prior | best constant | best own / 2 | noise % | diverged | race and check |"
    )
    print("|---|---|---|---|---|---|---|")
    shares: dict[str, list[float]] = {schedule: [] for schedule in SCHEDULES}
    for name, lines in tables_.items():
        truths = {schedule: Truth(lines, schedule) for schedule in SCHEDULES}
        for schedule, truth in truths.items():
            found = [truth.best / line["diverged"] for line in lines if line["diverged"]]
            shares[schedule] += found
        diverged = [f"{line['diverged']:.2g}" if line["diverged"] else "–" for line in lines]
        raced = [f"{line['race and check']:.2g}" for line in lines]
        print(
            f"| {name} | {lines[0]['prior']:.3g} | {truths['constant'].best:.2g} | "
            f"{truths['own'].best:.2g} | {100 * truths['constant'].noise:.1f} | "
            f"{', '.join(diverged)} | {', '.join(raced)} |"
        )
    for schedule, found in shares.items():
        if found:
            low, middle, high = np.quantile(found, [0.1, 0.5, 0.9])
            print(
                f"\nBest rate over diverging rate, {schedule}: median {middle:.2g}, "
                f"80% within {low:.2g} to {high:.2g} ({len(found)} curves); the rule says 0.5."
            )


def print_drift(tables_: Mapping[str, list[dict[str, Any]]]) -> None:
    """How the best of the 13 constant rates moves with the length of the run."""
    for share in (9, 3):
        ratios = []
        for lines in tables_.values():
            for line in lines:
                steps, curves = line["constant"]["steps"], line["constant"]["curves"][: len(SWEEP)]
                place = int(np.argmin(np.abs(np.array(steps) - steps[-1] / share)))
                ends = [
                    [np.inf if curve is None else curve[at] for curve in curves]
                    for at in (place, len(steps) - 1)
                ]
                short, full = (line["rates"][int(np.argmin(losses))] for losses in ends)
                ratios.append(np.log10(short / full))
        low, middle, high = 10 ** np.quantile(ratios, [0.1, 0.5, 0.9])
        print(
            f"\nBest constant rate after 1/{share} of a run over the best after all of it: median "
            f"{middle:.2g}, 80% within {low:.2g} to {high:.2g} ({len(ratios)} sweeps)."
        )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Measure what is missing, on all cores, then print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/learning_rate"))
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "lines.jsonl"
    done = {(line["table"], line["repeat"]) for line in read_lines(path)}
    entries = tables(arguments.folder)
    entries = [e for e in entries if not arguments.tables or e["name"] in arguments.tables]
    with tempfile.TemporaryDirectory() as cache:
        jobs = [
            (entry, repeat, arguments.folder, Path(cache))
            for repeat in range(arguments.repeats)
            for entry in entries
            if (entry["name"], repeat) not in done
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
    known: dict[str, list[dict[str, Any]]] = {}
    for line in sorted(read_lines(path), key=lambda line: line["repeat"]):
        known.setdefault(line["table"], []).append(line)
    for schedule in SCHEDULES:
        print_rules(known, schedule)
    print_tables(known)
    print_drift(known)


if __name__ == "__main__":
    main()
