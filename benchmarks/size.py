"""The size search against its rivals, replayed on the grid of truth of `size_grid.py`.

    python benchmarks/size.py FOLDER --grid benchmarks/size_grid.jsonl.gz

Every method sees only what it would have trained, at the price that this training had. It chooses
a size from some blocks, and is scored on blocks that it never saw. A re-split deals them anew.
Regret is in units of delta, 1% of the way from the constant to the best cell.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass
from math import log2
from pathlib import Path

import numpy as np

from justright.sizing.evidence import Curve, Evidence
from justright.sizing.goal import Goal
from justright.sizing.report import report_of
from justright.sizing.search import next_ask, worthwhile
from justright.sizing.shapes import Hidden, Limits, width_equivalent
from size_replay import Deal, Grid, Method, Outcome, read_grids
from size_rivals import RIVALS, exhaustive, start

KEPT = "size_grid.jsonl.gz"
"""Reduced curves of the trainings made so far."""

SHARE_OF_GRID = 0.10
"""The search may spend this share of what the exhaustive grid on as many blocks costs."""

DEALT = {6: (2, 2), 5: (2, 1), 4: (2, 0), 3: (2, 0)}
"""By the number of blocks: on how many is chosen, and confirmed; the rest is the truth."""

RESPLITS = 5


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
    lengths: Counter[Hidden] = Counter()
    for (hidden, _), curve in evidence.curves.items():
        lengths[hidden] += curve.share[-1]  # type: ignore[assignment]
    spent, report = grid.spent(lengths), report_of(evidence, goal)
    return Outcome(report.chosen if report else start(grid, deal).chosen, spent, report)


METHODS: dict[str, Method] = {"search": search, **RIVALS}


@dataclass
class Score:
    """What a method achieved on one re-split.

    Attributes:
        table: Name of the table.
        regret: How much worse than the best cell its choice is on fresh blocks, in units of delta;
            the best of 36 cells is also the luckiest.
        errors: The same in standard errors of a difference of two cells on the fresh blocks.
        behind: How much worse than the choice of the exhaustive grid on the same blocks, in delta.
        outcome: What it chose, and at what cost.
        seconds, flops: Over those of the exhaustive grid.
        covers: Whether its plateau holds the weights of the best cell, or may go on to them.
        between: The same between its two ends only, and between the ends of what was not excluded.
    """

    table: str
    regret: float
    errors: float
    behind: float
    outcome: Outcome
    seconds: float
    flops: float
    covers: bool
    between: tuple[bool, bool]


def score(name: str, grid: Grid, resplit: int, share: float, method: Method) -> Score:
    """Deal the blocks, let a method choose for a share of the grid's seconds, and score it."""
    rng = np.random.default_rng(resplit)
    dealt = tuple(int(b) for b in rng.permutation(grid.blocks))
    first, second = DEALT[len(dealt)]
    choose, confirm = dealt[:first], dealt[first : first + second]
    fresh = dealt[first + second :]
    truth = {hidden: grid.mean(hidden, fresh) for hidden in grid.weights}
    best = min(truth, key=lambda hidden: truth[hidden])
    delta = 0.01 * (grid.constant - truth[best])
    deal = Deal(choose, confirm, delta, share * grid.whole * first, resplit)
    outcome, whole = method(grid, deal), exhaustive(grid, deal)
    report, covers, between = outcome.report, False, (False, False)
    if report is not None:
        weight = grid.weights[best]
        ends = (report.lightest, report.heaviest), report.possible
        inside = [grid.weights[low] <= weight <= grid.weights[high] for low, high in ends]
        between = (inside[0], inside[1])
        open_end = report.upper != "too large above"
        covers = inside[0] or (open_end and grid.weights[report.lightest] <= weight)
    away = truth[outcome.chosen] - truth[best]
    return Score(
        name,
        away / delta,
        away / grid.standard_error(len(fresh)),
        (truth[outcome.chosen] - truth[whole.chosen]) / delta,
        outcome,
        outcome.spent.seconds / whole.spent.seconds,
        outcome.spent.flops / whole.spent.flops,
        covers,
        between,
    )


