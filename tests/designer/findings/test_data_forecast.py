"""Nested subsets of the training rows, trained only where time was granted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from justright.designer.findings.forecast import KEY, forecast_more_data
from justright.designer.timing.clock import Clock
from justright.designer.timing.work_plan import WorkPlan
from justright.designer.work.admission import Admission
from justright.designer.work.session import Arm, Champion, Session
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe

NewSession = Callable[..., Session]


def champion(session: Session) -> Champion:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 16, 16, rate=0.02), 200)
    return trained(session, arm)


@pytest.fixture(name="study")
def a_study(new_session: NewSession) -> Session:
    return new_session(plan=WorkPlan({"alone from": 10**6, KEY: 1005}, repeat=True))


def test_more_rows_are_less_loss(study: Session) -> None:
    best = champion(study)
    count = len(study.store.trials.list("s"))
    forecast_more_data(study, best, Admission(study, 1.0), 0.01)
    fact = study.store.ledger.fact("s", "forecast")
    assert fact is not None
    rows = fact["rows"]
    assert rows == [60, 120, 240]  # a quarter, a half, all: an eighth is too little
    mean = np.mean(fact["losses"], axis=0)
    assert mean[0] > mean[1] > mean[2]
    assert np.isclose(mean[2], best.loss)  # the champion's own trainings, not trained again
    trials = study.store.trials.list("s")[count:]
    assert len(trials) == 2 * 5
    assert {trial.spec.steps for trial in trials} == {50, 100}


def test_subsets_are_nested_and_of_training_rows(study: Session) -> None:
    seen: dict[str, list[np.ndarray]] = {}
    run = study.run

    def spy(jobs: object, *rest: object) -> object:
        for job in jobs:  # type: ignore[attr-defined]
            for block in job.blocks:
                seen.setdefault(block.partition.split(",")[0], []).append(block.train)
        return run(jobs, *rest)  # type: ignore[arg-type]

    best = champion(study)
    study.run = spy  # type: ignore[method-assign,assignment]
    forecast_more_data(study, best, Admission(study, 1.0), 0.01)
    assert len(seen) == 5
    for own in seen.values():
        whole, half, quarter = sorted(own, key=len, reverse=True)
        assert set(quarter) < set(half) < set(whole)
        assert len(half) == len(whole) // 2


def test_without_time_nothing_is_trained(new_session: NewSession) -> None:
    study = new_session(plan=WorkPlan({"alone from": 10**6}, repeat=True))
    best = champion(study)
    count = len(study.store.trials.list("s"))
    forecast_more_data(study, best, Admission(study, 1.0), 0.01)
    assert study.store.ledger.fact("s", "forecast") is None
    assert len(study.store.trials.list("s")) == count


def test_a_short_time_gets_a_third_of_the_length(new_session: NewSession) -> None:
    plan = WorkPlan({"alone from": 10**6, KEY: 3005}, repeat=True)
    study = new_session(plan=plan)
    best = champion(study)
    longer = Champion(replace(best.arm, steps=900), best.trials, best.loss)
    forecast_more_data(study, longer, Admission(study, 1.0), 0.01)
    trials = [t for t in study.store.trials.list("s") if t.spec.stage == "forecast"]
    assert {trial.spec.steps for trial in trials} == {300, 150, 75}


def test_the_clock_says_how_much_is_trained(new_session: NewSession) -> None:
    study = new_session()
    best = champion(study)
    forecast_more_data(study, best, Admission(study, 1.0), 0.01)
    assert study.plan.granted[KEY] == 1005
    late = new_session("late")
    best = champion(late)
    late.clock = Clock(late.clock.started - 595.0, 600.0, late.clock.slow)
    forecast_more_data(late, best, Admission(late, 1.0), 0.01)
    assert late.plan.granted[KEY] == 0
