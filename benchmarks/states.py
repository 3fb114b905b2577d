"""Which state the diagnosis tells of trainings whose state is known beforehand.

    python benchmarks/states.py FOLDER --out benchmarks/out/states.jsonl

On each table of FOLDER's ``manifest.json`` the start recipe, and trainings with a planted cause:
no learning to speak of, targets that belong to other rows, a sixteenth of the length, a single
unit, a large network that learns few rows for long. One JSON line a training, with curves and
yardstick; what is in the file is not trained again, so that other limits are tried without
training. Then how often each state is told, and how often it is one that the cause may have.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from finish import train
from justright.baselines.run import fit_baseline
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem
from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from justright.designer.work.jobs import EncodedBlock
from justright.diagnosis.curves import Curves, Yardstick
from justright.diagnosis.states import State, diagnose
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.statistics.noise import smallest_useful
from justright.training.budget import steps_of
from justright.training.start import start_recipe
from tables import tables

BLOCKS, MOST_ROWS, MOST_STEPS = 3, 3_000, 1_500
FEW = 150
"""Rows that a large network learns by heart."""

BASELINES, BASELINE_S = ("constant", "linear", "boosting"), 3.0

OWN_ROWS, TRAINING_ROWS, ALL_ROWS = "none", "training rows", "all rows"


@dataclass(frozen=True)
class Cause:
    """A training whose state is known.

    Attributes:
        may: States that are right; empty = only `not_` is known.
        not_: States that are wrong.
        changes: Of the start recipe.
        rate, length: Factors.
        shuffled: Rows whose targets are exchanged.
        few: Whether it learns from few rows.
    """

    may: frozenset[State] = frozenset()
    not_: frozenset[State] = frozenset()
    changes: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 1.0
    length: float = 1.0
    shuffled: str = OWN_ROWS
    few: bool = False


CAUSES: Mapping[str, Cause] = {
    "start recipe": Cause(not_=frozenset({State.BROKEN, State.UNDERFITTING})),
    "rate ÷ 100,000": Cause(frozenset({State.BROKEN}), rate=1e-5),
    "training rows have others' targets": Cause(  # the baselines learn from the same rows
        frozenset({State.NOISE_LIMITED, State.OVERFITTING}), shuffled=TRAINING_ROWS
    ),
    "all rows have others' targets": Cause(frozenset({State.NOISE_LIMITED}), shuffled=ALL_ROWS),
    "a sixteenth of the length": Cause(frozenset({State.COMPUTE_BOUND}), length=1 / 16),
    "one unit": Cause(
        frozenset({State.UNDERFITTING}),
        changes={"shape.hidden": [1], "shape.numbers": "none", "regularisation.dropout": 0.0},
    ),
    "few rows by heart": Cause(
        frozenset({State.OVERFITTING, State.ABLE}),
        changes={
            "shape.hidden": [256, 256],
            "regularisation.dropout": 0.0,
            "optimiser.decay_epochs": None,
        },
        length=4.0,
        few=True,
    ),
}


def measure(entry: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Lines of a table, one a cause."""
    return [
        _line(entry["name"], name, cause, _problem(entry, folder))
        for name, cause in CAUSES.items()
    ]


def _problem(entry: Mapping[str, Any], folder: Path) -> Problem:
    table = read_table(folder / entry["file"])
    if table.rows > MOST_ROWS:
        chosen = np.random.default_rng(0).choice(table.rows, MOST_ROWS, replace=False)
        table = replace(table, frame=table.frame[np.sort(chosen)])
    targets = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
    return make_problem(table, DataOptions(target=tuple(targets)))


def _line(table: str, name: str, cause: Cause, problem: Problem) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        blocks = Blocks(problem, make_splits(problem), Path(place), 0)
        chosen = [_spoiled(blocks.block(n, blocks.spec), cause) for n in range(BLOCKS)]
        rows = len(chosen[0].train)
        recipe = start_recipe(problem.task, rows, blocks.inputs(chosen[0]))[0]
        steps = round(cause.length * steps_of(recipe, rows, MOST_STEPS))
        found = train(_caused(recipe, cause), chosen, steps, problem.metric, f"{place}/out")
        losses = {each: _losses(each, chosen, place) for each in BASELINES}
    constant = losses.pop("constant")
    best = min(losses.values())
    return {
        "table": table,
        "cause": name,
        "constant": constant,
        "baseline": best,
        "delta": smallest_useful(constant, best),
        "overlap": chosen[0].overlap,
        "curves": [
            [r.curve[key] for key in ("step", "probe_loss", "validation_loss")] for r in found
        ],
    }


def _caused(recipe: Recipe, cause: Cause) -> Recipe:
    changes = {**cause.changes, "optimiser.rate": cause.rate * recipe.optimiser.rate}
    return Patch("planted", changes).apply(recipe)


def _spoiled(block: EncodedBlock, cause: Cause) -> EncodedBlock:
    """The block with the cause in its rows; its folder is its own, so targets may be written."""
    rng = np.random.default_rng(block.seed)
    if cause.few:
        block = replace(block, train=np.sort(rng.permutation(block.train)[:FEW]))
    if cause.shuffled != OWN_ROWS:
        path = block.folder / "y.npy"
        y = np.load(path)
        rows = block.train if cause.shuffled == TRAINING_ROWS else np.arange(len(y))
        y[rows] = y[rng.permutation(rows)]
        np.save(path, y)
    return block


def _losses(name: str, blocks: Sequence[EncodedBlock], place: str) -> float:
    """Mean proper loss of a baseline."""
    folders = [str(block.folder) for block in blocks]
    found = [
        fit_baseline(
            name, at, block.train, at, block.validation, block.seed, BASELINE_S,
            f"{place}/{name}.npy", lambda _: None,
        )["loss"]
        for at, block in zip(folders, blocks, strict=True)
    ]  # fmt: skip
    return float(np.mean(found))


def told(line: Mapping[str, Any]) -> State:
    """The state of a line's training, by today's limits."""
    yard = Yardstick(line["constant"], line["baseline"], line["delta"], overlap=line["overlap"])
    return diagnose([Curves(*map(tuple, each)) for each in line["curves"]], yard).state


def show(lines: Sequence[Mapping[str, Any]]) -> None:
    """One row a cause: how often which state, and how often a right one."""
    print("| cause | tables | right | wrong | cannot tell | states |\n|" + "---|" * 6)
    for name, cause in CAUSES.items():
        own = {line["table"]: told(line) for line in lines if line["cause"] == name}
        states = Counter(own.values())
        right = sum(n for s, n in states.items() if s in cause.may)
        unknown = states[State.UNKNOWN]
        wrong = sum(
            n for s, n in states.items()
            if s in cause.not_ or (cause.may and s not in cause.may and s is not State.UNKNOWN)
        )  # fmt: skip
        shown = ", ".join(f"{state} {n}" for state, n in states.most_common())
        shares = (str(right) if cause.may else "–", str(wrong), str(unknown))
        print("| " + " | ".join([name, str(len(own)), *shares, shown]) + " |")
        for table, state in own.items():
            if cause.may and state not in cause.may:
                print(f"<!-- {table}: {state} -->")


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/states.jsonl"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    if options.out.exists():
        lines = [json.loads(line) for line in options.out.read_text().splitlines()]
    known = {line["table"] for line in lines}
    for entry in tables(options.folder):
        if entry["name"] in known:
            continue
        new = measure(entry, options.folder)
        print(entry["name"], *(f"{line['cause']}: {told(line)};" for line in new), flush=True)
        with options.out.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in new)
        lines += new
    show(lines)


if __name__ == "__main__":
    main()
