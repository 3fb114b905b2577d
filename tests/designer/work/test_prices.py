"""What trainings cost: what a step takes is told from what a training takes beside its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from justright.designer.improvement.room import SIZE_KEPT, Room
from justright.designer.timing.prices import ENOUGH, LEAST_MARGIN, MOST_MARGIN, Q90, Prices
from justright.designer.work.admission import TEST_S, Admission
from justright.designer.work.blocks import Blocks
from justright.designer.work.jobs import NetworkJob
from justright.designer.work.session import FOREVER, Arm, Session
from justright.recipe.network import Inputs
from justright.recipe.recipe import PreprocessingSpec, Recipe
from justright.testing.recipes import plain_recipe
from justright.training import loop
from justright.training.cost import USUAL, Measured, step_s
from justright.training.run import train_stack

INPUTS = Inputs(20, 0, (), 1)
STEP_S = step_s(USUAL, Recipe(), INPUTS)


def learned(fixed_s: float, members: int = 1) -> Prices:
    """Prices after trainings on the usual machine that took so much beside their steps."""
    prices = Prices(USUAL)
    stacked = step_s(USUAL, Recipe(), INPUTS, members)
    for _ in range(3):
        prices.learn(Measured(Recipe(), members, stacked), INPUTS, 1_000, fixed_s)
    return prices


def test_what_is_fixed_does_not_make_steps_dearer() -> None:
    """A short first training once made all longer ones look four times as dear as they were."""
    plain, slow = learned(0.0), learned(2.5)
    for steps in (100, 10_000):
        more = slow.seconds(Recipe(), INPUTS, steps) - plain.seconds(Recipe(), INPUTS, steps)
        assert more == pytest.approx(Q90 * 2.5)
    assert plain.seconds(Recipe(), INPUTS, 1_000) == pytest.approx(Q90 * 1_000 * STEP_S, rel=0.1)


def test_what_is_fixed_grows_with_the_members_of_a_stack() -> None:
    prices = learned(2.0, members=4)
    none = learned(0.0, members=4)
    for members in (1, 8):
        more = prices.seconds(Recipe(), INPUTS, 10, members)
        more -= none.seconds(Recipe(), INPUTS, 10, members)
        assert more == pytest.approx(Q90 * 0.5 * members)


@pytest.mark.parametrize(
    ("spread", "margin"), [(0.0, LEAST_MARGIN), (0.15, 1.15), (5.0, MOST_MARGIN)]
)
def test_the_margin_of_a_price_is_learned_from_what_trainings_took(
    spread: float, margin: float
) -> None:
    """Trainings that take what is expected need no margin; those that scatter need more."""
    prices = Prices(USUAL)
    for place in range(40):
        before = prices.margin
        if place < ENOUGH:
            assert before == Q90
        factor = (1.0 + spread) ** (1 if place % 2 else -1)
        prices.learn(Measured(Recipe(), 1, factor * STEP_S), INPUTS, 1_000, 0.0)
    assert prices.margin == pytest.approx(margin, rel=0.05)


@pytest.mark.parametrize("scatter", [0.04, 0.15, 0.3])
def test_nine_of_ten_trainings_take_no_longer_than_their_price(scatter: float) -> None:
    """A constant margin is right for one scatter only."""
    generator = np.random.default_rng(0)
    prices, within = Prices(USUAL), []
    for place in range(200):
        recipe = plain_recipe(PreprocessingSpec(), *(int(generator.choice([16, 64, 128])),) * 2)
        took = step_s(USUAL, recipe, INPUTS) * 2.0 * generator.lognormal(0.0, scatter)
        if place >= 20:
            within.append(took * 1_000 <= prices.seconds(recipe, INPUTS, 1_000))
        prices.learn(Measured(recipe, 1, took), INPUTS, 1_000, 0.0)
    assert 0.8 <= np.mean(within) <= 0.97


def test_the_longest_run_that_fits_takes_the_time_that_there_is(session: Session) -> None:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 64, 64), 10)
    session.prices.fixed = [1.0]
    admission = Admission(session, 0.0)
    steps = Room(admission).longer_steps(arm, 10**9)
    left = session.clock.work_left_s - TEST_S
    longer = Arm("", arm.recipe, steps)
    assert 0.5 * left < admission.finish_s(longer) < 0.65 * left
    session.prices.fixed = [left]
    assert Room(Admission(session, 0.0)).longer_steps(arm, 10**9) == 0


def test_the_longer_run_of_a_large_table_leaves_time_to_the_size_search(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 64, 64), 10)
    admission = Admission(session, 0.0)
    steps = Room(admission).longer_steps(arm, 10**9)
    monkeypatch.setattr(Blocks, "fixed_holdout", True)
    monkeypatch.setattr(Blocks, "first", (0,))
    alone = Room(admission).longer_steps(arm, 10**9)
    left = session.clock.work_left_s - TEST_S
    longer = Arm("", arm.recipe, alone)
    taken = Room(admission).screened_s(longer) + admission.finish_s(longer)
    assert taken == pytest.approx((1.0 - SIZE_KEPT) * left, rel=0.05)
    assert Room(admission).longer_steps(arm, 500) == 500
    session.prices.fixed = [0.3 * left]
    few = Room(admission).longer_steps(arm, 10**9)
    assert few < steps


class Killed(Exception):
    """Stands for a worker that is killed."""


def left_behind(job: NetworkJob, killed_at: int) -> None:
    """Train a job as a worker does that is killed in the middle: a checkpoint stays."""
    (request,) = job.call(job.specs, FOREVER).arguments.values()

    def die(payload: Any) -> None:
        if payload["step"] >= killed_at:
            raise Killed

    with pytest.raises(Killed):
        train_stack(replace(request, checkpoint_s=0.0), die)


def lessons(session: Session) -> tuple[Session, list[float]]:
    """The session, and seconds per step of each training that its prices learn from."""
    seen: list[float] = []

    class Watched(Prices):
        def learn(self, done: Measured, inputs: Inputs, steps: int, fixed_s: float) -> None:
            seen.append(done.step_s)

    return replace(session, prices=Watched(USUAL)), seen


def test_a_training_that_went_on_teaches_the_price_of_the_steps_it_took(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at 150 of 200 steps, the seconds of the rest are not those of 200."""
    monkeypatch.setattr(loop, "MAX_SPAN", 50)
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 8), 200)
    block = session.blocks.block(session.blocks.first[0], session.blocks.spec)
    session, seen = lessons(session)
    (job,) = session.train(arm, "champion", [block])
    left_behind(job, killed_at=150)
    (trial,) = session.run([job]).values()
    assert 0 < trial.result["stepped"] <= 100 < trial.result["steps"] == 200
    assert seen == [pytest.approx(trial.result["stepped_s"] / trial.result["stepped"])]


