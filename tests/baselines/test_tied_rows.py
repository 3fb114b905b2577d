"""Baselines choose their settings as the study judges them: on whole groups, on later rows."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from justright.baselines.base import Exercise, Sample, inner_split
from justright.baselines.registry import baseline_named, baseline_names
from justright.baselines.ridge import _PENALTIES
from justright.baselines.run import _sample, _solve, fit_baseline
from justright.core.codec import dumps
from justright.core.task import Task, TaskKind
from justright.data.encoded import EncodedMeta, EncodedRows
from justright.recipe.network import Inputs

REGRESSION = Task(TaskKind.REGRESSION, ("y",))
BINARY = Task(TaskKind.BINARY, ("y",), ("no", "yes"))
THREE = Task(TaskKind.MULTICLASS, ("y",), ("a", "b", "c"))
LEARNING = [name for name in baseline_names() if name != "constant"]
TIES = ("groups", "times")
SIZE, COLUMNS = 10, 40


def world(
    task: Task, tie: str, planted: bool = True, units: int = 60
) -> tuple[Exercise, np.ndarray]:
    """So many units to learn from, as many to be judged on; `tie` says what a unit is.

    The columns tell the unit, and each unit has a level of its own: a day that comes no second
    time, a patient who is not seen again. What holds for all is one column's weak effect.
    """
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(2 * units), SIZE)
    mark = rng.normal(size=(2 * units, COLUMNS))[unit] if planted else 0.0
    x = mark + rng.normal(size=(len(unit), COLUMNS)) * (0.1 if planted else 1.0)
    level = 1.5 * rng.normal(size=2 * units)[unit] if planted else rng.normal(size=len(unit))
    y = 0.5 * x[:, 0] + level + 0.1 * rng.normal(size=len(unit))
    target = (y > 0).astype(np.int64) if task.is_classification else y[:, None].astype(np.float32)
    seen = unit < units
    train = Sample(x[seen].astype(np.float32), np.zeros((seen.sum(), 0), np.int32), target[seen])
    train = replace(train, **{tie: unit[seen].astype(np.int64 if tie == "groups" else np.float64)})
    test = x[~seen].astype(np.float32)
    exercise = Exercise(task, (), train, test, np.zeros((len(test), 0), np.int32), 4, 0.0)
    return exercise, target[~seen]


def untied(exercise: Exercise) -> Exercise:
    return replace(exercise, train=replace(exercise.train, groups=None, times=None))


def loss(name: str, exercise: Exercise, y: np.ndarray) -> float:
    exercise = replace(exercise, deadline=time.monotonic() + 3)
    prediction = _solve(baseline_named(name).load(), exercise).prediction
    if exercise.classes:
        return float(-np.log(np.maximum(prediction[np.arange(len(y)), y], 1e-15)).mean())
    return float(np.square(y - prediction).mean())


@pytest.mark.parametrize(
    ("task", "tie"),
    [(REGRESSION, "groups"), (BINARY, "times")],
    ids=["values in groups", "classes in time"],
)
@pytest.mark.parametrize("name", LEARNING)
def test_settings_that_know_units_by_heart_are_not_chosen(name: str, task: Task, tie: str) -> None:
    # Of 60 units a window of time holds nine, whose levels may speak for many trees by chance.
    exercise, y = world(task, tie, units=150 if tie == "times" else 60)
    honest, random = loss(name, exercise, y), loss(name, untied(exercise), y)
    assert honest < 0.9 * random
    assert honest < 1.5 * loss("constant", exercise, y)  # forty neighbours are only four units


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("name", ["linear", "knn"])
def test_units_that_tell_nothing_cost_nothing(name: str, tie: str) -> None:
    exercise, y = world(REGRESSION, tie, planted=False)
    assert loss(name, exercise, y) < 1.05 * loss(name, untied(exercise), y)


@pytest.mark.parametrize("tie", TIES)
@pytest.mark.parametrize("name", LEARNING)
def test_a_choice_on_tied_rows_is_repeated(name: str, tie: str) -> None:
    exercise, _ = world(BINARY, tie)
    solve = baseline_named(name).load()
    first = _solve(solve, exercise)  # its deadline is over: nothing is refitted
    again = _solve(solve, replace(exercise, deadline=1e12, choice=first.choice))
    np.testing.assert_array_equal(first.prediction, again.prediction)


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_takes_the_penalty_that_is_best_on_other_groups(weighted: bool) -> None:
    """Against scikit-learn's ridge, penalty by penalty."""
    exercise, _ = world(REGRESSION, "groups")
    train = exercise.train
    w = np.random.default_rng(0).uniform(0.1, 2.0, len(train)) if weighted else np.ones(len(train))
    if weighted:
        train = replace(train, w=w.astype(np.float32))
    exercise = replace(exercise, train=train)
    learn, judge = inner_split(exercise, 0.25, len(train))
    share = w / w.mean()

    def fitted(penalty: float, rows: np.ndarray) -> Ridge:
        model = Ridge(alpha=penalty * share[rows].sum())
        return model.fit(train.x[rows].astype(float), train.y[rows, 0], share[rows])

    errors = [
        share[judge] @ np.square(train.y[judge, 0] - fitted(p, learn).predict(train.x[judge]))
        for p in _PENALTIES
    ]
    best = _PENALTIES[int(np.argmin(errors))]
    prediction = _solve(baseline_named("linear").load(), exercise).prediction[:, 0]
    expected = fitted(best, np.arange(len(train))).predict(exercise.x)
    np.testing.assert_allclose(prediction, expected, atol=1e-5)


