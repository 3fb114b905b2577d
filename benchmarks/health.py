"""What watching a training costs, and how often its checks are right.

    python benchmarks/health.py cost
    python benchmarks/health.py calibrate FOLDER --out benchmarks/out/health.jsonl

``cost``: CPU time of a step whose layers are looked at and of the rows of an evaluation, against a
plain step, and what that makes of a run. ``calibrate``: the start recipe, what ideas make of it,
and every planted fault, on each table of FOLDER's ``manifest.json``; one JSON line a training, and
those in the file are not trained again, so that new thresholds are tried without training. Then
how often each check fires on sound trainings and on its fault.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.seeds import child_seed
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from justright.diagnosis.health import CHECKS, Training, examine
from justright.engine.contract import Candidate, Program, Span, Stack
from justright.engine.torch_stack.backend import TorchBackend
from justright.recipe.network import Inputs, NetworkSpec, Shape
from justright.recipe.recipe import LossSpec
from justright.testing.faults import FAULTS, SOUND, Fault, train_spoiled
from justright.training.health import EVERY, PROBED
from justright.training.request import Member, TrainRequest
from justright.training.start import start_recipe
from tables import tables

SHAPES = (((64, 64), 128, 16), ((128, 128), 256, 5), ((256, 256, 256), 256, 1))
"""Hidden layers, batch and candidates whose cost is measured."""

ROWS, NUMBERS = 8_192, 20

ROUNDS, SPAN, RUN, EVALUATIONS = 9, 40, 1_000, 8

STEPS, MOST_ROWS = 600, 20_000

SEEDS = 3
"""Seeds of the start recipe as it is on each table; everything else is trained once."""


class MadeRows:
    """Random rows of two classes."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(ROWS, NUMBERS)).astype(np.float32)
        self.c = np.zeros((ROWS, 0), np.int32)
        self.y = rng.integers(0, 2, ROWS)

    def __len__(self) -> int:
        return ROWS

    def batch(self, rows: Any) -> dict[str, Any]:
        """The named tensors of some rows."""
        return {"x": self.x[rows], "c": self.c[rows], "y": self.y[rows]}


def cost() -> None:
    """Print a table: medians of CPU time over rounds in which all take turns."""
    names = "network step_ms looked_at rows_of_evaluation run_of_1,000"
    print("| " + " | ".join(names.split()) + " |\n|" + "---|" * len(names.split()))
    for hidden, batch, k in SHAPES:
        stack = _opened(hidden, batch, k)
        plain, watched = _span(batch, k, 0), _span(batch, k, 1)
        rows = np.stack([np.arange(PROBED)] * k)
        ways = (
            lambda s=stack, w=plain: s.advance(w),
            lambda s=stack, w=watched: s.advance(w),
            lambda s=stack, r=rows: s.activations(r),
        )
        step, looked, asked = _medians(ways)
        step, looked = step / SPAN, looked / SPAN
        extra = RUN / EVERY * (looked - step) + EVALUATIONS * asked
        print(
            f"| {len(hidden)}×{hidden[0]}, batch {batch}, K={k} | {1e3 * step:.2f} "
            f"| +{looked / step - 1:.0%} | {asked / step:.1f} steps | +{extra / RUN / step:.1%} |"
        )


def _opened(hidden: tuple[int, ...], batch: int, k: int) -> Stack:
    shape = Shape(hidden=hidden, activation="selu", numbers="periodic", dropout="plain")
    net = NetworkSpec(shape, Inputs(NUMBERS, 0, (), 1))
    program = Program(net, LossSpec(), "adamw", batch)
    return TorchBackend().open(program, MadeRows(), [Candidate(str(i), i) for i in range(k)])


def _span(batch: int, k: int, every: int) -> Span:
    usual = {"rate": 0.01, "shrink": 1e-3, "ema": 0.99, "dropout": 0.15}
    order = np.random.default_rng(1).integers(0, ROWS, (k, SPAN, batch)).astype(np.int32)
    controls = {name: np.full((k, SPAN), value) for name, value in usual.items()}
    return Span(order, controls, every)


def _medians(ways: Sequence[Callable[[], Any]]) -> list[float]:
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, own in zip(ways, seconds, strict=True):
            began = time.process_time()
            way()
            own.append(time.process_time() - began)
    return [float(np.median(own)) for own in seconds]


