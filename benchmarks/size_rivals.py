"""What else chooses a size: the exhaustive grid, fixed shapes, few epochs for all, ASHA, TPE.

Each sees only what it would have trained, on the blocks and for the seconds that the search has.
"""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np

from justright.sizing.shapes import Hidden
from justright.training.start import WIDTHS
from size_replay import Deal, Grid, Method, Outcome


def exhaustive(grid: Grid, deal: Deal) -> Outcome:
    """Every cell on every block."""
    best = min(grid.weights, key=lambda hidden: grid.mean(hidden, deal.choose))
    return Outcome(best, grid.spent(dict.fromkeys(grid.weights, float(len(deal.choose)))))


def start(_grid: Grid, _deal: Deal) -> Outcome:
    """The shape of the start recipe, which a study keeps where it finds nothing better."""
    return Outcome(WIDTHS)


def three_layers(_grid: Grid, _deal: Deal) -> Outcome:
    """3 × 256, whatever the data."""
    return Outcome((256,) * 3)


def one_layer(_grid: Grid, _deal: Deal) -> Outcome:
    """1 × 512, whatever the data."""
    return Outcome((512,))


def few_epochs(grid: Grid, deal: Deal) -> Outcome:
    """A ninth of the length for all, then the best of them in full, while the seconds last."""
    one = deal.choose[:1]
    lengths = dict.fromkeys(grid.weights, 1 / 9)
    ranked = sorted(grid.weights, key=lambda hidden: grid.mean(hidden, one, 1 / 9))
    tried: list[Hidden] = []
    for hidden in ranked:
        longer = grid.spent(lengths | {hidden: 1.0})
        if tried and longer.seconds > deal.budget:
            break
        lengths[hidden] = 1.0
        tried.append(hidden)
    best = min(tried, key=lambda hidden: grid.mean(hidden, one))
    return Outcome(best, grid.spent(lengths))


def asha(grid: Grid, deal: Deal) -> Outcome:
    """Asynchronous successive halving, factor 3 (Li et al. 2020), random cells."""
    rng, one = np.random.default_rng(deal.seed), deal.choose[:1]
    cells = list(grid.weights)
    waiting = [cells[i] for i in rng.permutation(len(cells))]
    rungs: dict[float, list[Hidden]] = {1 / 9: [], 1 / 3: [], 1.0: []}
    lower = {1 / 3: 1 / 9, 1.0: 1 / 3}
    lengths: Counter[Hidden] = Counter()

    def promotable(share: float) -> Hidden | None:
        below = rungs[lower[share]]
        ranked = sorted(below, key=lambda hidden: grid.mean(hidden, one, lower[share]))
        good = ranked[: len(below) // 3]
        return next((hidden for hidden in good if hidden not in rungs[share]), None)

    while True:
        share = next((s for s in (1.0, 1 / 3) if promotable(s) is not None), 1 / 9)
        hidden = promotable(share) if share > 1 / 9 else waiting.pop(0) if waiting else None
        if hidden is None:
            break
        longer = Counter(lengths) | Counter({hidden: share})
        if grid.spent(longer).seconds > deal.budget:
            break
        lengths = longer
        rungs[share].append(hidden)
    top = next((share for share in (1.0, 1 / 3, 1 / 9) if rungs[share]), None)
    if top is None:
        return Outcome(cells[0])
    best = min(rungs[top], key=lambda hidden: grid.mean(hidden, one, top))
    return Outcome(best, grid.spent(lengths))


def tpe(grid: Grid, deal: Deal) -> Outcome:
    """Tree-structured Parzen estimator, full trainings (Bergstra et al. 2011; Optuna)."""
    optuna = importlib.import_module("optuna")  # only this rival needs it

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=deal.seed))
    first, tried = deal.choose[:1], {}
    for _ in range(400):
        trial = study.ask()
        width = 2 ** trial.suggest_int("log_width", 4, 9)
        hidden = (width,) * trial.suggest_int("depth", 1, 6)
        longer = dict.fromkeys([*tried, hidden], 1.0)
        if tried and grid.spent(longer).seconds > deal.budget:
            break
        tried[hidden] = grid.mean(hidden, first)
        study.tell(trial, tried[hidden])
    best = min(tried, key=lambda hidden: tried[hidden])
    return Outcome(best, grid.spent(dict.fromkeys(tried, 1.0)))


RIVALS: dict[str, Method] = {
    "exhaustive": exhaustive,
    "start 2×128": start,
    "3×256": three_layers,
    "1×512": one_layer,
    "few epochs": few_epochs,
    "ASHA": asha,
    "TPE": tpe,
}
