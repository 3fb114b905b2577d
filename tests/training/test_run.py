"""Training stacks end to end: results, files, resumption, the clock, divergence."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from justright.core.codec import dumps, to_document
from justright.core.errors import OptionError
from justright.core.task import Task, TaskKind
from justright.data.encoded import EncodedMeta
from justright.deploy.network import Network, read_safetensors
from justright.engine.torch_stack.stack import TorchStack
from justright.recipe.network import Inputs, Shape
from justright.recipe.recipe import (
    LossSpec,
    OptimiserSpec,
    Recipe,
    RegularisationSpec,
    ScheduleSpec,
)
from justright.training import loop
from justright.training.budget import evaluation_steps
from justright.training.request import Member, TrainRequest
from justright.training.run import train_stack
from justright.training.start import start_recipe

ROWS, NUMBERS = 300, 4


def silent(payload):
    """A report nobody reads."""


def write_folder(folder: Path, kind: TaskKind, *, seed=0, rows=ROWS, weights=False) -> str:
    """Encoded rows of a small learnable table."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    x = rng.normal(size=(rows, NUMBERS)).astype(np.float32)
    signal = np.stack([np.sin(2 * x[:, 0]) + x[:, 1], x[:, 2] * x[:, 3]], axis=1)
    signal += 0.1 * rng.normal(size=signal.shape)
    scale: dict = {"y_mean": (), "y_scale": (), "y_low": (), "y_high": ()}
    if kind is TaskKind.BINARY:
        y, classes, outputs = (signal[:, 0] > 0).astype(np.int64), ("no", "yes"), 1
    elif kind is TaskKind.MULTICLASS:
        y, classes, outputs = np.digitize(signal[:, 0], [-0.5, 0.5]), ("a", "b", "c"), 3
    else:
        y, classes, outputs = signal.astype(np.float32), (), 2
        y -= y.mean(axis=0)
        y /= y.std(axis=0)
        scale = {"y_mean": (5.0, -2.0), "y_scale": (3.0, 0.5)}
        real = y.astype(np.float64) * (3.0, 0.5) + (5.0, -2.0)
        scale |= {"y_low": tuple(real.min(axis=0)), "y_high": tuple(real.max(axis=0))}
    np.save(folder / "x.npy", x)
    np.save(folder / "c.npy", rng.integers(0, 3, (rows, 1)).astype(np.int32))
    np.save(folder / "y.npy", y)
    np.save(folder / "edges.npy", np.quantile(x, np.linspace(0, 1, 9), axis=0).T)
    if weights:
        np.save(folder / "w.npy", rng.uniform(0.5, 2.0, rows).astype(np.float32))
    meta = EncodedMeta(
        inputs=Inputs(NUMBERS, 0, (3,), outputs),
        task=Task(kind, ("y", "z")[: 2 if outputs == 2 else 1], classes),
        prior=(0.0,) * outputs,
        rows=rows,
        preprocessing="x",
        **scale,
    )
    (folder / "meta.json").write_text(dumps(meta))
    return str(folder)


def recipe_for(kind: TaskKind, **changes) -> Recipe:
    """A small network for a kind of task."""
    loss = "mse" if kind is TaskKind.MULTI_REGRESSION else "cross_entropy"
    usual = {
        "shape": Shape(hidden=(16, 16), category_width=2),
        "loss": LossSpec(loss),
        "batch": 32,
    }
    return Recipe(**{**usual, **changes})


def member(id="a", seed=0, folder=0, train=200, rows=ROWS, **changes) -> Member:
    """A member that trains on the first rows and is judged on the rest."""
    places = np.arange(rows)
    return Member(id, seed, folder, places[:train], places[train:], **changes)


