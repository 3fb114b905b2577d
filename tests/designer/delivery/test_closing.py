"""The end of a study: what it leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from justright.designer.delivery.closing import close_study
from justright.designer.work.session import Arm, Session
from justright.testing.recipes import plain_recipe
from justright.training.trunk import trunk
from justright.views.reader import Reader


@pytest.mark.parametrize(("interrupted", "left"), [(False, 0), (True, 1)])
def test_a_finished_study_keeps_no_checkpoint_of_its_trunks(
    session: Session, interrupted: bool, left: int
) -> None:
    """One that was interrupted goes on from there."""
    recipe = plain_recipe(session.blocks.spec, 8, batch=64)
    block = session.blocks.block(0, recipe.preprocessing)
    (job,) = session.train(Arm("size 8", trunk(recipe), 60), "size/ladder", [block])
    trials = session.run([replace(job, stop=20, trunk=True)])
    folder = session.folder.trials
    assert len(list(folder.glob("*.checkpoint"))) == 1
    close_study(session, interrupted=interrupted)
    assert len(list(folder.glob("*.checkpoint"))) == left
    (trial,) = trials.values()
    assert (folder / f"{trial.spec.id}.safetensors").exists()  # what was finished stays


def test_what_was_made_up_for_was_not_cut(session: Session) -> None:
    session.plan.granted |= {"rate": 0, "late rate": 3, "size search": 0, "late size search": 0}
    close_study(session, interrupted=False)
    clock = session.store.ledger.fact("s", "clock")
    assert clock is not None
    assert set(clock["truncated"]) == {"size search", "late size search"}
    assert Reader(session.store, "s").cut() == ("size search",)
