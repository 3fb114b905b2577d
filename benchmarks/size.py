"""The size search against its rivals, replayed on the grid of truth of `size_grid.py`.

    python benchmarks/size.py FOLDER --grid benchmarks/size_grid.jsonl.gz

Every method sees only what it would have trained, at the price that this training had. It chooses
a size from some blocks, and is scored on blocks that it never saw. A re-split deals them anew.
Regret is in units of delta, 1% of the way from the constant to the best cell.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, log2
from pathlib import Path

import numpy as np

from justright.data.problem import Problem
from justright.sizing.evidence import Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.report import SizeReport, report_of
from justright.sizing.search import next_ask, worthwhile
from justright.sizing.shapes import Hidden, Limits, width_equivalent
from justright.statistics.metrics import metric_named
from justright.training.start import WIDTHS
from size_grid import problem_of

KEPT = "size_grid.jsonl.gz"
"""Reduced curves of the trainings made so far."""

SHARE_OF_GRID = 0.10
"""The search may spend this share of what the exhaustive grid on as many blocks costs."""

DEALT = {6: (2, 2), 5: (2, 1), 4: (2, 0), 3: (2, 0)}
"""By the number of blocks: on how many is chosen, and confirmed; the rest is the truth."""

RESPLITS = 5


@dataclass
class Grid:
    """All trainings of one table.

    Attributes:
        curves: By size and block.
        weights: By size.
        seconds: Processor seconds of one full training, by size.
        overlap: Validation rows over training rows.
        constant: Loss of the constant prediction.
        rows: Training rows of a block.
        outputs: Numbers that a network returns for a row.
    """

    curves: dict[tuple[Hidden, int], Curve] = field(default_factory=dict)
    weights: dict[Hidden, int] = field(default_factory=dict)
    seconds: dict[Hidden, float] = field(default_factory=dict)
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
    seconds: float
    trainings: float
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


def search(grid: Grid, deal: Deal) -> Outcome:
    """Our search."""
    goal = Goal(
        deal.choose,
        deal.confirm,
        grid.overlap,
        deal.delta,
        Limits(widest=512, uniform=True),
        lambda hidden: grid.weights.get(hidden, 10**9),
        grid.cost,
        deal.budget,
        grid.rows,
        grid.outputs,
    )
    evidence = Evidence()
    if not worthwhile(goal):
        return start(grid, deal)
    while (ask := next_ask(evidence, goal)) is not None:
        for block in ask.blocks:
            whole = grid.curves[ask.hidden, block]
            count = sum(share <= ask.share * 1.02 for share in whole.share)
            evidence.add({(ask.hidden, block): Curve(whole.share[:count], whole.loss[:count])})
    report = report_of(evidence, goal)
    if report is None:
        return Outcome(WIDTHS, goal.spent(evidence), 0.0)
    trainings = sum(curve.share[-1] for curve in evidence.curves.values())
    return Outcome(report.chosen, goal.spent(evidence), trainings, report)


def exhaustive(grid: Grid, deal: Deal) -> Outcome:
    """Every cell on every block."""
    best = min(grid.weights, key=lambda hidden: grid.mean(hidden, deal.choose))
    return Outcome(best, grid.whole * len(deal.choose), 36.0 * len(deal.choose))


def three_layers(_grid: Grid, _deal: Deal) -> Outcome:
    """3 × 256, whatever the data."""
    return Outcome((256,) * 3, 0.0, 0.0)


def start(_grid: Grid, _deal: Deal) -> Outcome:
    """The shape of the start recipe, which a study keeps where it finds nothing better."""
    return Outcome(WIDTHS, 0.0, 0.0)


def one_layer(_grid: Grid, _deal: Deal) -> Outcome:
    """1 × 512, whatever the data."""
    return Outcome((512,), 0.0, 0.0)


def few_epochs(grid: Grid, deal: Deal) -> Outcome:
    """A ninth of the length for all, then the best of them in full, while the seconds last."""
    one = deal.choose[:1]
    spent, trainings = grid.whole / 9, 36 / 9
    ranked = sorted(grid.weights, key=lambda hidden: grid.mean(hidden, one, 1 / 9))
    tried: list[Hidden] = []
    for hidden in ranked:
        more = grid.cost(hidden) * 8 / 9
        if tried and spent + more > deal.budget:
            break
        spent, trainings = spent + more, trainings + 8 / 9
        tried.append(hidden)
    best = min(tried, key=lambda hidden: grid.mean(hidden, one))
    return Outcome(best, spent, trainings)


def asha(grid: Grid, deal: Deal) -> Outcome:
    """Asynchronous successive halving, factor 3 (Li et al. 2020), random cells."""
    rng, one = np.random.default_rng(deal.seed), deal.choose[:1]
    cells = list(grid.weights)
    waiting = [cells[i] for i in rng.permutation(len(cells))]
    rungs: dict[float, list[Hidden]] = {1 / 9: [], 1 / 3: [], 1.0: []}
    lower = {1 / 3: 1 / 9, 1.0: 1 / 3}
    spent = 0.0

    def promotable(share: float) -> Hidden | None:
        below = rungs[lower[share]]
        ranked = sorted(below, key=lambda hidden: grid.mean(hidden, one, lower[share]))
        good = ranked[: len(below) // 3]
        return next((hidden for hidden in good if hidden not in rungs[share]), None)

    while True:
        share = next((s for s in (1.0, 1 / 3) if promotable(s) is not None), 1 / 9)
        if share > 1 / 9:
            hidden, part = promotable(share), share - lower[share]
        elif waiting:
            hidden, part = waiting.pop(0), 1 / 9
        else:
            break
        assert hidden is not None
        if spent + part * grid.cost(hidden) > deal.budget:
            break
        spent += part * grid.cost(hidden)
        rungs[share].append(hidden)
    top = next((share for share in (1.0, 1 / 3, 1 / 9) if rungs[share]), None)
    if top is None:
        return Outcome(cells[0], spent, 0.0)
    best = min(rungs[top], key=lambda hidden: grid.mean(hidden, one, top))
    trainings = len(rungs[1.0]) * 2 / 3 + len(rungs[1 / 3]) * 2 / 9 + len(rungs[1 / 9]) / 9
    return Outcome(best, spent, trainings)


def tpe(grid: Grid, deal: Deal) -> Outcome:
    """Tree-structured Parzen estimator, full trainings (Bergstra et al. 2011; Optuna)."""
    optuna = importlib.import_module("optuna")  # only this rival needs it

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=deal.seed))
    first, spent, tried = deal.choose[:1], 0.0, {}
    for _ in range(400):
        trial = study.ask()
        width = 2 ** trial.suggest_int("log_width", 4, 9)
        hidden = (width,) * trial.suggest_int("depth", 1, 6)
        if hidden not in tried:
            if tried and spent + grid.cost(hidden) > deal.budget:
                break
            spent += grid.cost(hidden)
            tried[hidden] = grid.mean(hidden, first)
        study.tell(trial, tried[hidden])
    return Outcome(min(tried, key=lambda h: tried[h]), spent, float(len(tried)))


METHODS: dict[str, Method] = {
    "search": search,
    "exhaustive": exhaustive,
    "start": start,
    "3×256": three_layers,
    "1×512": one_layer,
    "few epochs": few_epochs,
    "ASHA": asha,
    "TPE": tpe,
}


@dataclass
class Score:
    """What a method achieved on one re-split.

    Attributes:
        table: Name of the table.
        regret: How much worse than the best cell its choice is on fresh blocks, in units of delta;
            the best of 36 cells is also the luckiest.
        behind: How much worse than the choice of the exhaustive grid on the same blocks.
        outcome: What it chose, and at what cost.
        cost: Seconds over those of the exhaustive grid.
        covers: Whether its plateau holds the weights of the best cell.
    """

    table: str
    regret: float
    behind: float
    outcome: Outcome
    cost: float
    covers: bool


def score(name: str, grid: Grid, resplit: int, budget: float, method: Method) -> Score:
    """Deal the blocks, let a method choose, and score the choice on the rest."""
    rng = np.random.default_rng(resplit)
    dealt = tuple(int(b) for b in rng.permutation(grid.blocks))
    first, second = DEALT[len(dealt)]
    choose, confirm = dealt[:first], dealt[first : first + second]
    fresh = dealt[first + second :]
    truth = {hidden: grid.mean(hidden, fresh) for hidden in grid.weights}
    best = min(truth, key=lambda hidden: truth[hidden])
    delta = 0.01 * (grid.constant - truth[best])
    outcome = method(grid, Deal(choose, confirm, delta, budget, resplit))
    report, covers = outcome.report, False
    if report is not None:
        low, high = grid.weights[report.lightest], grid.weights[report.heaviest]
        open_end = report.upper != "too large above"
        covers = low <= grid.weights[best] and (open_end or grid.weights[best] <= high)
    regret = (truth[outcome.chosen] - truth[best]) / delta
    whole = exhaustive(grid, Deal(choose, confirm, delta, budget, resplit))
    behind = (truth[outcome.chosen] - truth[whole.chosen]) / delta
    return Score(name, regret, behind, outcome, outcome.seconds / whole.seconds, covers)


def main() -> None:
    """Score every method on every table and re-split, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", type=Path, default=Path(__file__).with_name(KEPT))
    options = parser.parse_args()
    grids = read_grids(options.grid, options.folder)
    scores: dict[str, list[Score]] = defaultdict(list)
    for name, grid in grids.items():
        for resplit in range(RESPLITS):
            budget = SHARE_OF_GRID * grid.whole * DEALT[len(grid.blocks)][0]
            for method, function in METHODS.items():
                scores[method].append(score(name, grid, resplit, budget, function))
    _print_methods(scores)
    _print_tables(grids, scores["search"])


