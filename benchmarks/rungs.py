"""What does a short run on one block say of an idea's gain in full on other blocks?

    python benchmarks/rungs.py FOLDER --tables concrete spambase bikeshare

FOLDER holds a ``manifest.json`` and the files; of each table at most 4,000 rows are used. The
start recipe (one network without members) and changes of it are trained on five blocks at a ninth,
a third and all of their length. For each rung: the rank correlation of the gains on one block with
the mean gains in full on the four others, and what the best three by that block bring there.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from finish import opened, train
from justright.recipe.patch import Patch
from justright.recipe.recipe import Recipe
from justright.statistics.metrics import metric_named
from justright.training.budget import steps_of
from size_grid import problem_of
from tables import tables

BLOCKS, MOST_STEPS, FEWEST_STEPS = 5, 1000, 20
PARTS = (9, 3, 1)
BEST = 3


def changes(recipe: Recipe) -> dict[str, Mapping[str, Any]]:
    """Changes of the start recipe by name."""
    rate, batch = recipe.optimiser.rate, recipe.batch
    return {
        "no dropout": {"regularisation.dropout": 0.0},
        "dropout 0.3": {"regularisation.dropout": 0.3},
        "decay over 4 epochs": {"optimiser.decay_epochs": 4.0},
        "no decay": {"optimiser.decay_epochs": None},
        "GELU": {"shape.activation": "gelu"},
        "ReLU": {"shape.activation": "relu"},
        "residual blocks": {"shape.body": "residual"},
        "layer normalisation": {"shape.normaliser": "layer"},
        "mixup 0.2": {"regularisation.mixup": 0.2},
        "noise 0.03": {"regularisation.input_noise": 0.03},
        "plain numbers": {"shape.numbers": "none"},
        "1×64": {"shape.hidden": [64]},
        "2×256": {"shape.hidden": [256, 256]},
        "batch × 2": {"batch": 2 * batch},
        "one cosine": {"schedule.name": "cosine"},
        "rate × 2": {"optimiser.rate": 2 * rate},
        "rate ÷ 2": {"optimiser.rate": rate / 2},
    }


def gains_of(entry: dict[str, Any], folder: Path, cache: Path) -> dict[int, np.ndarray]:
    """Gains as shares of the start recipe's loss in full, ``[idea, block]`` for each part."""
    problem = problem_of(entry, folder)
    _, chosen, start = opened(problem, cache, BLOCKS)
    metric, full = metric_named(problem.metric), steps_of(start, len(chosen[0].train), MOST_STEPS)

    def losses(recipe: Recipe, part: int, name: str) -> np.ndarray:
        steps = max(full // part, FEWEST_STEPS)
        done = train(recipe, chosen, steps, problem.metric, str(cache / f"{part} {name}"))
        return np.array([metric.loss(each.scores[problem.metric]) for each in done])

    ideas = {name: Patch(name, patch).apply(start) for name, patch in changes(start).items()}
    bases = {part: losses(start, part, "start") for part in PARTS}
    return {
        part: np.array([base - losses(recipe, part, name) for name, recipe in ideas.items()])
        / abs(bases[1].mean())
        for part, base in bases.items()
    }


def judged(gains: np.ndarray, full: np.ndarray) -> tuple[float, float]:
    """Mean rank correlation with the gains elsewhere, and what the best three bring there."""
    ranks, brought = [], []
    for block in range(BLOCKS):
        elsewhere = np.delete(full, block, axis=1).mean(axis=1)
        ranks.append(np.corrcoef(rankdata(gains[:, block]), rankdata(elsewhere))[0, 1])
        brought.append(elsewhere[np.argsort(-gains[:, block])[:BEST]].mean())
    return float(np.mean(ranks)), float(np.mean(brought))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="*", default=["concrete", "spambase", "bikeshare"])
    given = parser.parse_args()
    print("| table | " + " | ".join(f"1/{part}: rank, best {BEST}, %" for part in PARTS) + " |")
    print("|---|" + "---|" * len(PARTS), flush=True)
    for entry in tables(given.folder):
        if entry["name"] in given.tables:
            with tempfile.TemporaryDirectory() as cache:
                gains = gains_of(entry, given.folder, Path(cache))
            cells = (judged(gains[part], gains[1]) for part in PARTS)
            text = " | ".join(f"{rank:.2f}, {100 * share:+.1f}" for rank, share in cells)
            print(f"| {entry['name']} | {text} |", flush=True)


if __name__ == "__main__":
    main()
