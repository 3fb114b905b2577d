"""A study from file to verdict, as a user runs it: the command line in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.core.idea import Idea, Prediction
from justright.store.opening import open_store
from justright.testing.commands import justright
from justright.views.numbers import significant
from justright.views.registry import sections

LIMIT_S = 25
SLACK_S = 2.0

CHOOSING = {"knn", "boosting"}
"""Baselines that look at the clock for what they choose."""


def make_table(path: Path, rows: int = 700) -> pl.DataFrame:
    """y = x₀ x₁ + 2·[colour is red] + noise: a network can learn it, a line cannot."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 3))
    colour = rng.choice(["red", "green", "blue"], rows)
    y = x[:, 0] * x[:, 1] + 2.0 * (colour == "red") + 0.1 * rng.normal(size=rows)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": colour, "y": y})
    frame.write_csv(path)
    return frame


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table and a finished study of it."""
    folder = tmp_path_factory.mktemp("study")
    make_table(folder / "toy.csv")
    began = time.time()
    done = justright("fit", "toy.csv", "--target", "y", "--time", f"{LIMIT_S}s", cwd=folder)
    (folder / "seconds").write_text(str(time.time() - began))
    (folder / "stdout").write_text(done.stdout)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_time_limit_is_kept(finished: Path) -> None:
    assert float((finished / "seconds").read_text()) <= LIMIT_S + SLACK_S


def test_the_folder_is_complete(finished: Path) -> None:
    study = finished / "studies" / "toy"
    for name in ("report.html", "verdict.json", "work.json", "model/network.py"):
        assert (study / name).stat().st_size > 100, name
    assert not (study / "cache").exists()


def test_the_verdict_names_every_method_with_an_interval(finished: Path) -> None:
    verdict = json.loads((finished / "studies/toy/verdict.json").read_text())
    assert verdict["network"]["scores"]["rmse"] < 0.5
    assert "check-failed" not in {finding["code"] for finding in verdict["findings"]}
    names = {entry["name"] for entry in verdict["baselines"]}
    assert {"constant", "linear", "knn", "boosting"} <= names
    words = {entry["against"]: entry["word"] for entry in verdict["comparisons"]}
    assert words["constant"] == words["linear"] == "beats"


def test_the_screen_ends_with_verdict_and_report(finished: Path) -> None:
    lines = (finished / "stdout").read_text().splitlines()
    assert any(line.startswith("Network") and "beats" in line for line in lines)
    assert "report.html" in lines[-1]


def test_every_step_is_a_decision_that_explain_tells_in_order(finished: Path) -> None:
    with open_store(finished / "studies") as store:
        made = store.ledger.decisions("toy")
        test = store.ledger.fact("toy", "test") or {}
        done = {key: store.ledger.fact("toy", key) or {} for key in ("sanity", "rate", "size")}
    stages = list(dict.fromkeys(decision.stage for decision in made))
    way = ["split", "recipe", "baselines", "statistics", "state", "final training", "verdict"]
    assert [stage for stage in stages if stage in way] == way
    for stage in done:  # done, or left out with its reason
        told = [decision.choice for decision in made if decision.stage == stage]
        assert ("left out" in told) == ("reason" in done[stage]), (stage, told)
    assert made[-1].choice == f"the network {test['word']} {test['against']}"
    told = justright("explain", "toy", cwd=finished).stdout
    place = -1
    for decision in made:  # two batches of ideas may be ordered in the same words
        place = told.index(f"{decision.stage}: {decision.choice[:40]}", place + 1)


def test_explain_tells_one_stage_or_one_idea(finished: Path, tmp_path: Path) -> None:
    """Of a copy with an idea of its own: on a busy machine there is no time for any."""
    shutil.copytree(finished / "studies", tmp_path / "studies")
    told = justright("explain", "toy", "--stage", "recipe", cwd=tmp_path).stdout.splitlines()
    heads = [line for line in told if not line.startswith(" ")]
    assert len(heads) > 3
    assert all(line.startswith("recipe: ") for line in heads)
    prediction = Prediction(helps=0.37, gain=(0.01, 0.02, 0.04), seconds=1.0)
    idea = Idea("mine", "body", {"shape.body": "residual"}, prediction, "a source of 1999", "me")
    with open_store(tmp_path / "studies") as store:
        store.ideas.add("toy", idea)
    told = " ".join(justright("explain", "toy", "--idea", "mine", cwd=tmp_path).stdout.split())
    for part in ("mine", "37%", "shape.body = residual", "a source of 1999", "not run"):
        assert part in told


@pytest.mark.parametrize("words", [("--stage", "recipes"), ("--idea", "nothing of the kind")])
def test_what_explain_does_not_know_is_one_line(finished: Path, words: tuple[str, str]) -> None:
    done = justright("explain", "toy", *words, cwd=finished)
    assert done.returncode == 2
    assert repr(words[1]) in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_what_is_called_validation_is_the_champions_not_of_training_rows(finished: Path) -> None:
    """The final network saw every row but the test rows: it has no validation score."""
    with open_store(finished / "studies") as store:
        champion = store.ledger.fact("toy", "champion")
        trials = store.trials.list("toy")
        cards = {part.name: part.card for part in sections(store, "toy")}
    finals = [t for t in trials if (t.spec.kind, t.spec.stage) == ("network", "final")]
    assert all(final.result["scores"] == {} for final in finals)  # none on a busy machine
    assert champion is not None
    rmse = champion["validation"]["rmse"]
    card = (finished / "studies/toy/model/card.md").read_text()
    assert f"On validation rows: rmse {rmse:.4g}," in card
    shown = cards["recipes"]
    assert shown is not None
    assert shown.table is not None
    assert [row[4] for row in shown.table.rows if row[2] == "final"] == ["–"] * len(finals)
    for final in finals:
        assert f"is {significant(final.result['loss'])} (" not in shown.claim


def test_predicting_a_file_equals_the_reported_score(finished: Path) -> None:
    out = finished / "predictions.csv"
    done = justright("predict", "studies/toy/model", "toy.csv", "--out", str(out), cwd=finished)
    assert done.returncode == 0, done.stderr
    predicted = pl.read_csv(out)
    truth = pl.read_csv(finished / "toy.csv")
    assert predicted.height == truth.height
    error = (predicted["y"] - truth["y"]).pow(2).mean()
    assert error is not None
    assert float(error) < 0.25  # type: ignore[arg-type]
    done = justright("evaluate", "studies/toy/model", "toy.csv", "--json", cwd=finished)
    assert json.loads(done.stdout)["rmse"] == pytest.approx(float(error) ** 0.5, rel=1e-6)  # type: ignore[arg-type]


def test_the_model_runs_without_the_package(finished: Path) -> None:
    """network.py needs torch and numpy, and nothing of ours."""
    code = (
        "import sys, numpy as np\n"
        "sys.modules['justright'] = None\n"
        "import network\n"
        "model = network.load('.')\n"
        "columns = {'a': np.array([1.0]), 'b': np.array([2.0]), 'c': np.array([0.0]),"
        " 'colour': np.array(['green'])}\n"
        "print(float(np.ravel(model.predict(columns))[0]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished / "studies/toy/model",
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(2.0, abs=0.7)


def test_other_data_under_the_same_name_are_refused(finished: Path, tmp_path: Path) -> None:
    make_table(tmp_path / "toy.csv", rows=300)
    done = justright("fit", str(tmp_path / "toy.csv"), "-t", "y", "--time", "20s", cwd=finished)
    assert done.returncode == 2
    assert "--name" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_studies_are_listed_and_the_report_can_be_written_again(finished: Path) -> None:
    listed = justright("studies", cwd=finished)
    assert "toy" in listed.stdout
    assert "beats" in listed.stdout
    report = finished / "studies/toy/report.html"
    before = report.stat().st_size
    report.unlink()
    assert justright("report", "toy", cwd=finished).returncode == 0
    assert report.stat().st_size == pytest.approx(before, rel=0.01)


def baselines(folder: Path, study: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    with open_store(folder / "studies") as store:
        return {
            (trial.spec.stage, trial.spec.subject, trial.spec.partition): trial.result
            for trial in store.trials.list(study)
            if trial.spec.kind == "baseline" and trial.state == "done"
        }


@pytest.fixture(scope="module")
def first(finished: Path) -> str:
    """The name of a study in which baselines chose by the clock: a busy machine needs longer."""
    for name, seconds in (("toy", LIMIT_S), ("longer", 60), ("longest", 120)):
        if name != "toy":
            words = ("--time", f"{seconds}s", "--name", name)
            done = justright("fit", "toy.csv", "-t", "y", *words, cwd=finished)
            assert done.returncode == 0, done.stderr
        found = baselines(finished, name)
        if {subject for (_, subject, _), result in found.items() if result["choice"]} >= CHOOSING:
            return name
    raise AssertionError("nothing depended on the clock")


@pytest.fixture(scope="module")
def again(finished: Path, first: str) -> dict[str, Any]:
    """The verdict on a repetition of that study by its plan, while something else computes."""
    words = ("--work", f"studies/{first}/work.json", "--name", "again", "--json")
    hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        done = justright("fit", "toy.csv", "-t", "y", *words, cwd=finished)
    finally:
        hog.kill()
        hog.wait()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_work_plan_is_repeated_to_the_same_decisions(
    finished: Path, first: str, again: dict[str, Any]
) -> None:
    before = json.loads((finished / f"studies/{first}/verdict.json").read_text())
    assert again["network"]["scores"]["rmse"] == before["network"]["scores"]["rmse"]
    assert [r["word"] for r in again["rounds"]] == [r["word"] for r in before["rounds"]]


def test_baselines_of_a_repetition_are_equal_under_another_load(
    finished: Path, first: str, again: dict[str, Any]
) -> None:
    """Bit for bit, also where the first study chose by the clock."""
    plan = json.loads((finished / f"studies/{first}/work.json").read_text())
    assert all(isinstance(amount, int) for amount in plan["granted"].values())
    before, after = baselines(finished, first), baselines(finished, "again")
    assert after.keys() == before.keys()
    for key, result in before.items():
        assert after[key]["scores"] == result["scores"], key
        assert after[key]["choice"] == result["choice"], key
        one, other = (np.load(finished / each["predictions"]) for each in (result, after[key]))
        assert np.array_equal(one, other), key
