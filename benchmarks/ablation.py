"""What each stage of the flow is worth at equal total time, shown in three ways.

    python benchmarks/ablation.py FOLDER --time 60s --set without --workers 1
    python benchmarks/ablation.py FOLDER --time 60s --set added --seeds 0,1,2 --workers 1
    python benchmarks/ablation.py FOLDER --time 60s --set repairs --seeds 0,1 --workers 1

``without``: the whole flow against flows that lack one stage; stages that stand in for each other
look worthless so. ``added``: the quick start recipe alone, then with its full form, then with one
search more. ``repairs``: a start recipe with a planted mistake, with and without the stage that
ought to find it, as users bring recipes and data on which the default is wrong.

Every arm gets the same time, so what a stage does not take is left to the others. A stage is left
out by refusing its work at the door where the clock could refuse it, so nothing of the product is
written for this. Networks of one seed are judged on the same test rows, other seeds on others; the
differences are paired, their intervals over rows, and those of the summary over tables and seeds.
Arms that were finished are not run again.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from before_after import HERE, constant_of, finished, predicted, start, targets_of
from field_cases import case_of
from justright.core.idea import Verdict
from justright.designer import flow
from justright.designer.improvement.confirm import Confirmer
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.session import Champion
from justright.recipe.patch import Patch
from justright.statistics.compare import BETTER, NOT_BETTER
from justright.statistics.intervals import paired_difference, standing
from justright.statistics.metrics import metric_named
from tables import tables

WHOLE = "whole flow"
FULL, RATE, SIZE, IDEAS = (
    r"own (members|length)",
    r"(own |late )?rate\b",
    r"(late )?size\b",
    r"round \d+$",
)
"""Keys of the work plan that the stages ask for; they are refused from the key's beginning."""


@dataclass(frozen=True)
class Arm:
    """A way to run the flow.

    Attributes:
        against: The arm that it is compared with.
        refused: Patterns of the keys that are refused.
        planted: Mistakes of the start recipe: path to value; a factor for the rate.
        screened: Whether an idea is kept if it looked better where it was screened.
    """

    against: str = ""
    refused: Sequence[str] = ()
    planted: Mapping[str, Any] = field(default_factory=dict)
    screened: bool = False


SLOW, NARROW = {"optimiser.rate": 0.1}, {"shape.hidden": [8]}
PLAIN = {"shape.numbers": "none", "shape.activation": "relu", "regularisation.dropout": 0.0}
QUICK, MORE = "quick start recipe", "start recipe in full"

SETS: Mapping[str, Mapping[str, Arm]] = {
    "without": {
        WHOLE: Arm(),
        "sanity": Arm(WHOLE, [r"sanity"]),
        "start recipe in full": Arm(WHOLE, [FULL]),
        "members": Arm(WHOLE, [r"own members"]),
        "learning rate": Arm(WHOLE, [RATE]),
        "size search": Arm(WHOLE, [SIZE]),
        "noise": Arm(WHOLE, [r"noise\b"]),
        "ideas": Arm(WHOLE, [IDEAS]),
        "ladder": Arm(WHOLE, [r".+/third "]),
        "descriptions": Arm(
            WHOLE, [r"(slices, labels and examples|permutation importance|data forecast)$"]
        ),
        "headline repetitions": Arm(WHOLE, [r"headline"]),
        "all searches": Arm(WHOLE, [FULL, RATE, SIZE, IDEAS]),
        "fresh blocks": Arm(WHOLE, screened=True),
    },
    "added": {
        QUICK: Arm("", [FULL, RATE, SIZE, IDEAS]),
        MORE: Arm(QUICK, [RATE, SIZE, IDEAS]),
        "and ideas": Arm(MORE, [RATE, SIZE]),
        "and ideas and rate": Arm("and ideas", [SIZE]),
        "and ideas and size": Arm("and ideas", [RATE]),
        "all": Arm(MORE),
    },
    "repairs": {
        "sound": Arm(),
        "rate ÷ 10": Arm("rate ÷ 10, no rate stage", planted=SLOW),
        "rate ÷ 10, no rate stage": Arm("sound", [RATE], SLOW),
        "8 units": Arm("8 units, no size search", planted=NARROW),
        "8 units, no size search": Arm("sound", [SIZE], NARROW),
        "plain": Arm("plain, no ideas", [FULL], PLAIN),
        "plain, no ideas": Arm("sound", [FULL, IDEAS], PLAIN),
    },
}
"""Arms by set. What the rate and size stages find is tried as an idea, so they come with ideas."""