def train(entry: dict[str, Any], name: str, fault: Fault, folder: Path) -> list[dict[str, Any]]:
    """One line for each seed of a training of a table, sound or spoiled."""
    problem = _problem(entry, folder)
    with tempfile.TemporaryDirectory() as cache:
        blocks = Blocks(problem, make_splits(problem), Path(cache), 0)
        block = blocks.block(0, blocks.spec)
        rows, inputs = len(block.train), blocks.inputs(block)
        recipe = fault.recipe(start_recipe(problem.task, rows, inputs)[0])
        seeds = range(1 if fault.code or fault.changes else SEEDS)
        request = TrainRequest(
            recipe=recipe,
            folders=(str(block.folder),),
            members=tuple(Member(str(s), s, 0, block.train, block.validation) for s in seeds),
            steps=STEPS,
            out=f"{cache}/out",
            metric=problem.metric,
            evaluations=EVALUATIONS,
            health=True,
        )
        found = train_spoiled(request, fault.start)
    return [
        {
            "table": entry["name"],
            "training": name,
            "code": fault.code,
            "seed": result.id,
            "clip": recipe.optimiser.clip,
            "activation": recipe.shape.activation,
            "state": result.state,
            "reason": result.reason,
            "health": result.health,
            "curve": result.curve,
        }
        for result in found
    ]


def _problem(entry: dict[str, Any], folder: Path) -> Problem:
    table = read_table(folder / entry["file"])
    if table.rows > MOST_ROWS:
        rng = np.random.default_rng(child_seed(0, "health", entry["name"]))
        chosen = np.sort(rng.choice(table.rows, MOST_ROWS, replace=False))
        table = replace(table, frame=table.frame[chosen])
    targets = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
    return make_problem(table, DataOptions(target=tuple(targets)))


def collect(folder: Path, out: Path, only: Sequence[str]) -> list[dict[str, Any]]:
    """All lines; what is missing is trained."""
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    known = {(line["table"], line["training"]) for line in lines}
    for entry in tables(folder):
        if only and entry["name"] not in only:
            continue
        for name, fault in {**SOUND, **FAULTS}.items():
            if (entry["name"], name) in known:
                continue
            began = time.process_time()
            new = train(entry, name, fault, folder)
            print(f"{entry['name']}, {name}: {time.process_time() - began:.1f} s", flush=True)
            with out.open("a") as file:
                file.writelines(json.dumps(line) + "\n" for line in new)
            lines += new
    return lines


def print_rates(lines: Sequence[dict[str, Any]]) -> None:
    """How often each check fires on sound trainings, and on its fault."""
    found = {(line["table"], line["training"], line["seed"]): _codes(line) for line in lines}
    names = [check.name for check in CHECKS]
    print(f"{len({table for table, _, _ in found})} tables, {len(lines)} trainings\n")
    print("| training | n | its fault found | " + " | ".join(names) + " |")
    print("|" + "---|" * (3 + len(names)))
    groups: dict[str, list[set[str]]] = {}
    for (_, training, _), codes in found.items():
        groups.setdefault(training, []).append(codes)
    for training, own in groups.items():
        code = {**SOUND, **FAULTS}[training].code
        hit = f"{sum(code in codes for codes in own)} of {len(own)}" if code else "–"
        shares = [sum(name in codes for codes in own) for name in names]
        cells = [training, str(len(own)), hit, *(str(share or "") for share in shares)]
        print("| " + " | ".join(cells) + " |")
    sound = [codes for training, own in groups.items() if training in SOUND for codes in own]
    silent = [any(codes) for codes in groups.get("as it is", ())]
    print(f"\nfalse alarms: start recipe {sum(silent)} of {len(silent)}, ", end="")
    print(f"all sound trainings {sum(any(codes) for codes in sound)} of {len(sound)}")


def _codes(line: dict[str, Any]) -> set[str]:
    failed = line["reason"] if line["state"] == "failed" else ""
    training = Training(line["health"], line["activation"], line["clip"], failed)
    return {finding.code for finding in examine(training)}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cost", "calibrate"))
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/health.jsonl"))
    parser.add_argument("--only", default="", help="names of tables, with commas between them")
    options = parser.parse_args()
    if options.what == "cost":
        cost()
    else:
        print_rates(
            collect(options.folder, options.out, [n for n in options.only.split(",") if n])
        )


if __name__ == "__main__":
    main()
