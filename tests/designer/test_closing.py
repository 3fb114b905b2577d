"""The end of a study: what it leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.designer.closing import close_study
from justright.designer.session import Arm, Session
from justright.recipe.network import Shape
from justright.recipe.recipe import LossSpec, OptimiserSpec, Recipe
from justright.training.trunk import trunk


@pytest.mark.parametrize(("interrupted", "left"), [(False, 0), (True, 1)])
def test_a_finished_study_keeps_no_checkpoint_of_its_trunks(
    session: Session, interrupted: bool, left: int
) -> None:
    """One that was interrupted goes on from there."""
    recipe = Recipe(
        preprocessing=session.blocks.spec,
        shape=Shape(hidden=(8,)),
        loss=LossSpec("mse"),
        optimiser=OptimiserSpec(rate=0.03),
        batch=64,
        ema_epochs=1.0,
    )
    block = session.blocks.block(0, recipe.preprocessing)
    (job,) = session.train(Arm("size 8", trunk(recipe), 60), "size/ladder", [block])
    trials = session.run([replace(job, stop=20, trunk=True)])
    folder = session.folder.trials
    assert len(list(folder.glob("*.checkpoint"))) == 1
    close_study(session, interrupted=interrupted)
    assert len(list(folder.glob("*.checkpoint"))) == left
    (trial,) = trials.values()
    assert (folder / f"{trial.spec.id}.safetensors").exists()  # what was finished stays
