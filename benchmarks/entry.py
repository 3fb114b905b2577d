"""What a step of the start recipe takes with its numbers embedded by autograd and written out.

    python benchmarks/entry.py

Both ways run by turns in one process, and processor time is counted, so that other processes
disturb both alike; the ratio is the median over rounds of the ratio within a round.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from justright.core.task import Task, TaskKind
from justright.engine.torch_stack import gradients
from justright.recipe.network import Inputs, NetworkSpec
from justright.recipe.recipe import Recipe
from justright.training import calibrate
from justright.training.start import PERIODIC, PIECEWISE, start_recipe

VALUES = Task(TaskKind.REGRESSION, ("y",), ())
CASES: tuple[tuple[Inputs, int], ...] = (
    (Inputs(8, 0, (), 1), 659),
    (Inputs(12, 0, (4, 7), 1), 11_000),
    (Inputs(57, 0, (), 1), 2_560),
)
"""What enters, and how many training rows there are (the batch follows from them)."""

STACKS = ((1, 1), (1, 4), (5, 1))
"""Candidates of a stack and members of each."""

WRITTEN_OUT = gradients.has_explicit_entry


def by_autograd(spec: NetworkSpec) -> bool:
    """No entry is written out."""
    del spec
    return False


def milliseconds(
    way: Callable[[NetworkSpec], bool], recipe: Recipe, inputs: Inputs, k: int
) -> float:
    """Processor time of a step of the whole stack."""
    gradients.has_explicit_entry = way
    return 1e3 * calibrate._time(recipe, inputs, k, 0.3)


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    calibrate.time = SimpleNamespace(perf_counter=time.process_time)
    print("| numbers | batch | embedding | candidates | members | autograd ms | own ms | ratio |")
    print("|" + "---|" * 8)
    for inputs, rows in CASES:
        start = start_recipe(VALUES, rows, inputs)[0]
        for name, embedding in (("bins", PIECEWISE), ("cosines", PERIODIC)):
            for k, members in STACKS:
                recipe = replace(start, shape=replace(start.shape, members=members, **embedding))
                found = np.array(
                    [
                        [milliseconds(w, recipe, inputs, k) for w in (by_autograd, WRITTEN_OUT)]
                        for _ in range(rounds)
                    ]
                )
                ratios, (old, new) = found[:, 0] / found[:, 1], found.min(axis=0)
                print(
                    f"| {inputs.numbers} | {recipe.batch} | {name} | {k} | {members} | {old:.2f} |"
                    f" {new:.2f} | {np.median(ratios):.2f} ({ratios.min():.2f} to"
                    f" {ratios.max():.2f}) |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