def refuse(patterns: Sequence[str]) -> None:
    """Refuse all work whose key begins so."""
    known, granted = re.compile("|".join(patterns)), WorkPlan.grant

    def grant(self: WorkPlan, key: str, propose: Callable[[], int]) -> int:
        return granted(self, key, (lambda: 0) if known.match(key) else propose)

    WorkPlan.grant = grant


def plant(mistakes: Mapping[str, Any]) -> None:
    """Start with a recipe that has these mistakes."""
    sound = flow.start_recipe

    def start_recipe(*arguments: Any) -> Any:
        recipe, decisions = sound(*arguments)
        changes = dict(mistakes)
        if "optimiser.rate" in changes:
            changes["optimiser.rate"] *= recipe.optimiser.rate
        return Patch("planted", changes).apply(recipe), decisions

    flow.start_recipe = start_recipe


def believe_screening() -> None:
    """Keep what looked better on the blocks where it was screened."""

    def confirm(
        self: Confirmer, champion: Champion, rival: Champion, *terms: Any, **more: Any
    ) -> Verdict:
        del self, terms, more
        gain = champion.loss - rival.loss
        word = BETTER if gain > 0 else NOT_BETTER
        return Verdict(rival.arm.subject, word, gain, math.nan, math.nan, len(rival.trials))

    Confirmer.confirm = confirm


def fit_so(set_name: str, arm_name: str, words: Sequence[str]) -> int:
    """The command line with an arm's changes; returns its exit code."""
    from justright.cli.main import main as command  # noqa: PLC0415 (after the change)

    arm = SETS[set_name][arm_name]
    if arm.refused:
        refuse(arm.refused)
    if arm.planted:
        plant(arm.planted)
    if arm.screened:
        believe_screening()
    return command(words)


def place_of(out: Path, table: str, seed: int, arm: str) -> Path:
    """Folder of one run."""
    return out / f"{table}-{seed}" / arm.replace(" ", "-")


def run(entry: dict[str, Any], path: Path, seed: int, arm: str, options: Any) -> None:
    """Fit one arm, and predict all rows with what it handed over."""
    name, place = entry["name"], place_of(options.out, entry["name"], seed, arm)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    words = [word for target in targets_of(entry) for word in ("--target", target)]
    began = time.time()
    finished(
        start(
            HERE, __file__, "--so", options.set, arm, "fit", str(path), *words, "--quiet",
            "--time", options.time, "--workers", str(options.workers), "--name", name,
            "--seed", str(seed), "--studies", str(place / "studies"),
        )
    )  # fmt: skip
    seconds = time.time() - began
    model, answers = place / "studies" / name / "model", place / "answers.parquet"
    command = ("predict", str(model), str(path), "--out", str(answers))
    finished(start(HERE, "-m", "justright.cli.main", *command))
    (place / "done.json").write_text(json.dumps({"seconds": seconds}))


@dataclass(frozen=True)
class Gain:
    """What an arm is ahead of the one that it is compared with, in tolerances."""

    gain: float
    word: str
    text: str