def main() -> None:
    """Score every method on every table and re-split, and print three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grid", type=Path, default=Path(__file__).with_name(KEPT))
    parser.add_argument("--share", type=float, default=SHARE_OF_GRID)
    options = parser.parse_args()
    grids = read_grids(options.grid, options.folder)
    scores: dict[str, list[Score]] = defaultdict(list)
    for name, grid in grids.items():
        for resplit in range(RESPLITS):
            for method, function in METHODS.items():
                scores[method].append(score(name, grid, resplit, options.share, function))
    _print_methods(scores)
    _print_tables(grids, scores["search"])
    _print_costs(grids, scores["search"])


def _head(*heads: str) -> None:
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))


def _print_methods(scores: dict[str, list[Score]]) -> None:
    _head(
        "method", "median regret / δ", "90% regret / δ", "median regret / SE", "within δ",
        "behind the grid / δ", "not behind by δ", "seconds / grid", "FLOPs / grid", "trainings",
    )  # fmt: skip
    for method, found in scores.items():
        regrets = np.array([each.regret for each in found])
        behind = np.array([each.behind for each in found])
        errors = np.median([each.errors for each in found])
        seconds = np.mean([each.seconds for each in found])
        flops = np.mean([each.flops for each in found])
        trainings = np.mean([each.outcome.spent.trainings for each in found])
        print(
            f"| {method} | {np.median(regrets):.2f} | {np.quantile(regrets, 0.9):.2f} | "
            f"{errors:.2f} | {np.mean(regrets <= 1):.0%} | {np.mean(behind):+.2f} | "
            f"{np.mean(behind <= 1):.0%} | {seconds:.3f} | {flops:.3f} | {trainings:.1f} |"
        )


def _print_tables(grids: dict[str, Grid], found: list[Score]) -> None:
    _head(
        "table", "blocks", "chosen", "regret / δ", "covers best", "between its ends",
        "not excluded", "share a size", "width ratio",
    )  # fmt: skip
    for name, grid in grids.items():
        own = [each for each in found if each.table == name]
        sizes = [each.outcome.chosen for each in own]
        widths = [width_equivalent(grid.weights[hidden], len(hidden)) for hidden in sizes]
        ends = [
            (grid.weights[r.lightest], grid.weights[r.heaviest])
            for r in (each.outcome.report for each in own)
            if r is not None
        ]
        lows, highs = zip(*ends, strict=True) if len(ends) == len(own) else ((1,), (0,))
        share = max(lows) <= min(highs)
        named = ", ".join(sorted({f"{len(h)}×{h[0]}" for h in sizes}))
        regret = np.median([each.regret for each in own])
        covers = np.mean([(each.covers, *each.between) for each in own], axis=0)
        ratio = 2 ** (log2(max(widths)) - log2(min(widths)))
        cells = (
            name,
            str(len(grid.blocks)),
            named,
            f"{regret:.2f}",
            *map("{:.0%}".format, covers),
        )
        print("| " + " | ".join((*cells, "yes" if share else "no", f"{ratio:.1f}")) + " |")


def _print_costs(grids: dict[str, Grid], found: list[Score]) -> None:
    _head("table", "grid s", "without 512", "search s", "of the grid", "of that without 512")
    for name, grid in grids.items():
        own = [each.outcome.spent.seconds for each in found if each.table == name]
        first = DEALT[len(grid.blocks)][0]
        whole = first * grid.whole
        narrow = first * sum(s for hidden, s in grid.seconds.items() if hidden[0] < 512)
        mean = float(np.mean(own))
        print(
            f"| {name} | {whole:.0f} | {narrow:.0f} | {mean:.1f} | {mean / whole:.1%} | "
            f"{mean / narrow:.1%} |"
        )


if __name__ == "__main__":
    main()
