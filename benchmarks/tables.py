"""Run the main job on many tables and print one line each: the figures of the closing notes.

A second table shows the first network alone on the validation rows.

    python benchmarks/tables.py FOLDER --time 60s --out benchmarks/out/tables

FOLDER holds a ``manifest.json`` with name, file, target and task of each table, and the files.
Tables that were finished are not run again, so the run can be interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from justright.statistics.metrics import metric_named
from justright.store.opening import STORE_FILE, open_store


def tables(folder: Path) -> list[dict[str, Any]]:
    """Entries of the manifest that the main job takes: tables, multi-label aside."""
    entries = json.loads((folder / "manifest.json").read_text())
    files = [entry for entry in entries if entry["file"].endswith(".parquet")]
    return [entry for entry in files if entry["task"] != "multilabel"]


def run(entry: dict[str, Any], path: Path, limit: str, out: Path) -> None:
    """One study in a process of its own; its wall time is written beside it."""
    targets = entry["target"] if isinstance(entry["target"], list) else [entry["target"]]
    words = [word for target in targets for word in ("--target", target)]
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "justright.cli.main", "fit", str(path), *words, "--time", limit,
         "--name", entry["name"], "--studies", str(out / "studies"), "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = {
        "seconds": time.time() - began,
        "code": done.returncode,
        "error": done.stderr[-500:],
    }
    (out / f"{entry['name']}.json").write_text(json.dumps(seconds))


def line(entry: dict[str, Any], out: Path) -> str:
    """One row of the table in Markdown."""
    ran = json.loads((out / f"{entry['name']}.json").read_text())
    if ran["code"]:
        return f"| {entry['name']} | failed ({ran['code']}): {ran['error'].strip()[:120]} |"
    verdict = json.loads((out / "studies" / entry["name"] / "verdict.json").read_text())
    scores = {b["name"]: b["score"] for b in verdict["baselines"]}
    names = ("constant", "linear", "knn", "boosting", "lightgbm")
    shown = [f"{scores[n]:.4g}" if scores.get(n) is not None else "–" for n in names]
    network, word = verdict["network"], verdict["verdict"]
    usable = network.get("usable_after_s")
    cells = [
        entry["name"],
        verdict["metric"]["name"],
        f"{network['score']:.4g} ({network['low']:.4g} to {network['high']:.4g})",
        *shown,
        f"{word['word']} {word['against']}",
        f"{usable:.1f}" if usable else "–",
        f"{ran['seconds']:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def champion_line(entry: dict[str, Any], out: Path) -> str:
    """The first network beside linear and the best boosting, on the same validation rows."""
    with open_store(out / "studies" / STORE_FILE) as store:
        trials = store.trials.list(entry["name"])
    verdict = json.loads((out / "studies" / entry["name"] / "verdict.json").read_text())
    metric = metric_named(verdict["metric"]["name"])
    losses: dict[str, list[float]] = {}
    for trial in trials:
        if trial.spec.stage in ("champion", "baselines") and trial.result.get("scores"):
            name = trial.spec.subject if trial.spec.kind == "baseline" else "champion"
            losses.setdefault(name, []).append(metric.loss(trial.result["scores"][metric.name]))
    means = {name: statistics.fmean(values) for name, values in losses.items()}
    boosting = min(means.get("boosting", math.inf), means.get("lightgbm", math.inf))
    wanted = boosting < means["linear"]
    ahead = means["champion"] < means["linear"]
    word = "–" if not wanted else "yes" if ahead else "NO"
    scores = [metric.loss(loss) for loss in (means["champion"], means["linear"], boosting)]
    cells = [entry["name"], metric.name, *(f"{score:.4g}" for score in scores), word]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--time", default="60s")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/tables"))
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in options.only.split(",") if name]
    entries = [e for e in tables(options.folder) if not wanted or e["name"] in wanted]
    for entry in entries:
        if not (options.out / f"{entry['name']}.json").exists():
            run(entry, options.folder / entry["file"], options.time, options.out)
            print(line(entry, options.out), flush=True)
    head = "table metric network constant linear k-NN boosting LightGBM verdict usable_s seconds"
    print("\n| " + " | ".join(head.split()) + " |\n|" + "---|" * len(head.split()))
    for entry in entries:
        print(line(entry, options.out))
    head = "table metric champion linear boosting ahead_of_linear_where_boosting_is"
    print("\n| " + " | ".join(head.split()) + " |\n|" + "---|" * len(head.split()))
    for entry in entries:
        print(champion_line(entry, options.out))


if __name__ == "__main__":
    main()
