"""The range test on real stacks, and members with rates of their own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_run import ask, member, recipe_for, silent, write_folder

from justright.core.errors import OptionError
from justright.core.task import TaskKind
from justright.recipe.recipe import OptimiserSpec, RegularisationSpec, ScheduleSpec
from justright.training import loop
from justright.training.range_test import Climb, range_test
from justright.training.rate_rules import STEPS, range_rates
from justright.training.request import RangeRequest
from justright.training.run import train_stack

ROWS = np.arange(200)


def request_on(tmp_path: Path, kind: TaskKind = TaskKind.BINARY, **changes) -> RangeRequest:
    folder = write_folder(tmp_path / "data", kind)
    regular = RegularisationSpec(dropout=0.2)
    recipe = recipe_for(kind, regularisation=regular, ema_epochs=1.0, **changes)
    return RangeRequest(recipe, folder, ROWS, seeds=(1, 2, 3))


@pytest.mark.parametrize("kind", [TaskKind.BINARY, TaskKind.MULTI_REGRESSION])
def test_a_real_network_learns_and_then_diverges(tmp_path: Path, kind: TaskKind) -> None:
    told = []
    found = range_test(request_on(tmp_path, kind), told.append)
    losses = found["losses"]
    assert not found["cut"]
    assert found["rates"] == range_rates()[: len(losses)].tolist()
    assert min(losses) < 0.9 * np.mean(losses[:20])
    assert found["diverged"] is not None
    assert found["diverged"] > 0.1
    assert told[-1]["step"] >= len(losses)


def test_the_curve_does_not_depend_on_how_the_run_is_cut_up(tmp_path, monkeypatch) -> None:
    request = request_on(tmp_path)
    whole = range_test(request, silent)
    monkeypatch.setattr(loop, "SPAN_S", 1e-9)  # every span is a single step
    steps = []
    single = range_test(request, lambda told: steps.append(told["step"]))
    assert steps == list(range(1, len(steps) + 1))
    for key in ("rates", "losses", "diverged"):
        assert single[key] == whole[key]


def test_only_the_rate_changes_along_the_test(tmp_path: Path) -> None:
    request = request_on(tmp_path, schedule=ScheduleSpec("coslog4", warmup=0.1))
    decayed = replace(request.recipe, optimiser=OptimiserSpec(decay_epochs=4.0))
    climb = Climb.of(replace(request, recipe=decayed))
    first, last = climb.span(0, 50), climb.span(150, 50)
    for name in ("dropout", "shrink", "beta1", "beta2"):
        assert len(np.unique([first.controls[name], last.controls[name]])) == 1
    assert first.controls["dropout"][0, 0] == 0.2
    assert np.allclose(first.controls["rate"], range_rates()[:50])
    assert np.allclose(last.controls["rate"], range_rates()[150:])
    assert "ema" not in first.controls
    assert not np.array_equal(first.order[0], first.order[1])


def test_the_clock_cuts_a_range_test(tmp_path: Path) -> None:
    request = replace(request_on(tmp_path), deadline=time.time() - 1)
    found = range_test(request, silent)
    assert found["cut"]
    assert found["losses"] == []
    assert len(found["losses"]) < STEPS


def test_a_range_test_needs_rows_and_seeds(tmp_path: Path) -> None:
    request = request_on(tmp_path)
    for wrong in ({"seeds": ()}, {"train": ROWS[:0]}):
        with pytest.raises(OptionError):
            replace(request, **wrong)


def test_a_member_with_its_own_rate_equals_a_recipe_with_that_rate(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY, schedule=ScheduleSpec("constant"))
    own = [member("low", rate=0.005), member("prior"), member("high", rate=0.1)]
    together = train_stack(ask(folder, tmp_path / "a", recipe, *own), silent)
    assert len({result.loss for result in together}) == 3
    for result, rate in zip(together, (0.005, recipe.optimiser.rate, 0.1), strict=True):
        alone = replace(recipe, optimiser=replace(recipe.optimiser, rate=rate))
        (expected,) = train_stack(ask(folder, tmp_path / "b", alone, member("x")), silent)
        assert result.loss == pytest.approx(expected.loss, rel=1e-4)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_positive(tmp_path: Path, rate: float) -> None:
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    with pytest.raises(OptionError, match="rate"):
        ask(folder, tmp_path, recipe_for(TaskKind.BINARY), member(rate=rate))