def test_a_training_that_had_no_step_left_to_take_teaches_no_price(session: Session) -> None:
    """Killed after its last step, it is only scored when the study goes on."""
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 8), 20)
    block = session.blocks.block(session.blocks.first[0], session.blocks.spec)
    session, seen = lessons(session)
    (job,) = session.train(arm, "champion", [block])
    job = replace(job, trunk=True)
    (request,) = job.call(job.specs, FOREVER).arguments.values()
    train_stack(request, lambda _: None)
    (trial,) = session.run([job]).values()
    assert (trial.result["stepped"], trial.result["steps"]) == (0, 20)
    assert not seen
    (other,) = session.train(replace(arm, steps=21), "champion", [block])
    session.run([other])
    assert len(seen) == 1
    assert seen[0] > 0.0


def test_a_stored_training_that_is_asked_for_in_another_stack_teaches_nothing_new(
    session: Session,
) -> None:
    arm = Arm("start recipe", plain_recipe(session.blocks.spec, 8), 20)
    spec = session.blocks.spec
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    session.run(session.train(arm, "champion", blocks, parts=1))
    (first,) = session.prices.trained
    assert first.members == len(blocks)
    session.run(session.train(arm, "champion", blocks, parts=2))
    session.run(session.train(arm, "champion", blocks[:1]))
    assert session.prices.trained == [first]
    fresh = session.blocks.block(max(session.blocks.first) + 1, spec)
    session.run(session.train(arm, "champion", [*blocks, fresh], parts=1))
    assert [each.members for each in session.prices.trained] == [len(blocks), 1]
