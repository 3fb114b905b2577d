"""What each stage of the flow is worth at equal total time: studies that go without one of them.

    python benchmarks/ablation.py FOLDER --time 60s --out benchmarks/out/ablation --workers 1

Every arm gets the same time, so what a stage does not take is left to the others. A stage is left
out by refusing its work at the door where the clock could refuse it, so nothing of the product is
written for this. All networks of a table are judged on the same test rows; the differences to the
whole flow are paired, and their intervals over rows. Tables and arms that were finished are not
run again.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from before_after import HERE, TEST_ROWS, constant_of, finished, predicted, start, targets_of
from field_cases import case_of
from justright.core.idea import Verdict
from justright.designer.confirm import Confirmer
from justright.designer.session import Champion
from justright.designer.work import WorkPlan
from justright.statistics.compare import BETTER, NOT_BETTER
from justright.statistics.intervals import paired_difference, standing
from justright.statistics.metrics import metric_named
from tables import tables

WHOLE, SEARCHES = "whole flow", "all searches"
"""Everything, and nothing but the start recipe."""

REFUSED: Mapping[str, str] = {
    "sanity": r"sanity",
    "start recipe in full": r"own (members|length)",
    "members": r"own members",
    "learning rate": r"(late )?rate\b",
    "size search": r"(late )?size\b",
    "noise": r"noise\b",
    "ideas": r"round \d+$",
    "descriptions": r"(slices, labels and examples|permutation importance|data forecast)$",
    "headline repetitions": r"headline",
    SEARCHES: r"own (members|length)|(late )?(rate|size)\b|round \d+$",
}
"""Stages and the keys of the work plan that they ask for; refused from the key's beginning."""

BLOCKS = "fresh blocks"
"""Without them an idea is kept if it looked better where it was screened."""

ARMS = (WHOLE, *REFUSED, BLOCKS)


def refuse(pattern: str) -> None:
    """Refuse all work whose key begins so."""
    known, granted = re.compile(pattern), WorkPlan.grant

    def grant(plan: WorkPlan, key: str, propose: Callable[[], int]) -> int:
        return granted(plan, key, (lambda: 0) if known.match(key) else propose)

    WorkPlan.grant = grant


def believe_screening() -> None:
    """Keep what looked better on the blocks where it was screened."""

    def confirm(
        self: Confirmer, champion: Champion, rival: Champion, key: str, weight: int
    ) -> Verdict:
        del self, key, weight
        gain = champion.loss - rival.loss
        word = BETTER if gain > 0 else NOT_BETTER
        return Verdict(rival.arm.subject, word, gain, math.nan, math.nan, len(rival.trials))

    Confirmer.confirm = confirm


def fit_without(stage: str, words: Sequence[str]) -> int:
    """The command line without a stage; returns its exit code."""
    from justright.cli.main import main as command  # noqa: PLC0415 (after the change)

    if stage in REFUSED:
        refuse(REFUSED[stage])
    elif stage == BLOCKS:
        believe_screening()
    elif stage != WHOLE:
        raise ValueError(f"no stage {stage!r}: {', '.join(ARMS)}")
    return command(words)


def run(entry: dict[str, Any], path: Path, arm: str, options: Any) -> None:
    """Fit one arm, and predict the test rows with what it handed over."""
    name, place = entry["name"], options.out / entry["name"] / arm.replace(" ", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    words = [word for target in targets_of(entry) for word in ("--target", target)]
    began = time.time()
    finished(
        start(
            HERE, __file__, "--without", arm, "--", "fit", str(path), *words, "--quiet",
            "--time", options.time, "--workers", str(options.workers), "--name", name,
            "--studies", str(place / "studies"),
        )
    )  # fmt: skip
    seconds, rows = time.time() - began, place / "rows.npy"
    finished(start(HERE, "-c", TEST_ROWS, str(path), str(rows), *targets_of(entry)))
    model, answers = place / "studies" / name / "model", place / "answers.parquet"
    command = ("predict", str(model), str(path), "--out", str(answers))
    finished(start(HERE, "-m", "justright.cli.main", *command))
    (place / "done.json").write_text(json.dumps({"seconds": seconds}))


def compared(entry: dict[str, Any], folder: Path, out: Path) -> dict[str, tuple[float, str, str]]:
    """Each arm's difference to the whole flow in tolerances, its word, and its text."""
    case = case_of(entry, folder, 0)
    problem, rows, sample = case.problem, case.splits.test, case.sample()
    metric = metric_named(problem.metric)
    answers = {}
    for arm in ARMS:
        place = out / entry["name"] / arm.replace(" ", "-")
        if (place / "done.json").exists():
            assert np.array_equal(np.load(place / "rows.npy"), rows), f"{place}: other rows"
            answers[arm] = predicted(problem, place / "answers.parquet", rows)
    if WHOLE not in answers:
        return {}
    whole = answers.pop(WHOLE)
    score = metric(sample.y, whole, sample.weights)
    constant = metric(sample.y, constant_of(problem, rows), sample.weights)
    delta = 0.01 * abs(constant - score)
    shown = {WHOLE: (0.0, "", f"{metric.name} {score:.4g}")}
    for arm, own in answers.items():
        found = paired_difference(metric, sample, own, whole)
        word, _ = standing(found, delta)
        gain, low, high = (each / delta for each in (found.estimate, found.low, found.high))
        shown[arm] = (gain, word, f"{gain:+.1f} ({low:+.1f} to {high:+.1f}) {word}")
    return shown


def show(found: Mapping[str, Mapping[str, tuple[float, str, str]]]) -> None:
    """One row a table, one column an arm; then what each stage was worth over all tables."""
    heads = ("table", "whole flow", *(f"without {arm}" for arm in ARMS[1:]))
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name, arms in found.items():
        cells = [arms[arm][2] if arm in arms else "–" for arm in ARMS]
        print("| " + " | ".join([name, *cells]) + " |")
    heads = ("without", "tables", "median gain / δ", "mean", "better", "worse")
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for arm in ARMS[1:]:
        own = [arms[arm] for arms in found.values() if arm in arms]
        if own:
            gains, words = [gain for gain, _, _ in own], [word for _, word, _ in own]
            cells = [
                arm, str(len(own)), f"{np.median(gains):+.2f}", f"{np.mean(gains):+.2f}",
                str(words.count("beats")), str(words.count("loses to")),
            ]  # fmt: skip
            print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/ablation"))
    parser.add_argument("--only", default="", help="tables, by comma")
    parser.add_argument("--arms", default="", help="arms beside the whole flow, by comma")
    parser.add_argument("--report", action="store_true", help="run nothing")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name]
    arms = [WHOLE, *(options.arms.split(",") if options.arms else ARMS[1:])]
    entries = [e for e in tables(options.folder) if not wanted or e["name"] in wanted]
    found = {}
    for entry in entries:
        path = options.folder / entry["file"]
        for arm in [] if options.report else arms:
            done = options.out / entry["name"] / arm.replace(" ", "-") / "done.json"
            if not done.exists():
                run(entry, path, arm, options)
        found[entry["name"]] = compared(entry, options.folder, options.out)
        for arm, (_, _, text) in found[entry["name"]].items():
            print(f"{entry['name']}: {arm}: {text}", flush=True)
    show(found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--without"]:
        sys.exit(fit_without(sys.argv[2], sys.argv[4:]))
    main()
