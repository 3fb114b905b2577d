"""Decisions of the stages that follow a rule: what is told of them, and when nothing is."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest

from justright.core.decision import Decision
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.findings.diagnose import diagnose_champion
from justright.designer.stages.finish import finish
from justright.designer.stages.stage_decisions import (
    record_baselines,
    record_left_out,
    record_verdict,
)
from justright.designer.work.admission import Admission
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Arm, Session
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe


def decisions(session: Session, stage: str) -> list[Decision]:
    return [each for each in session.store.ledger.decisions("s") if each.stage == stage]


def rival(name: str, score: float) -> Rival:
    spec = TrialSpec("baseline", name, "baselines", {}, "fold-0", 0, 0)
    return Rival(name, (Trial(spec, TrialState.DONE, {"scores": {"rmse": score}}),))


def test_the_best_baseline_with_a_score_is_the_one_to_beat(session: Session) -> None:
    scores = {"constant": 2.0, "linear": 0.5, "knn": nan}
    record_baselines(session, {name: rival(name, score) for name, score in scores.items()})
    (made,) = decisions(session, "baselines")
    assert made.choice.startswith("linear")
    assert "best of 2" in made.reason
    assert made.measured == {"constant": 2.0, "linear": 0.5}


def test_without_a_baseline_nothing_is_to_be_beaten(session: Session) -> None:
    record_baselines(session, {"knn": rival("knn", nan)})
    assert not decisions(session, "baselines")


def test_a_stage_that_did_something_is_not_told_as_left_out(session: Session) -> None:
    session.fact("rate", {"prior": 0.1, "race": {"tried": 0.2}, "reason": "no time for another"})
    session.fact("size", {"reason": "no time"})
    for _ in range(2):  # a study that goes on tells it once
        record_left_out(session)
    assert not decisions(session, "rate")
    assert not decisions(session, "sanity")
    (size,) = decisions(session, "size")
    assert (size.choice, size.reason) == ("left out", "no time")


@pytest.mark.parametrize("time", [True, False])
def test_what_is_handed_over_is_told_with_its_rows(session: Session, time: bool) -> None:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 8, rate=0.01), 60)
    champion = trained(session, arm)
    admission = Admission(session, 0.0)
    if not time:
        session.plan.granted["final 0"] = 0
    final = finish(session, champion, admission)
    assert final.refitted is time
    (made,) = decisions(session, "final training")
    rows = [len(final.block.train), len(session.blocks.splits.rest)]
    assert f"{rows[0]:,} rows" in made.choice
    assert ("instead of" in made.choice) is time
    if time:
        assert rows[0] == rows[1] == made.measured["rows"]
        assert made.measured["steps"] == final.trial.result["steps"]
    else:
        assert made.reason == "no time for another training"


def test_the_state_is_told_with_what_to_do(session: Session) -> None:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 8, rate=0.01), 60)
    diagnose_champion(session, trained(session, arm), {}, 0.01)
    (made,) = decisions(session, "state")
    fact = session.store.ledger.fact("s", "state") or {}
    assert fact["state"] in made.choice
    assert fact["action"] in made.choice
    assert made.reason == fact["reason"]


def test_the_verdict_is_that_of_the_headline(session: Session) -> None:
    own: dict[str, Any] = {
        "word": "beats", "against": "LightGBM", "source": "locked test", "score": 1.0,
        "low": 0.9, "high": 1.1, "difference": 0.2, "difference_low": 0.1,
        "difference_high": nan,
    }  # fmt: skip
    compared = [{"title": "LightGBM", "source": "Student's t, 206 rows"}]
    record_verdict(session, {"headline": own, "comparisons": compared})
    (made,) = decisions(session, "verdict")
    assert made.choice == "the network beats LightGBM"
    assert "Student's t" in made.source
    assert made.measured["ahead by"] == 0.2
    assert "ahead by, high" not in made.measured
    nothing = {"headline": own | {"word": ""}, "comparisons": compared}
    record_verdict(session, nothing)
    assert len(decisions(session, "verdict")) == 1
