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
from justright.sizing.search import next_ask, offer, worthwhile
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

PAID = ("search", "few epochs", "ASHA", "TPE")
"""Methods that a budget matters to."""

CLEAR = 0.25
"""A mean over re-splits that differs by more than so many δ is told apart (assumption)."""

SHARES = (0.0125, 0.02, 0.03, 0.05, 0.10, 0.20)


def goal_of(grid: Grid, deal: Deal, part: int) -> Goal:
    """What the search is to find on a grid."""
    return Goal(
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
        part,
    )


def search(grid: Grid, deal: Deal) -> Outcome:
    """Our search: at the full length, or at a third of it where the budget is small."""
    grids = {1: grid, 3: grid.third}
    goals = [goal_of(each, deal, part) for part, each in grids.items()]
    goal = offer(goals, (deal.budget,))
    if not worthwhile(goal):
        return start(grid, deal)
    grid, evidence = grids[goal.part], Evidence()
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
        settled: The same on all blocks, those that it chose on among them: they are too few to
            leave any out where noise is larger than delta.
        errors: The regret in standard errors of a difference of two cells on the fresh blocks.
        behind: How much worse than the choice of the exhaustive grid on the same blocks, in delta.
        outcome: What it chose, and at what cost.
        seconds, flops: Over those of the exhaustive grid.
        covers: Whether its plateau holds the weights of the best cell, or may go on to them.
        between: The same of its two ends only.
        possible: The same of what was not excluded, or may go on.
    """

    table: str
    regret: float
    settled: float
    errors: float
    behind: float
    outcome: Outcome
    seconds: float
    flops: float
    covers: bool = False
    between: bool = False
    possible: bool = False


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
    report, found = outcome.report, {}
    if report is not None:
        weight = grid.weights[best]
        ends = (report.lightest, report.heaviest), report.possible
        (low, high), (lowest, highest) = ([grid.weights[size] for size in each] for each in ends)
        open_end = report.upper != "too large above"
        found = {
            "covers": low <= weight <= high or (open_end and low <= weight),
            "between": low <= weight <= high,
            "possible": lowest <= weight <= highest or (open_end and lowest <= weight),
        }
    away = truth[outcome.chosen] - truth[best]
    whole_truth = {hidden: grid.mean(hidden, grid.blocks) for hidden in grid.weights}
    lowest = min(whole_truth.values())
    return Score(
        name,
        away / delta,
        (whole_truth[outcome.chosen] - lowest) / (0.01 * (grid.constant - lowest)),
        away / grid.standard_error(len(fresh)),
        (truth[outcome.chosen] - truth[whole.chosen]) / delta,
        outcome,
        outcome.spent.seconds / whole.spent.seconds,
        outcome.spent.flops / whole.spent.flops,
        **found,
    )


def main() -> None:
    """Score every method on every table and re-split, and print the tables."""
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
    _print_budgets(grids)
    _print_rivals(grids)


def _print_budgets(grids: dict[str, Grid]) -> None:
    """How far behind the grid, in δ, methods are for shares of its seconds (how often beyond)."""
    _head("share of the grid's seconds", *PAID)
    for share in SHARES:
        cells = []
        for method in PAID:
            behind = [
                score(name, grid, resplit, share, METHODS[method]).behind
                for name, grid in grids.items()
                for resplit in range(RESPLITS)
            ]
            cells.append(f"{np.mean(behind):+.2f} ({np.mean(np.array(behind) > 1):.0%})")
        print(f"| {share:.1%} | " + " | ".join(cells) + " |")


def _behind(grids: dict[str, Grid], method: str, share: float) -> np.ndarray:
    """By how much the choice is behind that of the grid, in δ: a mean over re-splits a table."""
    found = [
        [score(name, grid, resplit, share, METHODS[method]).behind for resplit in range(RESPLITS)]
        for name, grid in grids.items()
    ]
    return np.mean(found, axis=1)


def _print_rivals(grids: dict[str, Grid]) -> None:
    """Table by table at equal seconds, and the seconds to come within a part of δ of the grid."""
    print(
        "\nTables on which the rival is behind the search / ahead of it by more than a quarter δ:"
    )
    behind = {
        method: np.array([_behind(grids, method, share) for share in SHARES]) for method in PAID
    }
    _head("share of the grid's seconds", *PAID[1:])
    for place, share in enumerate(SHARES):
        gaps = [behind[method][place] - behind["search"][place] for method in PAID[1:]]
        cells = [f"{int(np.sum(gap > CLEAR))} / {int(np.sum(gap < -CLEAR))}" for gap in gaps]
        print(f"| {share:.1%} | " + " | ".join(cells) + " |")
    print("\nLeast share of the grid's seconds with which the choice is less than δ behind it:")
    _head("table", *PAID)
    for place, name in enumerate(grids):
        cells = []
        for method in PAID:
            enough = [s for s, own in zip(SHARES, behind[method], strict=True) if own[place] < 1]
            cells.append(f"{enough[0]:.1%}" if enough else f"more than {SHARES[-1]:.0%}")
        print(f"| {name} | " + " | ".join(cells) + " |")


def _head(*heads: str) -> None:
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))


def _print_methods(scores: dict[str, list[Score]]) -> None:
    _head(
        "method", "median regret / δ", "90% regret / δ", "median regret / SE", "within δ",
        "within δ on all blocks", "behind the grid / δ", "not behind by δ", "seconds / grid",
        "FLOPs / grid", "trainings",
    )  # fmt: skip
    for method, found in scores.items():
        regrets = np.array([each.regret for each in found])
        behind = np.array([each.behind for each in found])
        settled = np.mean([each.settled <= 1 for each in found])
        errors = np.median([each.errors for each in found])
        seconds = np.mean([each.seconds for each in found])
        flops = np.mean([each.flops for each in found])
        trainings = np.mean([each.outcome.spent.trainings for each in found])
        print(
            f"| {method} | {np.median(regrets):.2f} | {np.quantile(regrets, 0.9):.2f} | "
            f"{errors:.2f} | {np.mean(regrets <= 1):.0%} | {settled:.0%} | "
            f"{np.mean(behind):+.2f} | {np.mean(behind <= 1):.0%} | {seconds:.3f} | "
            f"{flops:.3f} | {trainings:.1f} |"
        )


def _print_tables(grids: dict[str, Grid], found: list[Score]) -> None:
    _head(
        "table", "blocks", "chosen", "regret / δ", "covers best", "between its ends",
        "does not exclude it", "share a size", "width ratio",
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
        covers = np.mean([(e.covers, e.between, e.possible) for e in own], axis=0)
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