def an_exercise(task: Task, y: np.ndarray, **ties: np.ndarray) -> Exercise:
    x, c = np.zeros((len(y), 1), np.float32), np.zeros((len(y), 0), np.int32)
    return Exercise(task, (), Sample(x, c, y, **ties), x, c, 0, 0.0)


@settings(max_examples=200)
@given(
    st.integers(1, 120),
    st.floats(0.05, 0.5),
    st.integers(1, 100),
    st.integers(1, 30),
    st.integers(0, 4),
    st.sampled_from(["groups", "times", "both"]),
    st.booleans(),
)
def test_splits_of_tied_rows_are_sound(
    n: int, share: float, most: int, units: int, fold: int, ties: str, classes: bool
) -> None:
    rng = np.random.default_rng(n)
    y = rng.integers(0, 3, n) if classes else rng.normal(size=(n, 1)).astype(np.float32)
    given = {
        name: rng.integers(0, units, n).astype(kind)
        for name, kind in (("groups", np.int64), ("times", np.float64))
        if ties in (name, "both")
    }
    exercise = an_exercise(THREE if classes else REGRESSION, y, **given)
    learn, judge = inner_split(exercise, share, most, fold)
    assert len({*learn, *judge}) == len(learn) + len(judge) <= n
    assert len(judge) <= most + 3
    assert 2 * len(learn) >= n - 3  # each of three classes is rounded for itself
    assert all(
        np.array_equal(a, b)
        for a, b in zip((learn, judge), inner_split(exercise, share, most, fold), strict=True)
    )
    if classes:
        assert set(y[learn]) == set(y)


def test_groups_stay_whole() -> None:
    groups = np.random.default_rng(0).integers(0, 40, 400)
    judges = []
    for fold in range(5):
        exercise = an_exercise(REGRESSION, np.zeros((400, 1), np.float32), groups=groups)
        learn, judge = inner_split(exercise, 0.15, 400, fold)
        assert not set(groups[learn]) & set(groups[judge])
        assert 40 <= len(judge) <= 80
        judges.append(frozenset(judge))
    assert len(set(judges)) == 5


def test_the_rows_to_choose_on_are_the_latest_and_windows_go_back_from_there() -> None:
    times = np.random.default_rng(0).permutation(400).astype(np.float64)
    exercise = an_exercise(REGRESSION, np.zeros((400, 1), np.float32), times=times)
    for fold in range(3):
        learn, judge = inner_split(exercise, 0.15, 400, fold)
        assert sorted(times[judge]) == list(range(340 - 60 * fold, 400 - 60 * fold))
        assert sorted(times[learn]) == list(range(340 - 60 * fold))


def test_groups_with_times_stay_whole_and_come_by_their_last_row() -> None:
    groups = np.repeat(np.arange(40), 10)
    times = groups + np.tile(np.linspace(0.0, 5.0, 10), 40)
    both = {"groups": groups, "times": times}
    learn, judge = inner_split(
        an_exercise(REGRESSION, np.zeros((400, 1), np.float32), **both), 0.15, 400
    )
    assert set(groups[judge]) == {34, 35, 36, 37, 38, 39}
    assert set(groups[learn]) == set(range(34))


def test_a_class_of_the_last_day_alone_is_learned_from() -> None:
    times = np.arange(100.0)
    y = np.where(np.arange(100) < 97, np.arange(100) % 2, 2)
    learn, judge = inner_split(an_exercise(THREE, y, times=times), 0.2, 100)
    assert sorted(judge) == list(range(80, 97))
    assert set(learn) == {*range(80), 97, 98, 99}


@pytest.mark.parametrize("tie", TIES)
def test_one_unit_is_parted_at_random(tie: str) -> None:
    y = np.zeros((100, 1), np.float32)
    exercise = an_exercise(REGRESSION, y, **{tie: np.zeros(100)})
    tied, free = inner_split(exercise, 0.2, 100), inner_split(untied(exercise), 0.2, 100)
    np.testing.assert_array_equal(np.concatenate(tied), np.concatenate(free))


@pytest.mark.parametrize("tie", TIES)
def test_what_lies_beside_the_rows_reaches_the_baseline(tmp_path: Path, tie: str) -> None:
    exercise, y = world(REGRESSION, tie)
    train = exercise.train
    folder = tmp_path / "rows"
    folder.mkdir()
    np.save(folder / "x.npy", np.concatenate([train.x, exercise.x]))
    np.save(folder / "c.npy", np.concatenate([train.c, exercise.c]))
    np.save(folder / "y.npy", np.concatenate([train.y, y]))
    meta = EncodedMeta(
        Inputs(COLUMNS, 0, (), 1), REGRESSION, (0.0,), (1.0,), (-9.0,), (9.0,), (), 2 * len(y), ""
    )
    (folder / "meta.json").write_text(dumps(meta), encoding="utf-8")
    given: dict[str, Any] = {
        "name": "linear",
        "folder": str(folder),
        "train": np.arange(len(y)),
        "evaluate_folder": str(folder),
        "evaluate": np.arange(len(y), 2 * len(y)),
        "seed": 0,
        "budget_s": 5.0,
        "out": str(tmp_path / "p.npy"),
        "report": lambda _: None,
    }
    random = fit_baseline(**given)
    units = getattr(train, tie)
    np.save(folder / f"{tie}.npy", np.concatenate([units, units + 60]))
    assert fit_baseline(**given)["loss"] < 0.9 * random["loss"]
    some = np.array([3, 70, 5])
    np.testing.assert_array_equal(getattr(_sample(EncodedRows(folder), some), tie), units[some])
