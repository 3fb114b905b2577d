"""The final training is the one that the validation rows have judged, on more rows."""

from __future__ import annotations

import pytest

from justright.core.task import Task, TaskKind
from justright.core.trial import Trial, TrialSpec, TrialState
from justright.designer.stages.finish import final_arm
from justright.designer.work.session import Arm, Champion
from justright.recipe.network import Inputs
from justright.training.start import start_recipe


@pytest.mark.parametrize("train", [820, 1_875, 13_210])
def test_it_sees_as_many_epochs_in_steps_of_as_many_rows(train: int) -> None:
    rest = train * 5 // 4  # from here on start recipes have twice as many rows a step
    recipe, _ = start_recipe(Task(TaskKind.REGRESSION, ("y",)), train, Inputs(5, 0, (), 1))
    spec = TrialSpec("network", "start recipe", "champion", {}, "p", 0, 1_500)
    trial = Trial(spec, TrialState.DONE, {"best_step": 1_200})
    champion = Champion(Arm("start recipe", recipe, 1_500), (trial,), 0.0)
    arm, stop = final_arm(champion, rest, train)
    assert arm.recipe.batch == recipe.batch
    for steps, judged in ((arm.steps, 1_500), (stop, 1_200)):
        epochs = steps * arm.recipe.batch / rest
        assert epochs == pytest.approx(judged * recipe.batch / train, rel=0.01)
