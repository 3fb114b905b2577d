"""The sanity checks on real tables, clean and with shuffled targets: figures, verdicts, seconds.

    python benchmarks/sanity.py FOLDER [TABLE ...]

FOLDER holds a ``manifest.json`` with name, file, target and task of each table, and the files. A
clean table is to stay silent; with shuffled targets only the use of inputs is to fail.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import make_problem
from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from justright.diagnosis.sanity import Known, Word, judge
from justright.training.request import SanityRequest
from justright.training.sanity import CHECKS, check_sanity
from justright.training.start import start_recipe
from tables import tables


def line(name: str, request: SanityRequest) -> str:
    """One row of the table in Markdown."""
    figures = check_sanity(request, lambda _: None)
    checks = judge(figures, Known(baseline_learns=True, network_learns=False))
    others = [f"{check.title} {check.word}" for check in checks if check.word is not Word.PASSED]
    inputs = figures["inputs"]
    cells = (
        name,
        f"{len(request.train):,}",
        f"{figures['seconds']:.2f}",
        f"{figures['initial']['loss'] / figures['initial']['prior']:.4f}",
        f"{100 * (figures['heart']['share'] or np.nan):.2g}% in {figures['heart'].get('steps')}",
        f"{inputs['own']:.3f}, {inputs['shuffled']:.3f}",
        f"{inputs['gain'] / inputs['se']:.1f}",
        ", ".join(others) or "all passed",
    )
    return f"| {' | '.join(cells)} |"


def main(folder: Path, names: list[str]) -> None:
    """Print one line for each table, and one for the same with shuffled targets."""
    heads = "table | training rows | s | initial / prior | by heart | own, shuffled | SE | verdict"
    print(f"| {heads} |\n|{'---|' * 8}")
    for entry in tables(folder):
        if names and entry["name"] not in names:
            continue
        target = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
        options = DataOptions(target=tuple(target))
        problem = make_problem(read_table(folder / entry["file"]), options)
        with tempfile.TemporaryDirectory() as cache:
            blocks = Blocks(problem, make_splits(problem), Path(cache), 0)
            block = blocks.block(0, blocks.spec)
            recipe, _ = start_recipe(problem.task, len(block.train), blocks.inputs(block))
            request = SanityRequest(
                replace(recipe, preprocessing=blocks.spec),
                str(block.folder),
                block.train,
                block.validation,
                block.seed,
                len(CHECKS),
            )
            print(line(entry["name"], request), flush=True)
            y = np.load(block.folder / "y.npy")
            np.save(block.folder / "y.npy", np.random.default_rng(0).permutation(y))
            print(line(f"{entry['name']}, shuffled targets", request), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
