"""What the exhaustive grid of `size_grid.py` would cost as a bare loop, measured on a part of it.

    python benchmarks/size_bare.py FOLDER --grid benchmarks/size_grid.jsonl.gz

The loop trains a plain perceptron with AdamW, one network after the other, without evaluations;
numbers enter as they are and categories as indicators. Each cell is timed for some steps, in
processor seconds of one thread, and multiplied by the steps that the grid took. The engine's
seconds are those of the grid itself, with evaluations and learned inputs.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import gzip
import itertools
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from justright.data.split import make_splits
from justright.designer.work.blocks import Blocks
from size_grid import problem_of

PART = tuple((depth, width) for depth in (1, 3, 6) for width in (16, 64, 256, 512))
STEPS, ROUNDS = 60, 3
KEPT = "size_grid.jsonl.gz"


def inputs_of(entry: dict[str, Any], folder: Path, cache: Path) -> tuple[int, int]:
    """Numbers and indicators that enter, and numbers that come out."""
    problem = problem_of(entry, folder)
    blocks = Blocks(problem, make_splits(problem), cache, 0)
    inputs = blocks.inputs(blocks.block(0, blocks.spec))
    return inputs.numbers + sum(inputs.categories), inputs.outputs


def seconds_a_step(features: int, outputs: int, depth: int, width: int, batch: int) -> float:
    """Of the loop of every tutorial: the fastest of some rounds."""
    sizes = [features, *[width] * depth]
    layers: list[torch.nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.SELU()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs))
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    x, rows = torch.randn(4 * batch, features), torch.randperm(4 * batch).view(4, batch)
    y = torch.randint(outputs, (4 * batch,)) if outputs > 1 else torch.randn(4 * batch, 1)
    loss_of = torch.nn.functional.cross_entropy if outputs > 1 else torch.nn.functional.mse_loss
    found = []
    for _ in range(ROUNDS + 1):  # the first one warms up
        began = time.process_time()
        for step in range(STEPS):
            batch_rows = rows[step % 4]
            loss = loss_of(net(x[batch_rows]), y[batch_rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        found.append((time.process_time() - began) / STEPS)
    return min(found[1:])


def main() -> None:
    """Time the part, and print one line for each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", type=Path, default=Path(__file__).with_name(KEPT))
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/size_bare"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = defaultdict(lambda: defaultdict(list))
    for text in gzip.decompress(options.grid.read_bytes()).decode().splitlines():
        line = json.loads(text)
        lines[line["table"]][line["depth"], line["width"]].append(line)
    entries = {e["name"]: e for e in json.loads((options.folder / "manifest.json").read_text())}
    heads = ("table", "cells timed", "engine s", "bare loop s", "ratio", "whole grid, a block, s")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    ratios = []
    for table, cells in lines.items():
        features, outputs = inputs_of(entries[table], options.folder, options.cache / table)
        price = {
            cell: statistics.median(line["seconds"] for line in own) for cell, own in cells.items()
        }
        part = [cell for cell in PART if cell in cells]
        engine, bare = sum(price[cell] for cell in part), 0.0
        for depth, width in part:
            line = cells[depth, width][0]
            step = seconds_a_step(features, outputs, depth, width, line["batch"])
            bare += step * line["step"][-1]
        ratios.append(bare / engine)
        print(
            f"| {table} | {len(part)} | {engine:.0f} | {bare:.0f} | {ratios[-1]:.2f} | "
            f"{ratios[-1] * sum(price.values()):.0f} |",
            flush=True,
        )
    print(f"\nmedian ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
