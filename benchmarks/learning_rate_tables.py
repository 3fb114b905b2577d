"""The tables of `learning_rate.py`: how far off each method is, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from justright.designer.stages import range_test
from justright.training.rate_race import lowest_point, verify, winner_of
from justright.training.rate_rules import NAMES
from rate_transfer import best_rate

SWEEP = 10.0 ** (np.arange(-6, 7) / 3)
"""Factors on the prior: 13 rates over four decades."""

SCHEDULES = ("constant", "own")
METHODS = ("prior", *NAMES, "race, winner", "race, lowest point", "race and check")
FAR = 1e6
"""Stands for the logarithm of a loss that there is not."""

NEAR = 2
"""Rates on either side of the best one that the noise is taken from."""

HALF_DECADE = 0.5

PLANTED = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Factors on the prior that a range test alone is to find, but for 1."""


def array_of(losses: Sequence[Sequence[float | None]]) -> np.ndarray:
    """The losses again; infinite where a run diverged."""
    return np.array([[np.inf if x is None else x for x in row] for row in losses], np.float64)


def is_checked(line: Mapping[str, Any]) -> bool:
    """Whether the rate that comes out of a line's race today is the one that was checked."""
    if "checked" not in line:
        return False
    tried = lowest_point(line["raced"], array_of(line["race_losses"]))
    return abs(np.log(line["checked"] / tried)) < 1e-6


class Truth:
    """The sweep of one table under one schedule: its best rate, and how noisy a loss is."""

    def __init__(self, lines: Sequence[Mapping[str, Any]], schedule: str) -> None:
        self.lines, self.schedule = lines, schedule
        self.rates = np.array(lines[0]["rates"][: len(SWEEP)])
        losses = [line[schedule]["best"][: len(SWEEP)] for line in lines]
        logs = np.log(np.array(losses, np.float64))
        logs = np.where(np.isnan(logs), np.inf, logs)
        means = logs.mean(axis=0)
        self.place = int(np.argmin(means))
        self.best = best_rate(self.rates, means)
        near = logs[:, max(self.place - NEAR, 0) : self.place + NEAR + 1]
        near = near[:, np.isfinite(near).all(axis=0)]
        rest = near - near.mean(axis=0) - near.mean(axis=1, keepdims=True) + near.mean()
        degrees = (near.shape[0] - 1) * (near.shape[1] - 1)
        self.noise = float(np.sqrt(2 * (rest**2).sum() / degrees)) if degrees else float("nan")

    def regret(self, line: Mapping[str, Any], rate: float) -> float:
        """How much lower the best rate's loss was on the same rows and seed, in logarithms.

        A rate that was not swept has the loss between its neighbours, in logarithms.
        """
        losses = np.log(array_of([line[self.schedule]["best"]])[0])
        order = np.argsort(line["rates"])
        rates = np.log(np.array(line["rates"])[order])
        finite = np.minimum(losses[order], FAR)  # between a loss and none there is none
        own = float(np.interp(np.log(rate), rates, finite))
        return own - losses[self.place] if own < 0.01 * FAR else float("inf")


def rate_of(line: Mapping[str, Any], method: str) -> float | None:
    """What a method answers."""
    if method in NAMES:
        return line["picks"][method]
    prior, losses = line["prior"], array_of(line["race_losses"])
    winner, tried = winner_of(losses), lowest_point(line["raced"], losses)
    if method == "prior":
        return prior
    if method == "race, winner":
        return line["raced"][winner]
    if method == "race and check":
        if not is_checked(line):
            return None
        if line["check_losses"] is None:
            return prior
        race = losses[[winner, 0]] if winner else losses[:2, :0]
        return tried if verify(race, array_of(line["check_losses"])).holds else prior
    return tried


def print_rules(tables_: Mapping[str, Sequence[Mapping[str, Any]]], schedule: str) -> None:
    """One line per method over all tables and repeats."""
    head = (
        "method | answers | median abs log10(picked/best) | within half a decade | "
        "median regret % | median regret / noise | regret within noise | "
        "median largest/smallest | within ×2"
    )
    print(f"\n**{schedule}**\n\n| {head} |\n|" + "---|" * (head.count("|") + 1))
    truths = {name: Truth(lines, schedule) for name, lines in tables_.items()}
    for method in METHODS:
        away, regrets, shares, ratios, asked = [], [], [], [], 0
        for name, lines in tables_.items():
            truth = truths[name]
            rates = [rate_of(line, method) for line in lines]
            asked += len(rates)
            known = [rate for rate in rates if rate is not None]
            if len(known) > 1:
                ratios.append(max(known) / min(known))
            for line, rate in zip(lines, rates, strict=True):
                if rate is not None:
                    away.append(abs(np.log10(rate / truth.best)))
                    regrets.append(truth.regret(line, rate))
                    shares.append(regrets[-1] / truth.noise)
        if not away:
            print(f"| {method} | 0 of {asked} |" + " – |" * (head.count("|") - 1))
            continue
        cells = [
            method,
            f"{len(away)} of {asked}",
            f"{np.median(away):.2f}",
            f"{np.mean(np.array(away) <= HALF_DECADE):.0%}",
            f"{100 * np.expm1(np.median(regrets)):.1f}",
            f"{np.median(shares):.2f}",
            f"{np.mean(np.array(shares) <= 1):.0%}",
            f"{np.median(ratios):.1f}" if ratios else "–",
            f"{np.mean(np.array(ratios) <= 2):.0%}" if ratios else "–",
        ]
        print("| " + " | ".join(cells) + " |")


