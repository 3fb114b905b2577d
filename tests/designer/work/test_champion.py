"""The first network: it has all of its folds or is none, and it never displaces a later one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.flow import later
from justright.designer.work import champion as champions
from justright.designer.work.champion import (
    BASELINES_S,
    BASELINES_SHARE,
    train_champion,
    unhurried_s,
    usable,
)
from justright.designer.work.rivals import Rival
from justright.designer.work.session import Champion, Session
from justright.recipe.recipe import Recipe
from justright.testing.recipes import plain_recipe


def recipe_of(session: Session, hidden: tuple[int, ...], rate: float = 0.01) -> Recipe:
    return plain_recipe(session.blocks.spec, *hidden, rate=rate, batch=64)


def train(session: Session, recipe: Recipe, saved: list[Champion]) -> Champion | None:
    """In a hurry: the fewest steps, and no baselines."""
    return train_champion(session, recipe, "start recipe", saved.append, hurry=True)[0]


@pytest.mark.parametrize("hidden", [(16,), (512,)])
def test_it_has_every_fold_however_they_are_stacked(
    hidden: tuple[int, ...], session: Session
) -> None:
    saved: list[Champion] = []
    found = train(session, recipe_of(session, hidden), saved)
    assert found is not None
    assert saved == [found]
    partitions = [trial.spec.partition for trial in found.trials]
    blocks, spec = session.blocks, session.blocks.spec
    assert partitions == [blocks.block(number, spec).partition for number in blocks.first]


def trial(state: TrialState, loss: float = 0.5) -> Trial:
    spec = TrialSpec("network", "x", "champion", {}, "fold", 0, 100)
    left = {"weights": "w", "loss": loss} if state is not TrialState.FAILED else {}
    return Trial(spec, state, left, "")


def test_one_lost_fold_makes_it_no_champion() -> None:
    whole = (trial(TrialState.DONE), trial(TrialState.CUT))
    assert usable(whole) == whole
    assert usable((*whole, trial(TrialState.FAILED))) == ()
    assert usable((*whole, trial(TrialState.DONE, loss=float("inf")))) == ()


def test_time_is_kept_for_rivals_that_the_clock_has_hurried(session: Session) -> None:
    done, cut = trial(TrialState.DONE), trial(TrialState.CUT)
    short = replace(done, result={**done.result, "hurried": True})
    calm = {"linear": Rival("linear", (done, done)), "knn": Rival("knn", (done,))}
    assert unhurried_s(session, calm) == 0.0
    for hurried in (short, cut):
        kept = unhurried_s(session, {**calm, "boosting": Rival("boosting", (done, hurried))})
        assert kept == min(BASELINES_SHARE * session.clock.limit_s, BASELINES_S) > 0.0


def test_a_champion_cut_before_it_was_any_is_cut_again_in_a_repetition(session: Session) -> None:
    """And its repetition asks no clock whether to hurry."""
    session.plan.granted["start recipe steps"] = 0
    session.plan.repeat = True
    saved: list[Champion] = []
    assert train(session, recipe_of(session, (16,)), saved) is None
    assert not saved
    assert not session.store.trials.list("s")


def test_where_the_clock_cut_it_binds_a_repetition_only(session: Session) -> None:
    steps = champions.FEWEST_STEPS
    session.plan.granted |= {"start recipe steps": steps, "start recipe stop": steps // 2}
    saved: list[Champion] = []
    gone_on = train(session, recipe_of(session, (16,)), saved)
    assert gone_on is not None
    assert {trial.result["steps"] for trial in gone_on.trials} == {steps}
    assert session.plan.granted["start recipe stop"] == 0
    session.plan.granted["start recipe stop"] = steps // 2
    repeated = replace(session, plan=replace(session.plan, repeat=True))
    again = train(repeated, recipe_of(session, (16,)), saved)
    assert again is not None
    assert {trial.result["steps"] for trial in again.trials} == {steps // 2}


def test_what_was_handed_over_later_stays(session: Session) -> None:
    assert later(session, 0), "nothing lies there"
    session.folder.model.mkdir(parents=True)

    def lies(confirmed: int, *, final: bool) -> None:
        session.fact("champion", {"confirmed": confirmed, "final": final})

    lies(1, final=False)
    assert [later(session, confirmed) for confirmed in (0, 1, 2)] == [False, True, True]
    lies(1, final=True)
    assert not later(session, 2), "a tested network gives way to a tested one"
    session.folder.model.rmdir()
    assert later(session, 0)
