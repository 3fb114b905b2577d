"""The grid of truth of `size_grid.py` as `size.py` replays it: what trainings showed and cost."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from pathlib import Path

import numpy as np

from justright.data.problem import Problem
from justright.sizing.evidence import Curve
from justright.sizing.report import SizeReport
from justright.sizing.shapes import Hidden
from justright.statistics.metrics import metric_named
from justright.statistics.noise import pool
from size_grid import problem_of


@dataclass(frozen=True)
class Spent:
    """Seconds, floating-point operations, and trainings in units of a full length."""

    seconds: float
    flops: float
    trainings: float


NOTHING = Spent(0.0, 0.0, 0.0)


@dataclass
class Grid:
    """All trainings of one table.

    Attributes:
        curves: By size and block.
        weights: By size.
        seconds: Processor seconds of one full training, by size.
        flops: Its floating-point operations, products only, forward and backward.
        overlap: Validation rows over training rows.
        constant: Loss of the constant prediction.
        rows: Training rows of a block.
        outputs: Numbers that a network returns for a row.
    """

    curves: dict[tuple[Hidden, int], Curve] = field(default_factory=dict)
    weights: dict[Hidden, int] = field(default_factory=dict)
    seconds: dict[Hidden, float] = field(default_factory=dict)
    flops: dict[Hidden, float] = field(default_factory=dict)
    overlap: float = 0.25
    constant: float = 0.0
    rows: int = 0
    outputs: int = 1

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks on which every cell was trained."""
        found = {block for _, block in self.curves}
        return tuple(b for b in sorted(found) if all((h, b) in self.curves for h in self.weights))

    def mean(self, hidden: Hidden, blocks: tuple[int, ...], share: float = 1.0) -> float:
        """Mean loss of a size."""
        return float(np.mean([self.curves[hidden, block].at(share) for block in blocks]))

    def cost(self, hidden: Hidden) -> float:
        """Seconds of a full training; what is not in the grid cannot be afforded."""
        return self.seconds.get(hidden, inf)

    @property
    def whole(self) -> float:
        """Seconds of all cells on one block."""
        return sum(self.seconds.values())

    @cached_property
    def third(self) -> Grid:
        """The grid that runs of a third of the length would have given."""
        part = 1 / 3
        curves = {
            key: Curve(
                *(
                    tuple(
                        each
                        for share, each in zip(curve.share, values, strict=True)
                        if share < 0.34
                    )
                    for values in (curve.share, curve.loss, curve.train, curve.proper)
                )
            )
            for key, curve in self.curves.items()
        }
        return replace(
            self,
            curves={
                key: replace(curve, share=tuple(share / curve.share[-1] for share in curve.share))
                for key, curve in curves.items()
            },
            seconds={hidden: part * each for hidden, each in self.seconds.items()},
            flops={hidden: part * each for hidden, each in self.flops.items()},
        )

    def standard_error(self, blocks: int) -> float:
        """Of the difference of two cells' means over so many blocks."""
        known = np.array([[self.curves[h, b].at(1.0) for b in self.blocks] for h in self.weights])
        pooled = pool(known[np.isfinite(known).all(axis=1)])
        return float(np.sqrt(pooled.variance * (1 / blocks + self.overlap))) if pooled else inf

    def spent(self, lengths: Mapping[Hidden, float]) -> Spent:
        """What it costs to train sizes so many times their full length."""
        return Spent(
            sum(length * self.seconds[hidden] for hidden, length in lengths.items()),
            sum(length * self.flops[hidden] for hidden, length in lengths.items()),
            sum(lengths.values()),
        )


def read_grids(path: Path, folder: Path) -> dict[str, Grid]:
    """The lines of `size_grid.py`, table by table."""
    entries = {e["name"]: e for e in json.loads((folder / "manifest.json").read_text())}
    grids: dict[str, Grid] = defaultdict(Grid)
    seconds: dict[tuple[str, Hidden], list[float]] = defaultdict(list)
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    for text in lines.splitlines():
        line = json.loads(text)
        grid, hidden = grids[line["table"]], (line["width"],) * line["depth"]
        shares = tuple(step / line["step"][-1] for step in line["step"])
        losses = (line["metric"], line["probe_loss"], line["validation_loss"])
        if line["state"] != "done":  # diverged: as bad as can be
            losses = ([inf] * len(shares),) * 3
        grid.curves[hidden, line["block"]] = Curve(shares, *map(tuple, losses))
        grid.weights[hidden], grid.overlap = line["weights"], line["overlap"]
        grid.rows = line["rows"]
        grid.flops[hidden] = 6.0 * line["weights"] * line["batch"] * line["step"][-1]
        seconds[line["table"], hidden].append(line["seconds"])
    for (table, hidden), values in seconds.items():
        grids[table].seconds[hidden] = float(np.median(values))
    for table, grid in grids.items():
        problem = problem_of(entries[table], folder)
        grid.constant, grid.outputs = _constant(problem), _outputs(problem)
    return {name: grid for name, grid in grids.items() if len(grid.weights) == 36}


def _outputs(problem: Problem) -> int:
    classes = len(problem.task.classes)
    return classes if classes > 2 else 1


def _constant(problem: Problem) -> float:
    y, metric = problem.target(), metric_named(problem.metric)
    if problem.task.is_classification:
        counts = np.bincount(y)
        prediction = np.tile(counts / counts.sum(), (len(y), 1))
    else:
        prediction = np.tile(y.mean(axis=0), (len(y), 1))
    return metric.loss(metric(y, prediction, None))


@dataclass(frozen=True)
class Outcome:
    """What a method chose, and what it cost."""

    chosen: Hidden
    spent: Spent = NOTHING
    report: SizeReport | None = None


@dataclass(frozen=True)
class Deal:
    """What a method may use: blocks to choose and to confirm on, delta, seconds, a seed."""

    choose: tuple[int, ...]
    confirm: tuple[int, ...]
    delta: float
    budget: float
    seed: int


Method = Callable[[Grid, Deal], Outcome]
