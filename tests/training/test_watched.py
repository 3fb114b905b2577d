"""Health of a training: it changes no number, survives a kill, and says what went on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_run import ask, killed_and_resumed, member, recipe_for, silent, write_folder

from justright.core.task import TaskKind
from justright.recipe.network import Shape
from justright.recipe.recipe import OptimiserSpec, RegularisationSpec, ScheduleSpec
from justright.training.health import EVERY, PROBED, Health, probed
from justright.training.run import train_stack

KIND = TaskKind.MULTICLASS

SAID = ("activation_std", "activation_mean", "dead_share", "saturated_share")

DEMANDING = {
    "shape": Shape(hidden=(16, 16), activation="tanh", category_width=2, normaliser="batch"),
    "regularisation": RegularisationSpec(dropout=0.2),
    "optimiser": OptimiserSpec(decay_epochs=5.0, clip=0.5),
    "ema_epochs": 2.0,
}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return write_folder(tmp_path / "data", KIND)


def test_every_curve_has_a_point_an_evaluation(folder, tmp_path):
    request = ask(folder, tmp_path / "o", recipe_for(KIND, **DEMANDING), member(), health=True)
    (result,) = train_stack(request, silent)
    once = {"first_loss", "prior_loss"}
    whole = {"loss", "gradient", "gradient_peak", "clipped_share", *once}
    layered = {f"{name}/{i}" for name in (*SAID, "gradient_norm", "update_ratio") for i in (0, 1)}
    assert set(result.health) == whole | layered
    evaluations = [int(step) for step in result.curve["step"]]
    for name, (steps, values) in result.health.items():
        assert len(steps) == len(values)
        if name.partition("/")[0] in SAID:
            assert list(steps) == [0, *evaluations], name
        elif name not in once:
            assert set(steps) <= set(evaluations), name
    layers = [f"activation/{layer}" for layer in range(len(result.histograms))]
    assert list(result.histograms) == layers
    for own in result.histograms.values():
        assert [step for step, _, _ in own] == [0, result.steps]
        assert len({sum(counts) for _, _, counts in own}) == 1
    assert list(result.health["loss"][1]) == pytest.approx(result.curve["train_loss"])
    assert all(0 <= share <= 1 for share in result.health["clipped_share"][1])
    mean, peak = result.health["gradient"][1], result.health["gradient_peak"][1]
    assert all(low < high for low, high in zip(mean, peak, strict=True))


@pytest.mark.parametrize("kind", [TaskKind.MULTI_REGRESSION, TaskKind.MULTICLASS])
def test_the_prior_is_the_loss_of_the_best_constant_on_the_training_rows(kind, tmp_path):
    place, one = write_folder(tmp_path / "data", kind), member()
    request = ask(place, tmp_path / "o", recipe_for(kind), one, health=True)
    (result,) = train_stack(request, silent)
    y = np.load(Path(place) / "y.npy")[one.train].astype(np.float64)
    shares = np.unique(y, return_counts=True)[1] / len(y)
    classes = kind is TaskKind.MULTICLASS
    expected = -(shares * np.log(shares)).sum() if classes else y.var(axis=0).mean()
    steps, losses = result.health["prior_loss"]
    assert list(steps) == [0]
    assert list(losses) == [pytest.approx(expected, rel=1e-6)]


def test_nothing_is_watched_unless_asked_for(folder, tmp_path):
    (result,) = train_stack(ask(folder, tmp_path / "out", recipe_for(KIND), member()), silent)
    assert result.health == {}
    assert result.histograms == {}


def test_watching_changes_no_number(folder, tmp_path):
    request = ask(folder, tmp_path / "a", recipe_for(KIND, **DEMANDING), member())
    (plain,) = train_stack(request, silent)
    (watched,) = train_stack(replace(request, out=str(tmp_path / "b"), health=True), silent)
    assert plain.curve == watched.curve
    assert Path(plain.weights).read_bytes() == Path(watched.weights).read_bytes()


@pytest.mark.parametrize("killed_at", [20, 75])
def test_a_killed_training_leaves_the_health_of_a_whole_one(
    folder, tmp_path, monkeypatch, killed_at
):
    recipe = recipe_for(KIND, **DEMANDING)
    members = (member("a", 1), member("b", 2, train=150))
    usual = {"health": True, "checkpoint_s": 0.0}
    request = ask(folder, tmp_path / "killed", recipe, *members, **usual)
    resumed = killed_and_resumed(request, killed_at, monkeypatch, spans=(7, 19))
    whole = train_stack(ask(folder, tmp_path / "whole", recipe, *members, **usual), silent)
    for one, other in zip(resumed, whole, strict=True):
        assert set(one.health) == set(other.health)
        for name, (steps, values) in one.health.items():
            assert list(steps) == list(other.health[name][0]), name
            assert np.allclose(values, other.health[name][1], rtol=1e-6), name


def test_a_training_that_diverges_shows_its_last_steps(folder, tmp_path):
    recipe = recipe_for(
        KIND,
        optimiser=OptimiserSpec(rule="sgd", rate=1e6),
        schedule=ScheduleSpec("constant"),
    )
    request = ask(folder, tmp_path / "out", recipe, member(), steps=400, health=True)
    (result,) = train_stack(request, silent)
    assert result.state == "failed"
    assert max(result.health["loss"][1]) > 100 * result.health["first_loss"][1][0]
    assert result.health["loss"][0] == [result.steps]


def test_means_and_peaks_are_of_all_steps_however_they_come():
    rng = np.random.default_rng(0)
    losses, norms = rng.random(50), rng.random(50)
    clips = np.full(50, 0.6)
    samples = rng.random((5, 2))
    health = Health()
    for part, looked_at in ((slice(0, 13), samples[:1]), (slice(13, 50), samples[1:])):
        health.advance(losses[part], norms[part], clips[part], {"update_ratio": looked_at})
    health.note(50, {"dead_share": np.array([0.25, 0.5])})
    found = {name: values for name, (_, values) in health.curves.items()}
    expected = {
        "first_loss": losses[0],
        "loss": losses.mean(),
        "gradient": norms.mean(),
        "gradient_peak": norms.max(),
        "clipped_share": (norms > 0.6).mean(),
        "update_ratio/0": samples[:, 0].mean(),
        "update_ratio/1": samples[:, 1].mean(),
        "dead_share/0": 0.25,
        "dead_share/1": 0.5,
    }
    assert found == {name: [pytest.approx(value)] for name, value in expected.items()}
    health.advance(np.array([]), np.array([]), None, {})
    health.note(60, {})
    assert [len(steps) for steps, _ in health.curves.values()] == [1] * len(expected)


def test_a_gradient_that_is_no_number_counts_as_infinite():
    health = Health()
    health.advance(np.array([1.0, 2.0]), np.array([1.0, np.nan]), None, {})
    health.note(2, {})
    assert health.curves["gradient_peak"][1] == [np.inf]


def test_rows_that_layers_are_asked_about_are_spread_over_all():
    rows = np.arange(1000, 9000)
    found = probed(rows)
    assert len(found) == PROBED
    assert found[0] == 1000
    assert np.diff(found).max() <= -(-len(rows) // PROBED)
    assert 1 < EVERY <= 50
