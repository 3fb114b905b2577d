"""The final training, and the baselines that are refitted beside it or after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from justright.baselines.registry import BASELINES
from justright.core.trial import TrialState
from justright.designer.improvement.room import Room
from justright.designer.stages import finish as module
from justright.designer.stages.finish import finish
from justright.designer.work.admission import Admission
from justright.designer.work.crew import Crew
from justright.designer.work.session import Arm, Champion, Session
from justright.testing.champions import trained
from justright.testing.recipes import plain_recipe


@pytest.fixture
def champion(session: Session) -> Champion:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 16, 16, rate=0.01), 60)
    return trained(session, arm)


def test_on_one_worker_the_time_of_the_baselines_begins_when_the_network_is_done(
    session: Session, champion: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("justright.baselines.registry.BASELINES", BASELINES[:2])
    known: list[list[TrialState]] = []
    make = module._baselines

    def observed(*arguments: Any) -> Any:
        trials = session.store.trials.list("s")
        known.append([trial.state for trial in trials if trial.spec.stage == "final"])
        return make(*arguments)

    monkeypatch.setattr(module, "_baselines", observed)
    assert session.crew.capacity == 1
    final = finish(session, champion, Admission(session, 1.0))
    assert known == [[TrialState.DONE]]
    refitted: Mapping[str, Any] = final.baselines
    assert [trial.state for trial in refitted.values()] == [TrialState.DONE] * 2


def longer(champion: Champion, steps: int, best_at: float = 1.0) -> Champion:
    """The champion as if it had had more steps, and was best at some share of them."""
    best = {"best_step": round(best_at * steps)}
    trials = tuple(replace(t, result={**t.result, **best}) for t in champion.trials)
    return replace(champion, arm=replace(champion.arm, steps=steps), trials=trials)


@pytest.mark.parametrize("steps", [40, 10**7])
def test_on_one_worker_time_is_kept_for_refitting_the_baselines(
    session: Session, champion: Champion, steps: int
) -> None:
    dear = longer(champion, steps)  # also one that may take no longer than it does
    kept = [Admission(session, seconds).reserve_s(dear) for seconds in (0.0, 20.0)]
    kept.append(Admission(session, 5.0, refit_s=20.0).reserve_s(dear))
    assert kept[1] - kept[0] == pytest.approx(20.0, rel=1e-3)
    assert kept[2] == pytest.approx(kept[1])


def test_time_is_kept_for_a_final_training_up_to_its_best_step(
    session: Session, champion: Champion
) -> None:
    admission, whole = Admission(session, 0.0), longer(champion, 5_000, best_at=1.0)
    early = longer(champion, 5_000, best_at=0.2)
    least = admission.reserve_s(longer(champion, 5_000, best_at=0.0))
    full_s = admission.reserve_s(whole) - least
    assert admission.reserve_s(early) - least == pytest.approx(0.2 * full_s, rel=0.05)
    # nothing is known of what it may be changed into, but that it has to be worth its training
    changed = admission.left(early) - admission.left(early, replace(early.arm, subject="new"))
    assert changed == pytest.approx(0.4 * full_s, rel=0.05)
    assert admission.left(whole, replace(early.arm, steps=10)) == pytest.approx(
        admission.left(whole), abs=0.1
    )


def test_beside_the_baselines_a_network_needs_no_less_time_than_they_do(
    session: Session, champion: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = session.clock.work_left_s
    two = Admission(session, 0.9 * left)
    monkeypatch.setattr(Crew, "capacity", 2)
    assert two.beside_s == two.baselines_s
    most = [
        Room(each).longer_steps(champion.arm, 10**9) for each in (two, Admission(session, 0.0))
    ]
    assert 0 < most[0] < most[1]
    assert Room(two).all_steps(champion.arm, 1.0)
    assert not Room(Admission(session, 1.1 * left)).all_steps(champion.arm, 1.0)