def compared(
    entry: dict[str, Any], folder: Path, seed: int, arms: Mapping[str, Arm], out: Path
) -> dict[str, Gain]:
    """Each arm against its own other; the tolerance is 1% of constant minus the best arm."""
    case = case_of(entry, folder, seed)
    problem, rows, sample = case.problem, case.splits.test, case.sample()
    metric = metric_named(problem.metric)
    answers = {
        arm: predicted(problem, place_of(out, entry["name"], seed, arm) / "answers.parquet", rows)
        for arm in arms
        if (place_of(out, entry["name"], seed, arm) / "done.json").exists()
    }
    scores = {arm: metric(sample.y, own, sample.weights) for arm, own in answers.items()}
    constant = metric(sample.y, constant_of(problem, rows), sample.weights)
    best = min(scores.values(), key=metric.loss, default=constant)
    delta = 0.01 * abs(constant - best)
    shown = {}
    for arm, own in answers.items():
        other, score = arms[arm].against, f"{metric.name} {scores[arm]:.4g}"
        if other not in answers:
            shown[arm] = Gain(math.nan, "", score)
            continue
        found = paired_difference(metric, sample, own, answers[other])
        word, _ = standing(found, delta)
        gain, low, high = (each / delta for each in (found.estimate, found.low, found.high))
        shown[arm] = Gain(gain, word, f"{score}: {gain:+.1f} ({low:+.1f} to {high:+.1f}) {word}")
    return shown


def mean_gain(gains: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Mean over the tables of each table's mean, and its 95% half-width: over tables, which are
    few, and so hold the noise of seeds, too."""
    means = [float(np.mean(own)) for own in gains.values()]
    if len(means) < 2:
        return float(np.mean(means)), math.nan
    spread = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    return float(np.mean(means)), float(student.ppf(0.975, len(means) - 1)) * spread


def show(found: Mapping[tuple[str, int], Mapping[str, Gain]], arms: Mapping[str, Arm]) -> None:
    """One row a table and seed; then what each arm was worth over all of them."""
    for (name, seed), own in found.items():
        for arm, gain in own.items():
            print(f"{name} {seed}: {arm}: {gain.text}")
    heads = ("arm", "against", "runs", "mean gain / δ (95%)", "median", "better", "worse")
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for arm, kind in arms.items():
        by_table: dict[str, list[float]] = {}
        for (name, _), own in found.items():
            if arm in own and math.isfinite(own[arm].gain):
                by_table.setdefault(name, []).append(own[arm].gain)
        if by_table:
            mean, half = mean_gain(by_table)
            gains = [gain for own in by_table.values() for gain in own]
            words = [own[arm].word for own in found.values() if arm in own]
            cells = [
                arm, kind.against, str(len(gains)), f"{mean:+.2f} ± {half:.2f}",
                f"{np.median(gains):+.2f}", str(words.count("beats")),
                str(words.count("loses to")),
            ]  # fmt: skip
            print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=list(SETS), default="without")
    parser.add_argument("--time", default="60s")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/ablation"))
    parser.add_argument("--only", default="", help="tables, by comma")
    parser.add_argument("--arms", default="", help="some arms, by comma")
    parser.add_argument("--report", action="store_true", help="run nothing")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name]
    chosen = [arm for arm in options.arms.split(",") if arm]
    if unknown := set(chosen) - set(SETS[options.set]):
        parser.error(f"no such arm: {', '.join(sorted(unknown))}")
    arms = {name: arm for name, arm in SETS[options.set].items() if name in (chosen or [name])}
    entries = [e for e in tables(options.folder) if not wanted or e["name"] in wanted]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    found = {}
    for seed in seeds:
        for entry in entries:
            for arm in [] if options.report else arms:
                if not (place_of(options.out, entry["name"], seed, arm) / "done.json").exists():
                    run(entry, options.folder / entry["file"], seed, arm, options)
            found[entry["name"], seed] = compared(entry, options.folder, seed, arms, options.out)
    show(found, arms)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--so"]:
        sys.exit(fit_so(sys.argv[2], sys.argv[3], sys.argv[4:]))
    main()
