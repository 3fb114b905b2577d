"""States of real short trainings on planted tables whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from justright.core.task import Task, TaskKind
from justright.diagnosis.curves import Curves, Facts, Yardstick, read_runs
from justright.diagnosis.states import Diagnosis, State, diagnose
from justright.recipe.network import Inputs, Shape
from justright.recipe.recipe import OptimiserSpec, Recipe, RegularisationSpec, ScheduleSpec
from justright.testing.encoded import write_rows
from justright.training.request import Member, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe

FOLDS = 5


class World:
    """A planted table, its blocks, and what is known without a network."""

    def __init__(self, folder: Path, x: np.ndarray, y: np.ndarray) -> None:
        self.folder, self.out = write_rows(folder / "rows", x, y), str(folder / "out")
        self._x, self._y = x, (y - y.mean()) / y.std()
        fold = np.random.default_rng(0).permutation(len(x)) % FOLDS
        self.blocks = [
            (np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)
        ]
        inputs = Inputs(x.shape[1], 0, (), 1)
        rows = len(self.blocks[0][0])
        self.recipe, _ = start_recipe(Task(TaskKind.REGRESSION, ("y",)), rows, inputs)

    def yard(self, *, neighbours: int = 0) -> Yardstick:
        """The constant, and linear regression or the mean of some neighbours."""
        losses = [self._losses(train, validation, neighbours) for train, validation in self.blocks]
        constant, baseline = np.mean(losses, axis=0)
        delta = max(0.01 * (constant - baseline), 0.0)
        return Yardstick(constant, baseline, delta=delta, overlap=1 / (FOLDS - 1))

    def runs(self, recipe: Recipe, steps: int) -> list[Curves]:
        """The recipe trained on every block."""
        members = tuple(
            Member(str(place), place, 0, train, validation)
            for place, (train, validation) in enumerate(self.blocks)
        )
        request = TrainRequest(recipe, (self.folder,), members, steps, self.out, "rmse")
        curves = [result.curve for result in train_stack(request, lambda _: None)]
        return [Curves(c["step"], c["probe_loss"], c["validation_loss"]) for c in curves]

    def _losses(self, train: np.ndarray, rest: np.ndarray, neighbours: int) -> tuple[Any, Any]:
        x, y = self._x, self._y
        if neighbours:
            apart = np.square(x[rest][:, None] - x[train][None]).sum(axis=2)
            near = np.argsort(apart, axis=1)[:, :neighbours]
            predicted = y[train][near].mean(axis=1)
        else:
            both = np.column_stack([x, np.ones(len(x))])
            predicted = both[rest] @ np.linalg.lstsq(both[train], y[train], rcond=None)[0]
        constant = np.square(y[rest] - y[train].mean()).mean()
        return constant, np.square(y[rest] - predicted).mean()


def planted(folder: Path, rows: int, noise: float, seed: int = 0) -> World:
    """y = sin 2a + b + noise; two further inputs say nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    return World(folder, x, np.sin(2 * x[:, 0]) + x[:, 1] + noise * rng.normal(size=rows))


def plain(recipe: Recipe, *hidden: int, rate: float = 0.02) -> Recipe:
    """No regularisation, a constant rate."""
    return replace(
        recipe,
        shape=Shape(hidden=hidden),
        optimiser=OptimiserSpec(rate=rate),
        schedule=ScheduleSpec("constant"),
        regularisation=RegularisationSpec(),
        ema_epochs=None,
    )


def test_pure_noise_is_no_fault_of_the_network(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    world = World(tmp_path, rng.normal(size=(300, 5)), rng.normal(size=300))
    found = diagnose(world.runs(world.recipe, 300), world.yard())
    assert found.state in (State.NOISE_LIMITED, State.UNKNOWN), found


def test_a_tiny_network_on_a_complex_target_underfits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(1200, 2))
    world = World(tmp_path, x, np.sin(4 * x[:, 0]) * np.sin(4 * x[:, 1]))
    found = diagnose(world.runs(plain(world.recipe, 2), 900), world.yard(neighbours=5))
    assert found.state is State.UNDERFITTING, found
    assert "larger" in found.action


def test_few_steps_are_bound_by_compute(tmp_path: Path) -> None:
    world = planted(tmp_path, 600, 0.2)
    found = diagnose(world.runs(world.recipe, 40), world.yard())
    assert found.state is State.COMPUTE_BOUND, found


def test_a_huge_network_on_few_noisy_rows_overfits_and_is_able_to(tmp_path: Path) -> None:
    world = planted(tmp_path, 200, 1.5)
    runs, yard = world.runs(plain(world.recipe, 256, 256, rate=0.05), 300), world.yard()
    found = diagnose(runs, yard)
    assert found.state is State.OVERFITTING, found
    read = read_runs(runs)
    assert not isinstance(read, str)
    assert Facts(read, yard).able()


def test_a_gap_alone_is_not_overfitting(tmp_path: Path) -> None:
    """Also where the noise is so small that the gap is beyond it by far."""
    world = planted(tmp_path, 500, 0.35)
    runs, yard = world.runs(world.recipe, 500), world.yard()
    for noise in (None, 0.002):
        found = diagnose(runs, replace(yard, noise=noise))
        assert found.numbers["gap"] > 0.1 * found.numbers["train"]
        assert found.state not in (State.OVERFITTING, State.BROKEN), found
    assert found.numbers["gap"] > 4 * found.numbers["gap se"]


def dead(world: World) -> Diagnosis:
    """A rate of zero: nothing is learned."""
    return diagnose(world.runs(plain(world.recipe, 16, rate=0.0), 60), world.yard())


def test_a_network_that_does_not_learn_is_broken_where_a_baseline_does(tmp_path: Path) -> None:
    found = dead(planted(tmp_path, 400, 0.3))
    assert found.state is State.BROKEN, found
    assert "sanity" in found.action


def test_the_same_network_is_not_called_broken_where_nobody_learns(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    found = dead(World(tmp_path, rng.normal(size=(400, 3)), rng.normal(size=400)))
    assert found.state in (State.NOISE_LIMITED, State.UNKNOWN), found
