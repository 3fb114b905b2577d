"""Each check finds its fault, planted in a real training, and is silent on sound trainings."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from justright.core.decision import Status
from justright.data.encode import write_encoded
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.diagnosis.health import CHECKS, examine
from justright.diagnosis.ranges import RANGES, Level
from justright.diagnosis.view import Training
from justright.recipe.recipe import PreprocessingSpec
from justright.testing.checks import clean_frame
from justright.testing.faults import FAULTS, SOUND, train_spoiled
from justright.testing.health import HealthCheckContract
from justright.training.request import Member, TrainRequest
from justright.training.start import start_recipe

ROWS, STEPS = 600, 160


@cache
def trained(name: str, classes: int = 0) -> Training:
    """The start recipe with a fault, or what ideas make of it, on a table without any fault."""
    fault = {**SOUND, **FAULTS}[name]
    problem = make_problem(read_table(clean_frame(ROWS, classes=classes)), DataOptions(("y",)))
    rows = np.arange(ROWS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "rows"
        taught = fit_preprocessing(problem, rows[:480], PreprocessingSpec(), rows)
        inputs = write_encoded(problem, taught, rows, folder).inputs
        recipe = fault.recipe(start_recipe(problem.task, 480, inputs)[0])
        request = TrainRequest(
            recipe=recipe,
            folders=(str(folder),),
            members=(Member("a", 1, 0, rows[:480], rows[480:]),),
            steps=STEPS,
            out=f"{place}/out",
            metric=problem.metric,
        )
        (result,) = train_spoiled(request, fault.start)
    failed = result.reason if result.state == "failed" else ""
    clip = recipe.optimiser.clip
    return Training(result.health, recipe.shape.activation, clip, failed)


class TestChecks(HealthCheckContract):
    def planted(self, code: str) -> list[Training]:
        return [trained(name) for name, fault in FAULTS.items() if fault.code == code]

    def sound(self) -> list[Training]:
        return [*map(trained, SOUND), trained("as it is", classes=3)]


def test_every_check_has_a_fault() -> None:
    names = [check.name for check in CHECKS]
    assert {fault.code for fault in FAULTS.values()} == set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_training_leaves_no_finding(name: str) -> None:
    assert examine(trained(name)) == ()


def test_a_fault_does_not_drown_in_what_follows_from_it() -> None:
    """A rate that is too high kills units as well; one that is too low is nothing but that."""
    assert [f.code for f in examine(trained("rate ÷ 1000"))] == ["rate-too-low"]
    assert [f.code for f in examine(trained("clip 0.001"))] == ["clipped-often"]
    assert "rate-too-low" not in [f.code for f in examine(trained("rate × 100"))]
    assert "rate-too-high" not in [
        f.code for f in examine(trained("ten ReLU layers, weights × 3"))
    ]


def test_a_loss_that_jumps_back_is_unstable_and_one_that_was_tiny_is_not() -> None:
    steps = [100, 200, 300]
    first = ([1], [1.0])
    lost = Training({"first_loss": first, "loss": (steps, [0.5, 0.1, 0.8])})
    assert [finding.code for finding in examine(lost)] == ["unstable"]
    assert "step 300" in examine(lost)[0].message
    by_heart = Training({"first_loss": first, "loss": (steps, [0.5, 1e-6, 1e-2])})
    assert examine(by_heart) == ()


def test_a_first_batch_without_the_long_tail_of_the_target_is_no_fault_of_the_rate() -> None:
    """As on a real table: one batch at 0.1, whole epochs at 0.98, and the best constant at 1."""
    steps, first, prior = [28, 56], ([1], [0.1]), ([0], [1.0])
    told = {"first_loss": first, "prior_loss": prior}
    assert examine(Training({**told, "loss": (steps, [0.97, 0.98])})) == ()
    found = {f.code: f for f in examine(Training({**told, "loss": (steps, [0.97, 4.5])}))}
    assert found["rate-too-high"].numbers["loss_rise"] == 4.5
    unknown = Training({"first_loss": first, "loss": (steps, [0.97, 0.98])})
    assert [finding.code for finding in examine(unknown)] == ["rate-too-high"]


def test_a_healthy_value_is_no_alarm_and_every_range_says_where_it_comes_from() -> None:
    for name, known in RANGES.items():
        assert known.alarm[0] <= known.warn[0] < known.warn[1] <= known.alarm[1], name
        assert known.source, name
        assert known.status is not Status.MEASURED or "tables" in known.source, name
        assert known.level(known.warn[1]) is Level.HEALTHY, name
        assert known.level(float("nan")) is Level.ALARM, name
