"""The comparison with peers: same rows, honest words, late processes are killed."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from justright.statistics.intervals import Sample
from justright.statistics.metrics import metric_named

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ROWS = 400


@pytest.fixture(scope="module", autouse=True)
def _path() -> Iterator[None]:
    sys.path.append(str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.fixture
def case(tmp_path: Path):
    """A table with one column of each kind that a peer gets, and a number that is text."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    words = np.array(["red apple", "green pear", "blue plum", "old quince"])
    days = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2022, 1, 1), "1d", eager=True)
    frame = pl.DataFrame(
        {
            "x": x,
            "money": [f"${1000 + place:,}" for place in rng.integers(0, 9000, ROWS)],
            "colour": [("red", "green", None)[place] for place in rng.integers(0, 3, ROWS)],
            "flag": rng.random(ROWS) < 0.5,
            "day": days.sample(ROWS, seed=0),
            "note": [
                f"{words[a]} and {words[b]} number {place} of the year"
                for place, (a, b) in enumerate(rng.integers(0, 4, (ROWS, 2)))
            ],
            "y": np.where(x + 0.3 * rng.normal(size=ROWS) > 0, "up", "down"),
        }
    )
    path = tmp_path / "made.parquet"
    frame.write_parquet(path)
    return module("field_cases").Case("made", path, ("y",))


def keep(out: Path, case, method: str, prediction: np.ndarray | None, **figures) -> None:
    """What a run of a method leaves."""
    rows = figures.pop("rows", case.splits.test)
    found = {"state": "done", "error": "", "seconds": 2.0, "all_processor_s": 1.5} | figures
    (out / case.name).mkdir(parents=True, exist_ok=True)
    if prediction is not None:
        np.savez(out / case.name / f"{method}.npz", prediction=prediction, rows=rows)
    (out / case.name / f"{method}.json").write_text(json.dumps(found))


def predictions(case, strength: float) -> np.ndarray:
    """Probabilities that lean to the truth by `strength`, with a little noise."""
    y = case.sample().y
    lean = strength * (2 * y - 1) + np.random.default_rng(1).normal(size=len(y))
    p = 1.0 / (1.0 + np.exp(-lean))
    return np.stack([1.0 - p, p], axis=1)


