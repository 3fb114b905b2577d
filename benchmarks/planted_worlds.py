"""Verdicts, plateaus, intervals, audit and baselines where the truth is known; Markdown tables.

Run by benchmarks/statistics.py; a smaller form is tests/statistics/test_worlds.py.
"""

from __future__ import annotations

import math
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

from justright.baselines.run import fit_baseline
from justright.data.audit.registry import audit
from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.data.split import make_splits, partition
from justright.designer.improvement.screening import HOPE
from justright.recipe.recipe import PreprocessingSpec
from justright.statistics.compare import compare
from justright.testing.data_worlds import DATA_WORLDS, DataWorld
from justright.testing.idea_rates import IdeaWorld, idea_rates
from justright.testing.verdict_rates import (
    compare_rates,
    interval_coverage,
    paired_coverage,
    plateau_rates,
    round_rates,
    table,
)
from justright.testing.worlds import SCORE_WORLDS, gains

SHAPES = ("normal", "heavy tails", "uneven blocks", "skewed", "skewed the other way")
DELTA = 0.5
METHODS = ("constant", "linear", "knn", "boosting")


def comparisons(studies: int) -> None:
    """False verdicts over all looks, power and coverage of `compare`."""
    rows = []
    for shape in SHAPES:
        for rho in (0.0, 0.2):
            cells: list[object] = [shape, str(rho)]
            for effect, count in ((0.0, 4 * studies), (1.0, studies), (2.0, studies)):
                drawn = _gains(count, rho, shape) + effect
                overlap = rho / (1.0 - rho)
                rate = compare_rates(drawn, overlap=overlap, delta=0.2)
                if effect == 0.0:
                    false = rate["better"] + rate["significantly worse"]
                    cover = interval_coverage(drawn, 0.0, overlap=overlap, blocks=5)
                    cells += [rate["better"], false, cover, rate["blocks"]]
                else:
                    cells += [rate["better"]]
            rows.append(cells)
    head = ["gains", "rho", "false better", "false, both sides", "intervals", "blocks"]
    print(table([*head, "power at 1 sd", "at 2 sd"], rows), end="\n\n", flush=True)


def _gains(studies: int, rho: float, shape: str) -> np.ndarray:
    rng = np.random.default_rng(11)
    if shape == "skewed the other way":
        return -gains(rng, studies, 12, rho=rho, shape="skewed")
    return gains(rng, studies, 12, rho=rho, shape=shape)


ROUNDS = {
    "equal noise": (1.0, 1.0, 1.0, 1.0),
    "the judged one 1.5 times as noisy": (1.0, 1.0, 1.0, 1.5),
    "another one 3 times as noisy": (1.0, 1.0, 3.0, 1.0),
}
"""Noise of the incumbent, of two other recipes of its round, and of the one that is judged."""


def rounds(studies: int) -> None:
    """False verdicts and power where the noise of a round's recipes is pooled, and where not.

    Gains are in standard deviations of the difference that is judged.
    """
    rows = []
    for name, sds in ROUNDS.items():
        unit = float(np.hypot(sds[0], sds[-1]))
        for pooling in (False, True):
            cells: list[object] = [name, "yes" if pooling else "no"]
            for effect, count in ((0.0, 4 * studies), (1.0, studies), (2.0, studies)):
                rng = np.random.default_rng(41)
                drawn = rng.normal(0.0, np.array(sds)[:, None], (count, len(sds), 12))
                drawn[:, -1] -= effect * unit
                rate = round_rates(drawn, overlap=0.0, delta=0.2 * unit, pooling=pooling)
                cells += [rate["better"], rate["blocks"]]
            rows.append(cells)
    head = ["round of four", "pooled", "false better", "blocks", "power at 1 sd", "blocks"]
    print(table([*head, "at 2 sd", "blocks"], rows), end="\n\n", flush=True)