def print_tables(tables_: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """One line per table: best rates, where the test diverged, and what won."""
    print(
        "\n| table | prior | best constant | best own / 2 | noise % | diverged | race and check |"
    )
    print("|---|---|---|---|---|---|---|")
    shares: dict[str, list[float]] = {schedule: [] for schedule in SCHEDULES}
    for name, lines in tables_.items():
        truths = {schedule: Truth(lines, schedule) for schedule in SCHEDULES}
        for schedule, truth in truths.items():
            found = [truth.best / line["diverged"] for line in lines if line["diverged"]]
            shares[schedule] += found
        diverged = [f"{line['diverged']:.2g}" if line["diverged"] else "–" for line in lines]
        ended = [rate_of(line, "race and check") for line in lines]
        raced = ["–" if rate is None else f"{rate:.2g}" for rate in ended]
        print(
            f"| {name} | {lines[0]['prior']:.3g} | {truths['constant'].best:.2g} | "
            f"{truths['own'].best:.2g} | {100 * truths['constant'].noise:.1f} | "
            f"{', '.join(diverged)} | {', '.join(raced)} |"
        )
    for schedule, found in shares.items():
        if found:
            low, middle, high = np.quantile(found, [0.1, 0.5, 0.9])
            print(
                f"\nBest rate over diverging rate, {schedule}: median {middle:.2g}, "
                f"80% within {low:.2g} to {high:.2g} ({len(found)} curves); the rule says 0.5."
            )


def print_drift(tables_: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """How the best of the 13 constant rates moves with the length of the run."""
    for share in (9, 3):
        ratios = []
        for lines in tables_.values():
            for line in lines:
                steps, curves = line["constant"]["steps"], line["constant"]["curves"][: len(SWEEP)]
                place = int(np.argmin(np.abs(np.array(steps) - steps[-1] / share)))
                ends = [
                    [np.inf if curve is None else curve[at] for curve in curves]
                    for at in (place, len(steps) - 1)
                ]
                short, full = (line["rates"][int(np.argmin(losses))] for losses in ends)
                ratios.append(np.log10(short / full))
        low, middle, high = 10 ** np.quantile(ratios, [0.1, 0.5, 0.9])
        print(
            f"\nBest constant rate after 1/{share} of a run over the best after all of it: median "
            f"{middle:.2g}, 80% within {low:.2g} to {high:.2g} ({len(ratios)} sweeps)."
        )


def print_planted(tables_: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """How often a range test alone finds a planted rate far off, and what that is worth."""
    head = (
        "planted rate / prior | found far off | median regret % | of the test's rate | is better"
    )
    print(f"\n| {head} |\n|" + "---|" * 5)
    for factor in PLANTED:
        far, before, after = [], [], []
        for lines in tables_.values():
            truth = Truth(lines, "own")
            for line in lines:
                rate, found = factor * line["prior"], line["picks"]["minimum/10"]
                if found is None:
                    far.append(False)
                    continue
                far.append(not 1 / range_test.FAR <= found / rate <= range_test.FAR)
                before.append(truth.regret(line, rate))
                after.append(truth.regret(line, found))
        medians = [f"{100 * np.expm1(np.median(each)):.1f}" for each in (before, after)]
        better = np.mean(np.array(after) < np.array(before))
        shown = (f"{factor:g}", f"{sum(far)} of {len(far)}", *medians, f"{better:.0%}")
        print("| " + " | ".join(shown) + " |")


def print_all(lines: Sequence[Mapping[str, Any]]) -> None:
    """Every table there is of some lines."""
    known: dict[str, list[Mapping[str, Any]]] = {}
    for line in sorted(lines, key=lambda line: line["repeat"]):
        known.setdefault(line["table"], []).append(line)
    for schedule in SCHEDULES:
        print_rules(known, schedule)
    print_tables(known)
    print_drift(known)
    print_planted(known)
