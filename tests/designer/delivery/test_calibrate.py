"""Temperature and intervals of a study: planted faults are found, and a kill changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from conftest import NewSession
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.delivery.calibrate import calibrate, measure_coverage
from justright.designer.delivery.deliver import deliver, predict_test
from justright.designer.work.champion import usable
from justright.designer.work.session import Arm, Champion, Session, results
from justright.recipe.recipe import Recipe
from justright.statistics.temperature import scaled
from justright.store.base import AbstractStore
from justright.testing.recipes import plain_recipe

NONE = "no repetitions"
KEYS = ("calibration", "out of fold")


def coins(rows: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Classes that are drawn from known probabilities."""
    rng = np.random.default_rng(0)
    z = 2 * rng.normal(size=rows)
    chance = 1 / (1 + np.exp(-z))
    y = np.where(rng.random(rows) < chance, "yes", "no")
    return pl.DataFrame({"z": z, "y": y}), np.stack([1 - chance, chance], axis=1)


def planted(new_session: NewSession, temperature: float) -> tuple[Session, Champion]:
    """A study whose trainings know the probabilities, but are too sure of them."""
    frame, chances = coins(900)
    session = new_session(frame=frame)
    arm = Arm("planted", Recipe(preprocessing=session.blocks.spec), 100)
    trials = []
    for number in session.blocks.first:
        block = session.blocks.block(number, session.blocks.spec)
        told = scaled(chances[session.blocks.splits.rest[block.validation]], 1 / temperature)
        np.save(session.folder.trials / f"{number}.npy", told)
        spec = TrialSpec("network", "planted", "champion", {}, block.partition, number, 100)
        trials.append(Trial(spec, TrialState.DONE, {"predictions": f"{number}.npy"}))
    return session, Champion(arm, tuple(trials), 0.0)


def fact(session: Session, key: str) -> Mapping[str, Any]:
    found = session.store.ledger.fact(session.name, key)
    assert found is not None
    return found


def test_planted_overconfidence_is_taken_out(new_session: NewSession) -> None:
    session, champion = planted(new_session, 3.0)
    made = calibrate(session, champion, NONE)
    told = fact(session, "calibration")
    assert made.temperature == told["temperature"] == pytest.approx(3.0, rel=0.2)
    assert told["log_loss"][1] < told["log_loss"][0]
    assert told["error"][1] < 0.5 * told["error"][0]
    (decision,) = session.store.ledger.decisions(session.name)
    assert decision.choice == f"all logits are divided by {made.temperature:.3g}"
    made = pl.read_parquet(session.folder.out_of_fold)
    chances = coins(900)[1][made.drop_nulls()["row"].to_numpy()]
    np.testing.assert_allclose(made.drop_nulls()["p(yes)"], chances[:, 1], atol=0.05)


def test_calibrated_probabilities_stay(new_session: NewSession) -> None:
    session, champion = planted(new_session, 1.0)
    assert calibrate(session, champion, NONE).temperature == 1.0
    (decision,) = session.store.ledger.decisions(session.name)
    assert decision.choice == "probabilities stay as they are"
    assert "no gain beyond noise" in fact(session, "calibration")["reason"]


def trained(session: Session, confirmed: int) -> tuple[Champion, Arm]:
    """A champion on the screening blocks, and so many blocks that confirmed it."""
    recipe = plain_recipe(session.blocks.spec, 8, batch=64)
    arm, blocks = Arm("plain", recipe, 40), session.blocks
    jobs = session.train(arm, "champion", [blocks.block(n, blocks.spec) for n in blocks.first])
    own = usable(results(session.run(jobs), jobs))
    assert own
    fresh = [blocks.block(n, blocks.spec) for n in range(5, 5 + confirmed)]
    if fresh:
        session.run(session.train(arm, "round 1/confirm", fresh))
    return Champion(arm, own, session.measure(own)), arm


def handed_over(session: Session) -> dict[str, Any]:
    """All that follows from the rows held out, and what the test set says of it."""
    champion, arm = trained(session, 5)
    calibrated = calibrate(session, champion, NONE)
    deliver(session, arm, champion.trials[0], 0, calibrated)
    measure_coverage(session, predict_test(session).prediction)
    store: AbstractStore = session.store
    return {key: store.ledger.fact(session.name, key) for key in (*KEYS, "intervals")} | {
        "oof": pl.read_parquet(session.folder.out_of_fold),
        "errors": (session.folder.model / "weights.safetensors").read_bytes(),
    }


def test_a_study_that_is_killed_and_resumed_leaves_the_same(new_session: NewSession) -> None:
    """It dies after the screening; then everything is done again, what is finished not twice."""
    whole = handed_over(new_session("whole"))
    first = new_session("killed")
    trained(first, 0)
    known = {trial.spec.id for trial in first.store.trials.list("killed")}
    second = new_session("killed", store=first.store)
    again = handed_over(second)
    assert known < {trial.spec.id for trial in second.store.trials.list("killed")}
    assert whole.pop("oof").equals(again.pop("oof"))
    assert whole == again
    assert whole["out of fold"] == {"rows": 300, "never": 0, "trainings": [2, 2], "repeated": 0}


def test_coverage_is_measured_on_the_test_rows(new_session: NewSession) -> None:
    session = new_session()
    made = handed_over(session)["intervals"]
    assert [each["level"] for each in made["levels"]] == [0.8, 0.9, 0.95]
    assert made["test_rows"] == len(session.blocks.splits.test) == 100
    for each in made["levels"]:
        assert each["low"][0] < each["level"] < each["high"][0]
        assert each["low"][0] < each["coverage"][0] < each["high"][0]
    widths = [each["width"][0] for each in made["levels"]]
    assert 0 < widths[0] < widths[1] < widths[2]


def test_coverage_is_that_of_its_thirds_together(new_session: NewSession) -> None:
    """Planted: errors grow with the value, and one width is too narrow where it is large."""
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 1, 900)
    frame = pl.DataFrame({"a": a, "y": 10 * a + 3 * a**2 * rng.normal(size=900)})
    made = handed_over(new_session(frame=frame))["intervals"]
    for each in made["levels"]:
        (thirds,) = each["thirds"]
        assert [third["third"] for third in thirds] == ["lowest", "middle", "highest"]
        rows = [third["rows"] for third in thirds]
        assert sum(rows) == made["test_rows"]
        together = np.average([third["coverage"] for third in thirds], weights=rows)
        assert together == pytest.approx(each["coverage"][0], abs=1e-9)
    low, _, high = made["levels"][0]["thirds"][0]
    assert low["low"] > 0.8 > high["high"]


def test_what_breaks_exchangeability_is_said(new_session: NewSession) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"a": rng.normal(size=400), "day": np.arange(400.0), "w": rng.random(400)}
    ).with_columns(y=pl.col("a") + pl.col("day") / 400)
    session = new_session(frame=frame, roles={"time_column": "day", "weight": "w"})
    said = " ".join(handed_over(session)["intervals"]["remarks"])
    assert "Later rows may differ" in said
    assert "Row weights do not count" in said
    assert "slightly wide" in said