def ask(folder: str, out: Path, recipe: Recipe, *members: Member, **changes) -> TrainRequest:
    """A request on one folder."""
    usual = {"folders": (folder,), "steps": 150, "metric": "log_loss", "evaluations": 5}
    if recipe.loss.name == "mse":
        usual["metric"] = "rmse"
    return TrainRequest(recipe=recipe, members=members, out=str(out), **{**usual, **changes})


KINDS = [TaskKind.BINARY, TaskKind.MULTICLASS, TaskKind.MULTI_REGRESSION]
CONSTANT = {TaskKind.BINARY: 0.69, TaskKind.MULTICLASS: 1.09, TaskKind.MULTI_REGRESSION: 1.0}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("members", [1, 4])
def test_learns_and_leaves_files_that_the_shipped_network_reads(tmp_path, kind, members):
    folder = write_folder(tmp_path / "data", kind, weights=kind is TaskKind.BINARY)
    recipe = recipe_for(kind, shape=Shape(hidden=(16, 16), category_width=2, members=members))
    told = []
    (result,) = train_stack(ask(folder, tmp_path / "out", recipe, member()), told.append)
    assert result.state == "done"
    assert result.steps == 150
    assert result.loss < 0.85 * CONSTANT[kind]
    assert {len(values) for values in result.curve.values()} == {5}
    assert min(result.curve["validation_loss"]) == result.loss
    assert result.best_step in result.curve["step"]
    assert told[-1]["step"] == told[-1]["steps"] == 150

    arrays = read_safetensors(Path(result.weights))
    inputs = json.loads((Path(folder) / "meta.json").read_text())["inputs"]
    document = {"shape": to_document(recipe.shape), "inputs": inputs}
    network = Network(document, arrays, classes=kind is not TaskKind.MULTI_REGRESSION)
    x, c = np.load(Path(folder) / "x.npy")[200:], np.load(Path(folder) / "c.npy")[200:]
    outputs, kept = network.outputs(x, c), np.load(result.predictions)
    if kind is TaskKind.BINARY:
        assert np.allclose(kept[:, 1], 1 / (1 + np.exp(-outputs[:, 0])), atol=1e-4)
    elif kind is TaskKind.MULTI_REGRESSION:
        y = np.load(Path(folder) / "y.npy") * (3.0, 0.5) + (5.0, -2.0)
        values = np.clip(outputs * (3.0, 0.5) + (5.0, -2.0), y.min(axis=0), y.max(axis=0))
        assert np.allclose(kept, values, atol=1e-3)
        assert result.scores["rmse"] == pytest.approx(
            np.sqrt(((values - y[200:]) ** 2).mean(axis=0)).mean(), rel=0.2
        )
    else:
        assert (kept.argmax(axis=1) == outputs.argmax(axis=1)).all()
        assert np.allclose(kept.sum(axis=1), 1.0)
    assert [
        path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".checkpoint"
    ] == []


def test_members_of_several_folders_and_sizes_equal_themselves_in_another_stack(tmp_path):
    kind = TaskKind.MULTICLASS
    folders = (
        write_folder(tmp_path / "one", kind),
        write_folder(tmp_path / "two", kind, seed=1, rows=200),
    )
    recipe = recipe_for(kind)
    members = (member("a"), member("b", 7, 1, 120, 200), member("c", 3, 0, 190))
    whole = train_stack(
        ask(folders[0], tmp_path / "out", recipe, *members, folders=folders), silent
    )
    assert [len(np.load(result.predictions)) for result in whole] == [100, 80, 110]
    part = train_stack(
        ask(folders[0], tmp_path / "part", recipe, *members[1:], folders=folders), silent
    )
    for one, other in zip(whole[1:], part, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-3)