def test_a_peer_gets_the_rows_of_a_study_and_no_test_targets(case, tmp_path: Path) -> None:
    folder = tmp_path / "case"
    module("field_cases").write_case(case, folder)
    about = json.loads((folder / "about.json").read_text())
    train, test = (pl.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    assert about["classes"] == ["down", "up"]
    assert about["metric"] == "log_loss"
    assert "money" in about["numbers"]
    assert about["dates"] == ["day"]
    assert about["texts"] == ["note"]
    assert set(about["categories"]) == {"colour", "flag"}
    assert "y" in train.columns
    assert "y" not in test.columns
    whole, table = case.splits, case.problem.table.frame
    assert np.array_equal(np.sort(np.concatenate([whole.rest, whole.test])), np.arange(ROWS))
    assert np.allclose(train["x"], table["x"].to_numpy()[whole.rest])
    assert np.allclose(test["x"], table["x"].to_numpy()[whole.test])
    assert train["money"].dtype == pl.Float64
    assert np.array_equal(train["y"].to_numpy(), case.problem.target()[whole.rest])


def test_a_peer_runs_in_its_own_process_and_is_better_than_chance(case, tmp_path: Path) -> None:
    runs, out, envs = module("field_runs"), tmp_path / "out", tmp_path / "envs"
    python = envs / "boosting" / "bin" / "python"  # this interpreter stands for the environment's
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (envs / "boosting" / "built.txt").write_text("")
    found = runs.fit_peer(runs.PEERS["histgb"], case, envs, out, runs.Limits(60.0, 0, 1))
    assert found["state"] == "done", found["error"]
    assert found["bytes"] > 1000
    assert 0.0 < found["fit_s"] < found["seconds"]
    field = module("field_report").read_field(case, out, ["histgb"])
    assert field.entries["histgb"].score.estimate < 0.55  # a coin has 0.69


@pytest.mark.parametrize("name", ["rmse", "r2"])
def test_words_follow_the_direction_of_the_metric(name: str) -> None:
    compared, metric = module("field_report").compared, metric_named(name)
    rng = np.random.default_rng(0)
    y = rng.normal(size=(500, 1))
    near, far = (y + size * rng.normal(size=y.shape) for size in (0.3, 0.6))
    constant = metric(y, np.zeros_like(y))
    sample = Sample(y)
    assert compared(metric, sample, near, far, constant).word == "better"
    assert compared(metric, sample, far, near, constant).word == "worse"
    same = compared(metric, sample, near, near, constant)
    assert same.word == "tie"
    assert same.errors == 0.0


def test_the_summary_counts_what_was_planted(case, tmp_path: Path) -> None:
    report = module("field_report")
    ours = "justright 60s"
    strengths = {ours: 2.0, "histgb": 2.0, "lightgbm": 0.5, "sklearn_mlp": 0.5, "realmlp": 6.0}
    own = {"against": "boosting", "difference": -3.0, "low": -4.96, "high": -1.04}
    for method, strength in strengths.items():
        extra = {"comparisons": [own]} if method == ours else {}
        prediction = predictions(case, strength)
        keep(tmp_path, case, method, prediction, fit_s=1.0, predict_s=0.1, **extra)
    keep(tmp_path, case, "fastai", None, state="did not finish")
    field = report.read_field(case, tmp_path, [ours, *report.PEERS])
    words = {name: each.word for name, each in field.against[ours].items()}
    assert words["lightgbm"] == words["sklearn_mlp"] == "better"
    assert words["histgb"] == "tie"
    assert words["realmlp"] == "worse"
    assert report.best_or_tied([field], ours, ["sklearn_mlp", "fastai"]) == [True]
    assert report.best_or_tied([field], ours, ["sklearn_mlp", "fastai", "realmlp"]) == [False]
    assert report.best_or_tied([field], ours, ["sklearn_mlp", "tabm"]) == []  # tabm was not run
    keep(tmp_path, case, "tabm", None, state="failed")
    failed = report.read_field(case, tmp_path, [ours, *report.PEERS])
    assert report.best_or_tied([failed], ours, ["sklearn_mlp", "tabm"]) == []
    assert report.near_boosting([field], ours) == {"made": 0.0}
    assert report.near_own_boosting([field], ours) == {"made": pytest.approx(-3.0)}
    text = report.report([case], tmp_path)
    assert "best or tied among single networks (sklearn_mlp, realmlp, fastai): 0 of 1" in text
    assert "within 1 SE of the better of histgb and lightgbm: 1 of 1" in text
    assert "made to realmlp" in text
    assert "| fastai | 1 | 0 | 0 | 0 | 1 | 0 |" in text


def test_predictions_of_other_rows_are_refused(case, tmp_path: Path) -> None:
    prediction = predictions(case, 1.0)
    keep(tmp_path, case, "histgb", prediction, rows=case.splits.test + 1)
    with pytest.raises(RuntimeError, match="predicted other rows"):
        module("field_report").read_field(case, tmp_path, ["histgb"])


def test_a_study_of_other_rows_is_refused(case) -> None:
    check, metric = module("field_runs").check_same_rows, metric_named("log_loss")
    prediction, y = predictions(case, 1.0), case.sample().y
    verdict = {"metric": {"name": "log_loss"}, "test": {"score": metric(y, prediction)}}
    check(case, prediction, verdict)
    with pytest.raises(RuntimeError, match="on these test rows"):
        check(case, prediction[::-1], verdict)
    with pytest.raises(RuntimeError, match="the study says rmse"):
        check(case, prediction, verdict | {"metric": {"name": "rmse"}})


@pytest.mark.parametrize(
    ("prediction", "late", "state"),
    [
        (np.full((100, 2), 0.5), -5.0, "done"),
        (np.full((100, 2), 0.5), 60.0, "did not finish"),
        (np.full((99, 2), 0.5), -5.0, "failed"),
        (np.full((100, 2), np.nan), -5.0, "failed"),
    ],
)
def test_only_whole_and_timely_predictions_count(case, prediction, late, state) -> None:
    assert len(case.splits.test) == 100
    assert module("field_runs").accepted(prediction, case, late)["state"] == state


def test_a_late_process_is_killed_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; "
    code += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    code += "open('child', 'w').write(str(child.pid)); time.sleep(60)"
    ends = {tmp_path / "fitted": 1.5}
    found = module("field_runs").guarded([sys.executable, "-c", code], {}, tmp_path, ends)
    assert found["state"] == "did not finish"
    assert found["seconds"] < 20.0
    stat = Path("/proc") / (tmp_path / "child").read_text() / "stat"
    ends_at = time.monotonic() + 10.0
    while stat.exists() and " Z " not in stat.read_text() and time.monotonic() < ends_at:
        time.sleep(0.05)
    assert not stat.exists() or " Z " in stat.read_text()


def test_a_failed_process_says_why(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "raise SystemExit('no such column')"]
    found = module("field_runs").guarded(words, {}, tmp_path, {tmp_path / "fitted": 30.0})
    assert (found["state"], found["error"]) == ("failed", "no such column")


def test_environments_with_cuda_are_seen() -> None:
    cuda = module("field_envs").cuda_packages
    assert cuda("torch==2.13.0\nnvidia-cublas==13.1\ntriton==3.6\n")
    assert not cuda("torch==2.13.0+cpu\nlightgbm==4.7.0\n")
