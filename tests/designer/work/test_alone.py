"""Whether networks are trained as a stack or one by one: priced once, then part of the plan."""

from __future__ import annotations

from dataclasses import replace

from justright.designer.work.session import Arm, Session
from justright.recipe.network import Shape
from justright.recipe.recipe import Recipe
from justright.training.cost import USUAL


def recipe_of(width: int) -> Recipe:
    return Recipe(shape=Shape(hidden=(width, width)), batch=256)


def test_the_calibrated_prices_choose_and_the_plan_remembers(session: Session) -> None:
    session.prices.model = replace(USUAL, product_s=20 * USUAL.product_s)  # arithmetic is dear
    assert session.alone(recipe_of(256))
    width = session.plan.granted["alone from"]
    assert width <= 256
    session.prices.model = replace(USUAL, operation_s=20 * USUAL.operation_s)  # calls are dear
    assert session.alone(recipe_of(256))  # what was decided holds, also in a repetition
    del session.plan.granted["alone from"]
    assert not session.alone(recipe_of(256))
    assert session.plan.granted["alone from"] > width


def test_jobs_follow_the_choice(session: Session) -> None:
    spec = session.blocks.spec
    blocks = [session.blocks.block(number, spec) for number in range(3)]
    arm = Arm("a", replace(recipe_of(128), preprocessing=spec), 10)
    session.plan.granted["alone from"] = 129
    assert [len(job.blocks) for job in session.train(arm, "s", blocks, parts=1)] == [3]
    session.plan.granted["alone from"] = 128
    assert [len(job.blocks) for job in session.train(arm, "s", blocks, parts=1)] == [1, 1, 1]