def test_a_start_recipe_trains_blocks_of_different_size_alike_alone_and_together(tmp_path):
    """Windows of time and whole groups give blocks of very different size."""
    folder = write_folder(tmp_path / "data", TaskKind.BINARY, rows=1400)
    task = Task(TaskKind.BINARY, ("y",), ("no", "yes"))
    recipe, _ = start_recipe(task, 1100, Inputs(NUMBERS, 0, (3,), 1))
    large, small = member("l", train=1100, rows=1400), member("s", 1, train=500, rows=1400)
    both = train_stack(ask(folder, tmp_path / "both", recipe, large, small, steps=40), silent)
    (alone,) = train_stack(ask(folder, tmp_path / "alone", recipe, large, steps=40), silent)
    assert both[0].curve["validation_loss"] == pytest.approx(
        alone.curve["validation_loss"], rel=1e-4
    )


DEMANDING = {
    "shape": Shape(hidden=(16, 16), category_width=2, normaliser="batch", numbers="piecewise"),
    "regularisation": RegularisationSpec(
        dropout=0.2, dropout_layers=1, input_dropout=0.1, input_noise=0.1, mixup=0.3
    ),
    "optimiser": OptimiserSpec(decay_epochs=5.0, clip=1.0),
    "ema_epochs": 2.0,
}


class Killed(Exception):
    """Stands for a worker that is killed."""


def killed_and_resumed(request: TrainRequest, killed_at: int, monkeypatch, spans=(11, 23)):
    """Train until a kill, then to the end; spans are cut differently, and must not matter."""
    begun, seen = [], []

    def die(payload):
        begun.append(payload["step"])
        if payload["step"] >= killed_at:
            raise Killed

    monkeypatch.setattr(loop, "MAX_SPAN", spans[0])
    with pytest.raises(Killed):
        train_stack(request, die)
    monkeypatch.setattr(loop, "MAX_SPAN", spans[1])
    resumed = train_stack(request, lambda payload: seen.append(payload["step"]))
    assert seen[0] > begun[0]  # it did not start anew
    return resumed


@pytest.mark.parametrize("killed_at", [20, 90])
def test_a_killed_stack_goes_on_bit_by_bit(tmp_path, monkeypatch, killed_at):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY, **DEMANDING)
    members = (member("a", 1), member("b", 2, train=150))
    request = ask(folder, tmp_path / "killed", recipe, *members, checkpoint_s=0.0)
    resumed = killed_and_resumed(request, killed_at, monkeypatch)
    whole = train_stack(ask(folder, tmp_path / "whole", recipe, *members), silent)
    for one, other in zip(resumed, whole, strict=True):
        assert one.scores == other.scores
        for name in ("step", "probe_loss", "validation_loss"):
            assert one.curve[name] == other.curve[name]
        assert np.allclose(one.curve["train_loss"], other.curve["train_loss"], rtol=1e-12)
        assert Path(one.weights).read_bytes() == Path(other.weights).read_bytes()


def test_a_trunk_goes_on_where_a_shorter_request_ended(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "rows", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY, schedule=ScheduleSpec("constant"), ema_epochs=1.0)
    rows = np.arange(ROWS)

    def request(stop: int, out: str, trunk: bool) -> TrainRequest:
        members = tuple(
            Member(f"{seed}-{stop}", seed, 0, rows[:200], rows[200:]) for seed in (1, 2)
        )
        out = str(tmp_path / out)
        return TrainRequest(
            recipe, (folder,), members, 270, out, "log_loss", 10, stop=stop, trunk=trunk
        )

    short = train_stack(request(90, "trunk", trunk=True), silent)
    steps = []
    advance = TorchStack.advance
    monkeypatch.setattr(
        TorchStack,
        "advance",
        lambda s, span: steps.append(span.order.shape[1]) or advance(s, span),
    )
    long = train_stack(request(270, "trunk", trunk=True), silent)
    assert sum(steps) == 180
    whole = train_stack(request(270, "whole", trunk=False), silent)
    for first, then, alone in zip(short, long, whole, strict=True):
        assert first.steps == 90
        assert then.curve == alone.curve
        assert then.curve["step"][: len(first.curve["step"])] == first.curve["step"]
        assert Path(then.weights).read_bytes() == Path(alone.weights).read_bytes()
        assert Path(first.weights).exists()
        assert (first.stepped, then.stepped, alone.stepped) == (90, 180, 270)


