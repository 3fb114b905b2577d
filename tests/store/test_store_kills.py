"""Writers that are killed lose nothing that was promised, and leave nothing half done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from store_workers import PIECES, POINTS, spec, value

from justright.core.trial import TrialState
from justright.store.opening import open_store

WORKERS = str(Path(__file__).with_name("store_workers.py"))
WRITERS, ROUNDS = 8, 40


def test_320_kills_lose_and_tear_nothing(tmp_path: Path) -> None:
    path = tmp_path / "justright.db"
    arguments = ["killer", str(path), str(WRITERS), str(ROUNDS), "0"]
    subprocess.run([sys.executable, WORKERS, *arguments], check=True, timeout=200)
    promises = [
        tuple(json.loads(line))
        for writer in range(WRITERS)
        for line in path.with_name(f"{path.name}.promised{writer}").read_text().splitlines()
    ]
    counts = Counter(promise[0] for promise in promises)
    assert counts["error"] == 0, [p for p in promises if p[0] == "error"]
    # The test means something only if many writers got to work before they were killed.
    assert counts["open"] > WRITERS * ROUNDS / 4
    assert counts["done"] > WRITERS * ROUNDS / 4
    assert max(Counter(p for p in promises if p[0] == "done").values()) == 1  # never run twice
    with open_store(path) as store:
        assert store.check() == ()
        for kind, *words in promises:
            if kind == "found":
                continue
            if kind == "open":
                assert store.studies.head(words[0]) is not None
                continue
            study, number = words
            steps, values = store.curves.read(study, spec(number).id, "x")
            assert steps.tolist() == list(range(POINTS))
            assert values.tolist() == [value(number, step) for step in range(POINTS)]
            if kind == "done":
                trial = store.trials.get(study, spec(number).id)
                assert (trial.state, trial.result) == (
                    TrialState.DONE,
                    {"value": value(number, 0)},
                )
        pieces = Counter(finding.code for finding in store.ledger.findings("all"))
        assert set(pieces.values()) == {PIECES}  # each batch is there as a whole
        assert {promise[1] for promise in promises if promise[0] == "found"} <= set(pieces)
        for study in (f"w{writer}" for writer in range(WRITERS)):
            states = [trial.state for trial in store.trials.list(study)]
            assert all(state is TrialState.DONE for state in states[:-1])
