from __future__ import annotations

import subprocess
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from justright.baselines.base import Answer, Exercise, Sample, inner_split
from justright.baselines.registry import (
    BASELINES,
    baseline_named,
    baseline_names,
)
from justright.core.errors import MissingExtraError, OptionError
from justright.core.task import Task, TaskKind

REGRESSION = Task(TaskKind.REGRESSION, ("y",))
TWO_OUTPUTS = Task(TaskKind.MULTI_REGRESSION, ("y", "z"))
BINARY = Task(TaskKind.BINARY, ("y",), ("no", "yes"))
THREE = Task(TaskKind.MULTICLASS, ("y",), ("a", "b", "c"))
TASKS = (REGRESSION, TWO_OUTPUTS, BINARY, THREE)
NAMES = baseline_names()
TIME_S = 2.0
"""For one baseline: boosting looks for settings as long as it may; these tables need little."""

LEARNING = [name for name in NAMES if name != "constant"]


def world(task: Task, n: int = 400, m: int = 100, seed: int = 0) -> tuple[Exercise, np.ndarray]:
    """An exercise with a strong signal in a number and a category, and the truth."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n + m, 4)).astype(np.float32)
    c = rng.integers(0, 6, size=(n + m, 1)).astype(np.int32)
    signal = x[:, 0] + 0.5 * x[:, 1] + np.array([0.0, 2.0, -2.0, 1.0, -1.0, 0.0])[c[:, 0]]
    if task.is_classification:
        edges = np.quantile(signal, np.linspace(0, 1, len(task.classes) + 1)[1:-1])
        y = np.digitize(signal, edges).astype(np.int64)
    else:
        noise = 0.1 * rng.normal(size=(n + m, len(task.targets)))
        y = (signal[:, None] * np.arange(1, len(task.targets) + 1) + noise).astype(np.float32)
        y = (y - y.mean(axis=0)) / y.std(axis=0)
    train = Sample(x[:n], c[:n], y[:n])
    exercise = Exercise(task, (6,), train, x[n:], c[n:], seed, time.monotonic() + TIME_S)
    return exercise, y[n:]


def solve(name: str, exercise: Exercise) -> Answer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return baseline_named(name).load()(exercise)


def loss(task: Task, y: np.ndarray, prediction: np.ndarray) -> float:
    if task.is_classification:
        return float(-np.log(prediction[np.arange(len(y)), y]).mean())
    return float(np.square(y - prediction).mean())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind.value)
@pytest.mark.parametrize("name", LEARNING)
def test_learns_what_is_there_to_learn(name: str, task: Task) -> None:
    exercise, y = world(task)
    answer = solve(name, exercise)
    constant = solve("constant", exercise)
    assert answer.prediction.shape == constant.prediction.shape
    assert loss(task, y, answer.prediction) < 0.7 * loss(task, y, constant.prediction)
    if task.is_classification:
        np.testing.assert_allclose(answer.prediction.sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("task", [REGRESSION, THREE], ids=lambda task: task.kind.value)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_answer(name: str, task: Task) -> None:
    exercise, _ = world(task, n=60, m=10)
    exercise = replace(exercise, deadline=time.monotonic() + 1000)  # the clock decides nothing
    first, second = solve(name, exercise), solve(name, exercise)
    np.testing.assert_array_equal(first.prediction, second.prediction)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind.value)
@pytest.mark.parametrize("name", NAMES)
def test_dirty_inputs_give_finite_answers(name: str, task: Task) -> None:
    exercise, y = world(task)
    x, test_x = exercise.train.x.copy(), exercise.x.copy()
    x[::7, 2], x[::11, 2], x[:, 3] = np.nan, np.inf, np.nan
    test_x[::5, 2], test_x[::3, 2], test_x[0] = np.nan, -np.inf, np.nan
    c = np.where(np.arange(len(exercise.c))[:, None] % 9, exercise.c, 5)
    dirty = replace(exercise, train=replace(exercise.train, x=x), x=test_x, c=c)
    answer = solve(name, dirty)
    assert np.isfinite(answer.prediction).all()
    assert len(answer.prediction) == len(y)


@pytest.mark.parametrize("name", NAMES)
def test_weights_count_like_repeated_rows(name: str) -> None:
    exercise, y = world(REGRESSION)
    # Half of the rows have another truth; weight decides which one is learned.
    target = exercise.train.y.copy()
    target[::2] += 5.0
    w = np.where(np.arange(len(target)) % 2, 1.0, 1e-4).astype(np.float32)
    weighted = replace(exercise, train=replace(exercise.train, y=target, w=w))
    assert abs(float((solve(name, weighted).prediction - y).mean())) < 0.5
    plain = replace(exercise, train=replace(exercise.train, y=target))
    assert float((solve(name, plain).prediction - y).mean()) > 1.5


@pytest.mark.parametrize("name", NAMES)
def test_a_class_that_was_never_seen_has_a_small_chance(name: str) -> None:
    exercise, _ = world(THREE)
    for seen in ([0, 2], [1]):
        rows = np.flatnonzero(np.isin(exercise.train.y, seen))
        prediction = solve(name, replace(exercise, train=exercise.train.take(rows))).prediction
        assert prediction.shape == (len(exercise.x), 3)
        absent = [k for k in range(3) if k not in seen]
        assert (prediction[:, absent] > 0).all()
        assert (prediction[:, absent] < 0.05).all()


@pytest.mark.parametrize("n", [1, 2, 3, 12])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind.value)
@pytest.mark.parametrize("name", NAMES)
def test_few_rows_are_enough_to_answer(name: str, task: Task, n: int) -> None:
    exercise, _ = world(task)
    answer = solve(name, replace(exercise, train=exercise.train.take(np.arange(n))))
    assert np.isfinite(answer.prediction).all()
    assert len(answer.prediction) == len(exercise.x)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_to_predict_give_no_predictions(name: str) -> None:
    for task in TASKS:
        exercise, _ = world(task, n=60, m=0)
        assert solve(name, exercise).prediction.shape[0] == 0


@pytest.mark.parametrize("name", NAMES)
def test_columns_may_be_missing_altogether(name: str) -> None:
    exercise, y = world(REGRESSION)
    train = exercise.train
    no_categories = replace(
        exercise,
        categories=(),
        train=replace(train, c=train.c[:, :0]),
        c=exercise.c[:, :0],
    )
    no_numbers = replace(exercise, train=replace(train, x=train.x[:, :0]), x=exercise.x[:, :0])
    for changed in (no_categories, no_numbers):
        assert solve(name, changed).prediction.shape == y.shape


@pytest.mark.parametrize("name", ["boosting", "linear", "knn"])
def test_a_short_deadline_is_kept(name: str) -> None:
    exercise, y = world(THREE, n=8000)
    late = replace(exercise, deadline=time.monotonic() + 0.5)
    start = time.monotonic()
    answer = solve(name, late)
    assert time.monotonic() - start < 6.0  # ten times slower machines included
    assert loss(THREE, y, answer.prediction) < 1.0


def test_boosting_says_when_the_time_was_too_short() -> None:
    exercise, _ = world(THREE, n=4000)
    answer = solve("boosting", replace(exercise, deadline=time.monotonic() + 0.01))
    assert answer.hurried
    assert answer.notes


@settings(max_examples=50)
@given(
    st.integers(1, 200),
    st.floats(0.05, 0.5),
    st.integers(1, 100),
    st.integers(1, 5),
    st.integers(0, 9),
)
def test_inner_splits_part_the_rows(n: int, share: float, most: int, k: int, fold: int) -> None:
    rng = np.random.default_rng(n)
    classes = tuple("abcde"[:k]) if k > 1 else ()
    task = Task(TaskKind.MULTICLASS, ("y",), classes) if classes else REGRESSION
    y = rng.integers(0, k, n) if classes else rng.normal(size=(n, 1)).astype(np.float32)
    train = Sample(np.zeros((n, 1), np.float32), np.zeros((n, 0), np.int32), y)
    exercise = Exercise(task, (), train, train.x, train.c, 0, 0.0)
    learn, judge = inner_split(exercise, share, most, fold)
    assert sorted([*learn, *judge]) == list(range(n))
    assert len(judge) <= most + k
    if classes:
        assert set(y[judge]) <= set(y[learn])


def test_the_registry_is_light_and_names_are_unique() -> None:
    names = [baseline.name for baseline in BASELINES]
    assert len(names) == len(set(names))
    code = "import sys, justright.baselines.registry; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"sklearn", "scipy", "torch", "lightgbm"} & set(result.stdout.split())


def test_unknown_and_uninstalled_baselines_are_refused() -> None:
    with pytest.raises(OptionError, match="no baseline 'svm'"):
        baseline_named("svm")
    absent = replace(BASELINES[0], needs="no_such_package", extra="boost")
    assert not absent.installed
    with pytest.raises(MissingExtraError, match=r"justright\[boost\]"):
        absent.load()
