"""What is to be predicted, and tables that cannot be learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from justright.core.errors import DataError, InputError, OptionError
from justright.core.task import TaskKind
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.problem import Problem, make_problem, target_of

RANDOM = np.random.default_rng(0)
N = 400
X = RANDOM.normal(size=N)


def problem(y: Any, **options: Any) -> Problem:
    return make_problem(read_table({"x": X, "y": y}), DataOptions(("y",), **options))


TARGETS: dict[str, tuple[list[Any], TaskKind, tuple[str, ...], str, str]] = {
    "float": (X.tolist(), TaskKind.REGRESSION, (), "text", "not all whole"),
    "many whole": (list(range(100)) * 4, TaskKind.REGRESSION, (), "text", "more than 20"),
    "few rows each": ([*range(19), *[0] * 20], TaskKind.REGRESSION, (), "text", "fewer than 5"),
    "amounts as text": (
        [f"{i:,}" for i in range(5_000, 5_400)],
        TaskKind.REGRESSION,
        (),
        "text",
        "",
    ),
    "digits": (
        list(range(10)) * 40,
        TaskKind.MULTICLASS,
        tuple("0123456789"),
        "integer",
        "--task",
    ),
    "digits with gaps": (
        [*([1.0, 2.0, 11.0] * 100), *[None] * 100],
        TaskKind.MULTICLASS,
        ("1", "2", "11"),
        "integer",
        "3 distinct whole",
    ),
    "words": (list("abcd") * 100, TaskKind.MULTICLASS, tuple("abcd"), "text", "4 distinct"),
    "yes": (["yes", "no", "yes", "yes"] * 100, TaskKind.BINARY, ("no", "yes"), "text", "two"),
    "rare": (["late", "ok", "ok", "ok"] * 100, TaskKind.BINARY, ("ok", "late"), "text", "two"),
    "bool": ([True, False] * 200, TaskKind.BINARY, ("false", "true"), "boolean", "two"),
    "0 and 1": ([1, 0] * 200, TaskKind.BINARY, ("0", "1"), "integer", "two"),
    "halves as text": (["1.50", "2.50"] * 200, TaskKind.BINARY, ("1.5", "2.5"), "text", "two"),
    "1 and 2 as text": (["2", "1"] * 200, TaskKind.BINARY, ("1", "2"), "integer", "two"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_task_is_inferred_with_a_reason(name: str) -> None:
    y, kind, classes, label_type, reason = TARGETS[name]
    x = X[: len(y)]
    found = make_problem(read_table({"x": x, "y": y}), DataOptions(("y",)))
    task = found.task
    assert (task.kind, task.classes, task.label_type) == (kind, classes, label_type)
    assert reason in task.reason
    target = found.target()
    if task.is_classification:
        assert target.dtype == np.int64
        assert set(target.tolist()) == set(range(len(classes)))
    else:
        assert target.dtype == np.float64
        assert target.shape == (found.table.rows, 1)


def test_class_codes_point_at_the_labels() -> None:
    y = RANDOM.choice(["b", "a", "c"], N)
    found = problem(y)
    assert [found.task.classes[code] for code in found.target()] == y.tolist()


def test_the_user_decides_where_both_make_sense() -> None:
    assert problem([1, 2, 3, 4] * 100, task="regression").task.kind is TaskKind.REGRESSION
    assert problem([0, 1] * 200, task="regression").task.kind is TaskKind.REGRESSION
    many = list(range(40)) * 10
    assert problem(many).task.kind is TaskKind.REGRESSION
    found = problem(many, task="classification").task
    assert (found.kind, len(found.classes), found.classes[:3]) == (
        TaskKind.MULTICLASS,
        40,
        ("0", "1", "2"),
    )


def test_several_targets_of_numbers() -> None:
    table = read_table({"x": X, "a": X * 2, "b": X + 1})
    found = make_problem(table, DataOptions(("a", "b")))
    assert found.task.kind is TaskKind.MULTI_REGRESSION
    assert np.allclose(found.target(), np.stack((X * 2, X + 1), axis=1))
    assert [column.name for column in found.schema.columns] == ["x"]


def test_rows_without_a_target_are_left_out_and_said() -> None:
    y = [None if i % 10 == 0 else X[i] for i in range(N)]
    found = problem(y)
    assert found.table.rows == 360
    assert found.findings[0].code == "missing-target"
    assert found.findings[0].numbers["rows"] == 40
    assert np.isfinite(found.target()).all()


BAD_TARGETS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "constant": ([5] * N, {}, "is always '5'"),
    "constant with gaps": ([5, None] * (N // 2), {}, "is always '5'"),
    "all missing": ([None] * N, {}, "is missing in all 400 rows"),
    "unique text": ([f"k{i}" for i in range(N)], {}, "every one of the 400 values"),
    "fewer rows than classes": (
        [f"k{i // 2}" for i in range(N - 1)] + ["z"],
        {},
        "201 classes in 400",
    ),
    "infinite": ([*X[1:].tolist(), float("inf")], {}, "infinite in 1 of 400"),
    "text for regression": (list("abcd") * 100, {"task": "regression"}, "holds text such as"),
    "not two": (list("abcd") * 100, {"task": "binary"}, "has 4 classes"),
    "amounts as classes": (X.tolist(), {"task": "multiclass"}, "is different"),
    "no such task": (X.tolist(), {"task": "clustering"}, "there is no such task"),
    "wrong metric": (X.tolist(), {"metric": "auc"}, "not a metric for regression"),
    "rmsle below zero": (X.tolist(), {"metric": "rmsle"}, "negative values"),
    "dates": ([np.datetime64("2020-01-01", "us")] * N, {}, "holds Datetime"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_targets_that_cannot_be_learned_are_refused(name: str) -> None:
    y, options, expected = BAD_TARGETS[name]
    with pytest.raises(InputError) as caught:
        problem(np.array(y) if name == "dates" else y, **options)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_multi_label_is_refused_clearly() -> None:
    table = read_table({"x": X, **{f"t{j}": RANDOM.integers(0, 2, N) for j in range(3)}})
    with pytest.raises(DataError, match="multi-label classification, which is not supported"):
        make_problem(table, DataOptions(("t0", "t1", "t2")))
    mixed = read_table({"x": X, "a": X, "b": list("uv") * 200})
    with pytest.raises(DataError, match="several targets can only be numbers"):
        make_problem(mixed, DataOptions(("a", "b")))


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown target": ({"target": ("prise",)}, "did you mean 'price'?"),
    "no target": ({"target": ()}, "no target column"),
    "target twice": ({"target": ("price", "price")}, "names a column twice"),
    "unknown drop": ({"drop": ("siez",)}, "did you mean 'size'?"),
    "drop the target": ({"drop": ("price",)}, "drop it or predict it"),
    "unknown weight": ({"weight": "w"}, "the table has no column 'w'"),
    "weight is the target": ({"weight": "price"}, "that column is the target"),
    "group is the weight": ({"weight": "size", "group": "size"}, "the same column"),
    "negative weights": ({"weight": "minus"}, "negative or no numbers"),
    "weights of words": ({"weight": "town"}, "negative or no numbers"),
    "no weight at all": ({"weight": "zero"}, "all weights are 0"),
    "times that are words": ({"time_column": "town"}, "neither dates nor numbers"),
    "times with gaps": ({"time_column": "gaps"}, "20 of 40 rows have no time"),
    "nothing left": ({"drop": ("size", "town", "minus", "zero", "gaps")}, "no column is left"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_make_no_sense_are_refused(name: str) -> None:
    values, expected = OPTIONS[name]
    table = read_table(
        {
            "price": X[:40],
            "size": X[40:80],
            "town": ["Ulm", "Bonn"] * 20,
            "minus": [-1.5, 2.0] * 20,
            "zero": [0] * 40,
            "gaps": [1.0, None] * 20,
        }
    )
    with pytest.raises(InputError) as caught:
        make_problem(table, DataOptions(**{"target": ("price",), **values}))
    assert expected in str(caught.value)


def test_one_row_and_tables_without_inputs_are_refused() -> None:
    with pytest.raises(DataError, match="has only one row"):
        make_problem(read_table({"x": [1], "y": [2]}), DataOptions(("y",)))
    with pytest.raises(DataError, match="no column is left"):
        make_problem(read_table({"y": X}), DataOptions(("y",)))
    with pytest.raises(DataError, match=r"no column is left.*k \(constant\)"):
        make_problem(read_table({"k": [1] * N, "y": X}), DataOptions(("y",)))


def test_weights_groups_and_times() -> None:
    table = read_table(
        {
            "x": X,
            "y": X,
            "w": np.arange(N),
            "g": ["a", "b", None, "a"] * 100,
            "t": [f"2024-01-{1 + i % 28:02d}" for i in range(N)],
        }
    )
    found = make_problem(table, DataOptions(("y",), weight="w", group="g", time_column="t"))
    weights, groups, times = found.weights(), found.groups(), found.times()
    assert weights is not None
    assert groups is not None
    assert times is not None
    assert weights.tolist() == list(range(N))
    assert groups.dtype == np.int64
    assert groups[:4].tolist() == [0, 1, 2, 0]
    assert (np.diff(times[:28]) == 86_400).all()
    assert [column.name for column in found.schema.columns] == ["x", "t"]
    plain = make_problem(table, DataOptions(("y",)))
    assert (plain.weights(), plain.groups(), plain.times()) == (None, None, None)


def test_target_groups_and_times_are_made_once() -> None:
    days = [f"2024-01-{1 + i % 28:02d}" for i in range(N)]
    table = read_table({"x": X, "y": X, "w": np.arange(N), "t": days})
    found = make_problem(table, DataOptions(("y",), weight="w", group="t", time_column="t"))
    for ask in (found.target, found.weights, found.groups, found.times):
        array = ask()
        assert array is not None
        assert ask() is array
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_target_of_a_test_file() -> None:
    task = problem(list("abcd") * 100).task
    assert target_of(pl.DataFrame({"y": ["d", "a"]}), task).tolist() == [3, 0]
    with pytest.raises(DataError, match="holds 'e', which is none of the 4 classes"):
        target_of(pl.DataFrame({"y": ["e"]}), task)
    with pytest.raises(DataError, match="no target column 'y'"):
        target_of(pl.DataFrame({"z": ["a"]}), task)
    digits = problem([0, 1, 2, 3] * 100).task
    assert target_of(pl.DataFrame({"y": ["3.0", "1"]}), digits).tolist() == [3, 1]
    amounts = problem(X).task
    assert target_of(pl.DataFrame({"y": ["1,200", "3"]}), amounts).tolist() == [[1200.0], [3.0]]
    with pytest.raises(DataError, match="missing or not a number in 1 of 2 rows"):
        target_of(pl.DataFrame({"y": [1.0, None]}), amounts)


def test_option_errors_are_the_users_and_exit_with_two() -> None:
    with pytest.raises(OptionError) as caught:
        problem(X, metric="speed")
    assert caught.value.exit_code == 2