def plateaus(studies: int) -> None:
    """False verdicts about sizes, coverage of the plateau, and regret."""
    keys = ("too small", "too large", "false", "within delta", "just right", "possible")
    keys = (*keys, "plateau", "good plateau", "sure", "intervals", "regret", "near")
    rows = []
    for world in SCORE_WORLDS:
        for blocks in (3, 5, 12):
            rate = plateau_rates(world, blocks=blocks, delta=DELTA, studies=studies, seed=21)
            rows.append([world.name, blocks, *(rate[key] for key in keys)])
    print(table(["sizes", "blocks", *keys], rows), end="\n\n", flush=True)


def pairs(studies: int) -> None:
    """Coverage of the paired bootstrap over test rows."""
    rows = [
        [metric, *(paired_coverage(metric, kind, studies=studies, seed=31) for kind in KINDS)]
        for metric in ("rmse", "log_loss")
    ]
    print(table(["metric", *KINDS], rows), end="\n\n", flush=True)


KINDS = ("rows", "clusters", "blocks of time")


def tables(rows: int, blocks: int = 3) -> None:
    """What the audit finds, and which baseline wins, in tables with a known truth."""
    found = []
    for world in DATA_WORLDS:
        began = time.perf_counter()
        codes, losses, best = _baselines(world, rows, blocks)
        cells: list[object] = [world.name, ", ".join(codes) or "nothing", best]
        cells += [float(np.mean(losses[name])) for name in METHODS]
        simple = world.winner if world.winner in ("constant", "linear") else "linear"
        scored = list(zip(losses["boosting"], losses[simple], strict=True))
        verdict = compare("boosting", scored, overlap=0.25, delta=0.0, alpha=0.05)
        cells += [f"{simple}: {verdict.word}", time.perf_counter() - began]
        found.append(cells)
    head = ["table", "audit", "truth", *METHODS, "boosting against", "seconds"]
    print(table(head, found), end="\n\n", flush=True)


def _baselines(
    world: DataWorld, rows: int, blocks: int
) -> tuple[list[str], dict[str, list[float]], float]:
    """Codes of the findings, losses of each baseline on each block, and the best possible one.

    Losses of values are in units of the variance of the training rows' target.
    """
    planted = world.draw(1, rows)
    options = DataOptions(target=(planted.target,), time_column=planted.time_column)
    problem = make_problem(read_table(planted.frame), options)
    splits = make_splits(problem)
    codes = [finding.code for finding in audit(problem, splits)]
    losses: dict[str, list[float]] = {name: [] for name in METHODS}
    for block in range(blocks):
        part = partition(problem, splits, block)
        fitted = fit_preprocessing(problem, part.train, PreprocessingSpec(), splits.rest)
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder)
            write_encoded(problem, fitted, np.concatenate([part.train, part.validation]), at)
            count = len(EncodedRows(str(at)).y)
            train = np.arange(len(part.train))
            test = np.arange(len(part.train), count)
            for name in METHODS:
                out = str(at / f"{name}.npy")
                answer = fit_baseline(
                    name, folder, train, folder, test, block, 20.0, out, lambda _: None
                )
                losses[name].append(float(answer["loss"]))
    scale = 1.0 if world.classes else planted.constant_loss
    return codes, losses, planted.best_loss / scale


def ideas(studies: int) -> None:
    """Ideas that are screened on one block, and confirmed on fresh ones where that is hopeful."""
    rows: list[list[object]] = []
    head = ["rho", "hope", "taken", "false", "false share", "blocks"]
    for rho, hope in product((0.0, 0.2), (-math.inf, 0.0, HOPE)):
        rates = idea_rates(IdeaWorld(rho=rho), hope, 20 * studies, seed=1)
        rows.append([str(rho), str(hope), *(rates[name] for name in head[2:])])
    print(table(head, rows), end="\n\n", flush=True)


def main(studies: int) -> None:
    """Print everything."""
    began = time.perf_counter()
    comparisons(studies)
    rounds(studies)
    ideas(studies)
    pairs(studies)
    tables(2_000)
    plateaus(studies)
    print(f"{time.perf_counter() - began:.0f} s")
