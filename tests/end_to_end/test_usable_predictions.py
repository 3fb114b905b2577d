"""A whole study leaves probabilities and intervals that people can use, and says what they are
worth; the temperature is fixed before the test set is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import justright
from justright.store.opening import open_store

ROWS = 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose labels are ever more often wrong as time goes by: what was learned from the
    rows before is too sure of the rows after. Every ninth row has no target.
    """
    folder = tmp_path_factory.mktemp("usable")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 2))
    wrong = rng.random(ROWS) < np.linspace(-0.1, 0.4, ROWS)
    y = (x[:, 0] + x[:, 1] > 0) != wrong
    labels = pl.Series(np.where(y, "yes", "no")).set(pl.Series(np.arange(ROWS) % 9 == 4), None)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "day": np.arange(ROWS), "y": labels})
    frame.write_csv(folder / "coins.csv")
    granted = {"start recipe steps": 500, "final 0": 100, "own length steps": 0}
    (folder / "plan.json").write_text(json.dumps({"version": 1, "granted": granted}))
    justright.fit(
        folder / "coins.csv",
        target="y",
        time="10s",
        time_column="day",
        drop=["day"],
        work=folder / "plan.json",
        studies=folder / "studies",
    )
    return folder


def facts(folder: Path, *keys: str) -> list[Any]:
    with open_store(folder / "studies") as store:
        return [store.ledger.fact("coins", key) for key in keys]


def test_the_overconfident_network_was_cooled_down(folder: Path) -> None:
    told, test = facts(folder, "calibration", "test")
    assert told["kept"]
    assert told["temperature"] > 1.2
    assert told["log_loss"][1] < told["log_loss"][0]
    model = justright.load(folder / "studies/coins/model")
    target = json.loads((model.folder / "preprocessing.json").read_text())["target"]
    assert target["temperature"] == told["temperature"]
    with open_store(folder / "studies") as store:
        (decision,) = [d for d in store.ledger.decisions("coins") if d.stage == "calibration"]
    assert decision.measured["temperature"] == told["temperature"]
    assert test["methods"][0]["name"] == "network"


def test_the_test_scores_are_those_of_what_was_handed_over(folder: Path) -> None:
    study = justright.Study(folder / "studies/coins")
    oof = study.oof
    assert oof["row"].to_list() == list(range(ROWS))
    gone = np.arange(ROWS) % 9 == 4
    assert oof.filter(pl.Series(gone))["y"].null_count() == gone.sum()
    (test,) = facts(folder, "test")
    tested = np.flatnonzero(~gone)[-test["rows"] :]  # the last in time
    assert oof["trainings"].gather(tested).sum() == 0
    assert oof["trainings"].gather(np.flatnonzero(~gone)[-test["rows"] - 1]).sum() == 1
    frame = pl.read_csv(folder / "coins.csv")[tested]
    own = study.model.evaluate(frame)["log_loss"]
    assert test["methods"][0]["scores"]["log_loss"] == pytest.approx(own, rel=1e-9)
    sets = study.model.predict(frame, interval=0.9)["y_set"]
    hits = [label in held for label, held in zip(frame["y"], sets, strict=True)]
    (told,) = facts(folder, "intervals")
    by_level = {each["level"]: each["coverage"][0] for each in told["levels"]}
    assert by_level[0.9] == pytest.approx(np.mean(hits))
    assert by_level[0.8] <= by_level[0.9] <= by_level[0.95]


def test_report_and_card_say_it(folder: Path) -> None:
    study = justright.Study(folder / "studies/coins")
    card = (study.model.folder / "card.md").read_text()
    assert "## Uncertainty" in card
    assert "Logits are divided by" in card
    assert "Sets of classes of 90% hold" in card
    report = study.report.read_text()
    assert "The network was overconfident" in report
    verdict = study.verdict
    assert verdict["calibration"]["kept"]
    assert [each["level"] for each in verdict["intervals"]["levels"]] == [0.8, 0.9, 0.95]
