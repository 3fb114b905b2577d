"""A study that decides on a function of the user's, and is told to show no values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.cli.main import main
from justright.core.errors import OptionError
from justright.model.predictor import Model
from justright.testing.commands import justright

ROWS, SECRET = 500, "Rosenheim"

PLAN = {
    "rows": ROWS,
    "start recipe steps": 200,
    "final 0": 100,
    "slices, labels and examples": 1,
}
"""Work without a clock, so that a busy machine does the same."""

HEADINGS = ("Intended use", "Data", "Quality", "Metrics", "Quality by slice", "Uncertainty")
HEADINGS += ("Training", "Limits", "Ethical considerations", "How to reproduce")

MODULE = '''
import numpy as np

def far_off(truth, prediction):
    """Nine of ten errors are below it."""
    return float(np.quantile(np.abs(truth - prediction), 0.9))

def raises(truth, prediction):
    raise KeyError("profit")

def never(truth, prediction):
    return float("nan")
'''

ASKED = ("--metric", "mine:far_off", "--metric-direction", "lower", "--no-examples")


def write_table(path: Path) -> None:
    """A curve whose noise is much larger in one town."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, ROWS))
    town = rng.choice(["Bonn", "Kiel", SECRET], ROWS)
    spread = np.where(town == SECRET, 1.5, 0.1)
    y = np.sin(2 * a) + b + spread * rng.normal(size=ROWS)
    pl.DataFrame({"a": a, "b": b, "town": town, "y": y}).write_csv(path)


def fit(folder: Path, *more: str) -> tuple[int, str, str]:
    done = justright(
        "fit", "towns.csv", "-t", "y", "--time", "10s", *more, cwd=folder, timeout=400.0
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study; what it said lies beside it."""
    folder = tmp_path_factory.mktemp("own")
    write_table(folder / "towns.csv")
    (folder / "mine.py").write_text(MODULE)
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": PLAN}))
    code, said, wrong = fit(folder, "--work", "plan.json", *ASKED)
    assert code == 0, wrong
    (folder / "stdout").write_text(said)
    return folder


def verdict(folder: Path) -> dict:
    return json.loads((folder / "studies/towns/verdict.json").read_text())


def test_the_function_decides_and_is_what_it_computes(study: Path) -> None:
    made = verdict(study)
    assert made["metric"] == {
        "name": "mine:far_off:lower",
        "title": "far off",
        "greater_is_better": False,
    }
    network = made["network"]
    assert network["low"] < network["score"] < network["high"]
    assert all(np.isfinite(b["score"]) for b in made["baselines"] if b["state"] == "done")
    assert {c["word"] for c in made["comparisons"]} <= {"beats", "ties with", "loses to"}
    assert "(regression, far off)" in (study / "stdout").read_text()
    # the same by hand, of the model folder that was handed over, on all rows
    frame = pl.read_csv(study / "towns.csv")
    predicted = Model.load(study / "studies/towns/model").predict(frame)["y"].to_numpy()
    whole = np.quantile(np.abs(frame["y"].to_numpy() - predicted), 0.9)
    assert network["score"] == pytest.approx(whole, rel=0.3)


def test_it_goes_on_by_the_name_and_not_under_another_metric(study: Path) -> None:
    before = verdict(study)["network"]["score"]
    code, _, wrong = fit(study, "--work", "plan.json", *ASKED)
    assert code == 0, wrong
    assert verdict(study)["network"]["score"] == before
    code, _, wrong = fit(study, "--work", "plan.json", "--no-examples")
    assert code == 2
    assert len(wrong.splitlines()) == 1


def test_no_value_of_a_cell_is_shown_anywhere(study: Path) -> None:
    made = verdict(study)
    assert made["slices"]["list"][0]["weak"]
    assert made["slices"]["list"][0]["columns"] == ["town"]
    folder = study / "studies/towns"
    explained = justright("explain", "towns", cwd=study).stdout
    assert explained
    shown = [(study / "stdout").read_text(), explained]
    shown += [(folder / name).read_text() for name in ("verdict.json", "report.html")]
    shown.append((folder / "model/card.md").read_text())
    assert not [text for text in shown if SECRET in text]


def test_the_card_has_every_section(study: Path) -> None:
    card = (study / "studies/towns/model/card.md").read_text()
    for heading in HEADINGS:
        assert f"## {heading}\n" in card
    assert verdict(study)["data"]["fingerprint"] in card


@pytest.mark.parametrize(
    ("metric", "direction", "said"),
    [
        ("mine:raises", "lower", "KeyError: 'profit'"),
        ("mine:never", "lower", "not a finite number"),
        ("mine:far_off", None, "no direction"),
        ("mine:far_off", "down", "the direction 'down'"),
        ("mine:missing", "lower", "cannot import"),
        ("rmse", "lower", "without a function"),
    ],
)
def test_faults_are_one_line_before_any_work(
    study: Path,
    metric: str,
    direction: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(study)
    monkeypatch.syspath_prepend(study)
    more = [] if direction is None else ["--metric-direction", direction]
    code = main(["fit", "towns.csv", "-t", "y", "--name", "new", "--metric", metric, *more])
    (line,) = capsys.readouterr().err.splitlines()
    assert code == OptionError.exit_code == 2
    assert said in line
    assert not (study / "studies/new").exists()