def test_a_damaged_checkpoint_means_starting_anew(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    request = ask(
        folder, tmp_path / "out", recipe_for(TaskKind.BINARY), member(), checkpoint_s=0.0
    )

    def die(payload):
        if payload["step"] >= 60:
            raise Killed

    for garbage in (b"", b"garbage" * 40):
        with pytest.raises(Killed):
            train_stack(request, die)
        for path in (tmp_path / "out").glob("*.checkpoint"):
            path.write_bytes(garbage)
    assert train_stack(request, silent)[0].state == "done"


def test_a_deadline_that_has_passed_gives_nothing(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    request = ask(folder, tmp_path, recipe_for(TaskKind.BINARY), member(), deadline=1.0)
    (result,) = train_stack(request, silent)
    assert (result.state, result.loss, result.weights) == ("cut", inf, "")


@pytest.mark.parametrize("with_validation", [True, False])
def test_a_deadline_cuts_and_leaves_usable_weights(tmp_path, with_validation):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    trainee = member()
    if not with_validation:
        trainee = replace(trainee, validation=trainee.validation[:0])
    deadline = time.time() + 1.5
    request = ask(
        folder, tmp_path, recipe_for(TaskKind.BINARY), trainee, steps=10**6, deadline=deadline
    )
    (result,) = train_stack(request, silent)
    assert time.time() < deadline + 0.5
    assert result.state == "cut"
    assert f"step {result.steps}" in result.reason
    assert 0 < result.best_step <= result.steps < 10**6
    assert np.isfinite(result.loss)
    assert Path(result.weights).exists()


def test_a_cut_run_ends_as_one_that_was_to_stop_there(tmp_path, monkeypatch):
    """The work plan records the step of the cut, and its repetition stops there."""
    monkeypatch.setattr(loop, "MAX_SPAN", 10)
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    request = ask(folder, tmp_path / "cut", recipe_for(TaskKind.BINARY), member(), steps=300)
    first = evaluation_steps(300, 5, request.recipe.schedule.name)[0]
    now = [0.0]
    monkeypatch.setattr(loop.time, "time", lambda: now[0])

    def late(payload):
        if payload["step"] >= first + 10:
            now[0] = 1e12

    (cut,) = train_stack(replace(request, deadline=1e6), late)
    assert cut.state == "cut"
    assert first < cut.steps < 300
    now[0] = 0.0
    (whole,) = train_stack(replace(request, stop=cut.steps, out=str(tmp_path / "s")), silent)
    assert whole.state == "done"
    assert cut.curve == whole.curve
    assert (cut.best_step, cut.loss) == (whole.best_step, whole.loss)


def test_a_final_training_keeps_its_last_weights(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.MULTI_REGRESSION)
    trainee = replace(member(), validation=np.empty(0, np.int64))
    recipe = recipe_for(TaskKind.MULTI_REGRESSION, optimiser=OptimiserSpec(rate=0.4))
    (result,) = train_stack(ask(folder, tmp_path, recipe, trainee), silent)
    assert (result.state, result.best_step, result.predictions) == ("done", 150, "")
    assert "validation_loss" not in result.curve
    assert result.loss == result.curve["probe_loss"][-1]
    assert result.scores == {}  # scores of training rows would be taken for validation scores


def test_the_best_evaluation_is_kept_unless_the_last_is_asked_for(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY, optimiser=OptimiserSpec(rate=0.5))
    request = ask(folder, tmp_path, recipe, member(train=60), steps=600)
    (best,) = train_stack(request, silent)
    (last,) = train_stack(replace(request, keep_best=False), silent)
    assert best.curve == last.curve
    assert best.best_step < last.best_step == 600
    assert best.loss < last.loss == last.curve["validation_loss"][-1]


def test_a_member_that_diverges_is_a_fact_and_the_others_go_on(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    recipe = recipe_for(TaskKind.BINARY)
    members = (member("ill", rate=1e30), member("well", 1), member("fine", 2))
    ill, well, fine = train_stack(ask(folder, tmp_path / "out", recipe, *members), silent)
    assert (ill.state, ill.reason, ill.loss, ill.weights) == (
        "failed",
        "diverged at step 4",
        inf,
        "",
    )
    assert well.state == fine.state == "done"
    alone = train_stack(ask(folder, tmp_path / "alone", recipe, *members[1:]), silent)
    # on some processors a product of two candidates rounds otherwise than one of three
    assert [well.loss, fine.loss] == pytest.approx([r.loss for r in alone], rel=1e-6)


def test_balanced_sampling_finds_more_of_a_small_class(tmp_path):
    folder = Path(write_folder(tmp_path / "data", TaskKind.BINARY))
    x = np.load(folder / "x.npy")
    rare = (x[:, 0] + 0.8 * np.random.default_rng(0).normal(size=ROWS) > 1.6).astype(np.int64)
    np.save(folder / "y.npy", rare)
    assert 0.03 < rare.mean() < 0.2
    found = {}
    for sampling in ("even", "balanced"):
        recipe = recipe_for(TaskKind.BINARY, sampling=sampling)
        request = ask(
            str(folder), tmp_path / sampling, recipe, member(), metric="balanced_accuracy"
        )
        (result,) = train_stack(request, silent)
        found[sampling] = result.scores["balanced_accuracy"]
    assert found["balanced"] > found["even"]


def test_a_plateau_lowers_the_rate_between_spans(tmp_path, monkeypatch):
    """The rate falls after two evaluations without progress, however the spans are cut."""
    folder = write_folder(tmp_path / "data", TaskKind.BINARY)
    hopeless = OptimiserSpec(rate=1e-30)  # nothing is learned, so every evaluation is alike
    recipe = recipe_for(
        TaskKind.BINARY, optimiser=hopeless, schedule=ScheduleSpec("plateau"), ema_epochs=None
    )
    advance, rates = TorchStack.advance, []

    def spy(stack, span):
        rates.extend(span.controls["rate"][0] / 1e-30)
        return advance(stack, span)

    monkeypatch.setattr(TorchStack, "advance", spy)
    request = ask(folder, tmp_path / "out", recipe, member())
    (result,) = train_stack(request, silent)
    first, second, third = (int(step) for step in result.curve["step"][:3])
    assert len(rates) == 150
    assert rates[:third] == pytest.approx([1.0] * third)
    assert rates[third] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.1)
    assert first < second < third


def test_a_late_divergence_keeps_the_last_good_evaluation(tmp_path):
    folder = write_folder(tmp_path / "data", TaskKind.MULTI_REGRESSION)
    recipe = recipe_for(
        TaskKind.MULTI_REGRESSION, optimiser=OptimiserSpec(rule="sgd", rate=6.0, beta1=0.0)
    )
    (result,) = train_stack(ask(folder, tmp_path, recipe, member(), evaluations=10), silent)
    assert result.state == "failed"
    assert "diverged at step" in result.reason
    assert Path(result.weights).exists()
    assert result.best_step < result.steps < 150


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"steps": 0}, "0 steps"),
        ({"members": ()}, "members"),
        ({"members": (member(), member())}, "members"),
        ({"members": (member(folder=3),)}, "folder 3"),
        ({"members": (member(train=0),)}, "training rows"),
        ({"evaluations": 99}, "99 evaluations"),
    ],
)
def test_nonsense_is_refused(changes, word):
    usual = {"folders": ("f",), "members": (member(),), "steps": 1, "out": "o", "metric": "auc"}
    with pytest.raises(OptionError, match=word):
        TrainRequest(recipe=Recipe(), **{**usual, **changes})
