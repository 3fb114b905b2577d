"""The idea of members from its proposal to the model folder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from justright.designer.delivery.deliver import deliver
from justright.designer.work.session import Arm, Session, results
from justright.ideas.registry import propose_moves
from justright.ideas.rule import Situation
from justright.model.predictor import Model
from justright.training.start import start_recipe


def test_members_are_priced_trained_and_handed_over(new_session: Callable[..., Session]) -> None:
    session = new_session()
    blocks, task = session.blocks, session.blocks.problem.task
    block = blocks.block(0, blocks.spec)
    inputs = blocks.inputs(block)
    recipe, _ = start_recipe(task, len(block.train), inputs)
    situation = Situation(recipe, task, "rmse", inputs, len(block.train), loss=1.0, best_at=0.9)
    (move,) = (each for each in propose_moves(situation) if each.idea.slot == "members")
    arm = Arm(move.idea.title, move.recipe, 150)
    assert session.seconds(arm, inputs) > 1.2 * session.seconds(Arm("one", recipe, 150), inputs)
    jobs = session.train(arm, "champion", [block], parts=1)
    (trial,) = results(session.run(jobs), jobs)
    deliver(session, arm, trial, 0)
    model = Model.load(session.folder.model)
    assert model.spec.shape.members == 4
    assert "4 members" in (session.folder.model / "card.md").read_text()
    frame = blocks.problem.table.frame[blocks.splits.rest[block.validation]]
    assert model.evaluate(frame)["rmse"] == pytest.approx(trial.result["scores"]["rmse"], rel=1e-4)
    assert trial.result["scores"]["rmse"] < 0.5 * float(np.std(frame["y"].to_numpy()))
