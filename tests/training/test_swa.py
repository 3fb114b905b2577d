"""Stochastic weight averaging: the rate, the average of the last quarter, its statistics."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_run import ROWS, ask, member, recipe_for, silent, write_folder

from justright.core.codec import to_document
from justright.core.task import TaskKind
from justright.deploy.network import Network, read_safetensors
from justright.engine.torch_stack.stack import TorchStack
from justright.recipe.network import Shape
from justright.recipe.recipe import Recipe, ScheduleSpec
from justright.training import loop
from justright.training.controls import Course
from justright.training.request import TrainRequest
from justright.training.run import train_stack
from justright.training.schedules import rate_factors

SWA = ScheduleSpec("swa")
STEPS, TAIL = 120, 30


def test_the_rate_follows_the_published_formula() -> None:
    """Written as in the code of Izmailov et al. 2018, epoch by epoch, for a run of 200."""
    start, ratio, expected = 150, 0.5, []
    for epoch in range(200):
        t = epoch / start
        if t <= 0.5:
            expected.append(1.0)
        elif t <= 0.9:
            expected.append(1.0 - (1.0 - ratio) * (t - 0.5) / 0.4)
        else:
            expected.append(ratio)
    np.testing.assert_allclose(rate_factors(SWA, 200), expected, atol=1e-12)


@given(steps=st.integers(2, 500), ema=st.sampled_from([None, 2.0]), data=st.data())
def test_a_run_cut_in_two_has_the_same_average(steps, ema, data) -> None:
    course = Course(Recipe(schedule=SWA, ema_epochs=ema), steps, steps_per_epoch=7.5)
    cut = data.draw(st.integers(1, steps - 1))
    parts = [course.controls(0, cut)["ema"], course.controls(cut, steps - cut)["ema"]]
    np.testing.assert_array_equal(np.concatenate(parts), course.controls(0, steps)["ema"])


def weights_of_every_step(monkeypatch: pytest.MonkeyPatch, request: TrainRequest) -> list[dict]:
    """Train a request of one member a step at a time; its weights after each."""
    seen: list[dict] = []
    advance = TorchStack.advance

    def watched(stack, span):
        trace = advance(stack, span)
        arrays = stack.weights(stack.ids[0]).arrays
        seen.append({n: np.asarray(a, np.float64) for n, a in arrays.items() if "/" not in n})
        return trace

    with monkeypatch.context() as patched:
        patched.setattr(loop, "MAX_SPAN", 1)
        patched.setattr(TorchStack, "advance", watched)
        train_stack(request, silent)
    return seen


@pytest.mark.parametrize("ema", [None, 1.0])
def test_what_is_handed_over_is_the_mean_of_the_last_quarter(tmp_path, monkeypatch, ema) -> None:
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY, schedule=SWA, ema_epochs=ema)
    request = ask(folder, tmp_path, recipe, member(), steps=STEPS, keep_best=False)
    seen = weights_of_every_step(monkeypatch, request)
    assert len(seen) == STEPS
    (result,) = train_stack(request, silent)
    kept = read_safetensors(Path(result.weights))
    for name in ("layers.0.weight", "layers.1.bias", "head.weight", "scale"):
        mean = np.mean([step[name] for step in seen[-TAIL:]], axis=0)
        assert np.abs(kept[name] - mean).max() < 1e-5
        assert np.abs(kept[name] - seen[-1][name]).max() > 1e-4  # the last step's are others
        longer = np.mean([step[name] for step in seen[-TAIL - 5 :]], axis=0)
        assert np.abs(kept[name] - longer).max() > 1e-5  # and so is a longer mean


def off_by(tmp_path: Path, folder: str, recipe: Recipe) -> float:
    """Largest difference of the kept statistics from those of the kept weights."""
    request = ask(folder, tmp_path, recipe, member(), steps=STEPS, keep_best=False)
    (result,) = train_stack(request, silent)
    arrays = read_safetensors(Path(result.weights))
    inputs = json.loads((Path(folder) / "meta.json").read_text())["inputs"]
    network = Network({"shape": to_document(recipe.shape), "inputs": inputs}, arrays, True)
    x, c = (np.load(Path(folder) / f"{name}.npy")[:200] for name in "xc")
    entry = network._entry(network._torch.from_numpy(x.astype(np.float64)), c.astype(np.int64))
    h = network._linear("layers.0", entry).numpy()
    mean, variance = arrays["norm.0.mean"], arrays["norm.0.var"]
    return max(np.abs(mean - h.mean(axis=0)).max(), np.abs(variance - h.var(axis=0)).max())


def test_normalisation_knows_the_statistics_of_the_average(tmp_path, monkeypatch) -> None:
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    shape = Shape(hidden=(16, 16), category_width=2, normaliser="batch")
    recipe = recipe_for(TaskKind.BINARY, schedule=SWA, shape=shape)
    assert len(np.load(Path(folder) / "x.npy")) == ROWS
    assert off_by(tmp_path / "well", folder, recipe) < 1e-4
    monkeypatch.setattr(TorchStack, "refresh", lambda *_: None)
    assert off_by(tmp_path / "badly", folder, recipe) > 1e-2