def _print_methods(scores: dict[str, list[Score]]) -> None:
    heads = (
        "method", "median regret / δ", "90% regret / δ", "within δ", "behind the grid / δ",
        "not behind by δ", "seconds / grid", "runs",
    )  # fmt: skip
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for method, found in scores.items():
        regrets = np.array([each.regret for each in found])
        behind = np.array([each.behind for each in found])
        costs = np.array([each.cost for each in found])
        runs = np.mean([each.outcome.trainings for each in found])
        print(
            f"| {method} | {np.median(regrets):.2f} | {np.quantile(regrets, 0.9):.2f} | "
            f"{np.mean(regrets <= 1):.0%} | {np.mean(behind):+.2f} | {np.mean(behind <= 1):.0%} | "
            f"{np.mean(costs):.3f} | {runs:.1f} |"
        )


def _print_tables(grids: dict[str, Grid], found: list[Score]) -> None:
    heads = (
        "table",
        "blocks",
        "chosen",
        "regret / δ",
        "covers best",
        "share a size",
        "width ratio",
    )
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name, grid in grids.items():
        own = [each for each in found if each.table == name]
        sizes = [each.outcome.chosen for each in own]
        widths = [width_equivalent(grid.weights[hidden], len(hidden)) for hidden in sizes]
        ends = [
            (grid.weights[r.lightest], grid.weights[r.heaviest])
            for r in (each.outcome.report for each in own)
            if r is not None
        ]
        share = bool(ends) and max(low for low, _ in ends) <= min(high for _, high in ends)
        named = ", ".join(sorted({f"{len(h)}×{h[0]}" for h in sizes}))
        regret = np.median([each.regret for each in own])
        covers = np.mean([each.covers for each in own])
        ratio = 2 ** (log2(max(widths)) - log2(min(widths)))
        cells = (name, str(len(grid.blocks)), named, f"{regret:.2f}", f"{covers:.0%}")
        print("| " + " | ".join((*cells, "yes" if share else "no", f"{ratio:.1f}")) + " |")


if __name__ == "__main__":
    main()
