"""Champions for tests of the designer, really trained."""

from __future__ import annotations

from justright.designer.work.session import Arm, Champion, Session, results
from justright.recipe.network import Shape
from justright.recipe.recipe import LossSpec, OptimiserSpec, Recipe


def start_arm(session: Session, rate: float = 0.01) -> Arm:
    """A small network that learns the tables of the tests in a blink."""
    recipe = Recipe(
        preprocessing=session.blocks.spec,
        shape=Shape(hidden=(16, 16)),
        loss=LossSpec("mse"),
        optimiser=OptimiserSpec(rate=rate),
        batch=32,
    )
    return Arm("start recipe", recipe, 150)


def trained(session: Session, arm: Arm) -> Champion:
    """An arm as champion, with its trainings on the screening blocks."""
    spec = arm.recipe.preprocessing
    blocks = [session.blocks.block(number, spec) for number in session.blocks.first]
    jobs = session.train(arm, "champion", blocks, parts=1)
    own = results(session.run(jobs), jobs)
    return Champion(arm, own, session.measure(own))
