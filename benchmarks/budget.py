"""Where the worker-seconds of finished studies went, stage by stage.

    python benchmarks/budget.py benchmarks/out/tables/studies diabetes letter flights_late
    python benchmarks/budget.py "benchmarks/out/field/work/*/justright-5m/studies"

Takes the folder of the studies and their names. A cell is worker-seconds and, in brackets, how
many networks (of the baselines: fits) they trained; networks of one stack share its seconds.
Without names: of all studies in the folders that a pattern matches, the share of each stage.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from justright.core.trial import Trial
from justright.store.opening import STORE_FILE, open_store

STAGES = {
    "baselines": "baselines",
    "champion": "champion",
    "noise": "noise",
    "rate": "learning rate",
    "size/ladder": "size: ladder",
    "size/length": "size: full length",
    "size/shape": "size: shapes",
    "size/confirm": "size: confirmation",
    "round": "ideas and confirmation",
    "own members": "members and own length",
    "own length": "own length",
    "final": "final network",
    "headline": "repeated cross-validation",
    "whole gain": "whole gain of the ideas",
    "forecast": "more data",
}
"""Words for the beginnings of stages, in their order."""


@dataclass
class Spent:
    """What one stage of one study took."""

    seconds: set[float] = field(default_factory=set)
    trainings: int = 0

    def add(self, seconds: float) -> None:
        """Count a training; those of one stack carry the very same seconds."""
        self.seconds.add(seconds)
        self.trainings += 1

    def __str__(self) -> str:
        return f"{sum(self.seconds):.1f} ({self.trainings})" if self.trainings else "–"


def word_of(trial: Trial) -> str:
    """The stage that a trial is counted under."""
    if trial.spec.stage == "final" and trial.spec.kind == "baseline":
        return STAGES["baselines"]
    found = [word for start, word in STAGES.items() if trial.spec.stage.startswith(start)]
    return found[0] if found else "other"


def spent_by_stage(trials: Iterable[Trial]) -> dict[str, Spent]:
    """Worker-seconds and trainings of each stage; a stack's seconds count once."""
    found: dict[str, Spent] = defaultdict(Spent)
    for trial in trials:
        seconds = trial.result.get("seconds")
        if seconds is not None:
            found[word_of(trial)].add(seconds)
    return found


def show_shares(folders: Sequence[Path]) -> None:
    """Print each stage's share of the worker-seconds, over all studies of some folders."""
    shares: dict[str, list[float]] = defaultdict(list)
    count = 0
    for folder in (each for each in folders if (each / STORE_FILE).is_file()):
        with open_store(folder / STORE_FILE) as store:
            for head in store.studies.heads():
                spent = spent_by_stage(store.trials.list(head.name))
                whole = sum(sum(each.seconds) for each in spent.values())
                if not whole:
                    continue
                count += 1
                for word, each in spent.items():
                    shares[word].append(sum(each.seconds) / whole)
    if not count:
        raise SystemExit(
            f"no study in {', '.join(map(str, folders)) or 'what the pattern matches'}"
        )
    heads = ("stage", f"of {count} studies", "mean share", "where it was, least to most")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for word in (*dict.fromkeys(STAGES.values()), "other"):
        if own := shares.get(word):
            mean, least, most = sum(own) / count, min(own), max(own)
            print(f"| {word} | {len(own)} | {mean:.0%} | {least:.0%} to {most:.0%} |")


def main() -> None:
    """Print one column for each study, or the shares over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not options.names:
        show_shares([Path(found) for found in sorted(glob(options.studies))])
        return
    with open_store(Path(options.studies) / STORE_FILE) as store:
        columns = [spent_by_stage(store.trials.list(name)) for name in options.names]
    print("| worker-seconds (trainings) | " + " | ".join(options.names) + " |")
    print("|---|" + "---|" * len(options.names))
    for word in (*dict.fromkeys(STAGES.values()), "other"):
        cells = [str(column.get(word, Spent())) for column in columns]
        if any(cell != "–" for cell in cells):
            print(f"| {word} | " + " | ".join(cells) + " |")
    whole = [
        f"{sum(sum(spent.seconds) for spent in column.values()):.1f} "
        f"({sum(spent.trainings for spent in column.values())})"
        for column in columns
    ]
    print("| all | " + " | ".join(whole) + " |")


if __name__ == "__main__":
    main()
