"""A baseline that is handed what it chose before gives equal predictions, and asks no clock."""

from __future__ import annotations

import numpy as np
import pytest

from justright.baselines import neighbours, trees
from justright.baselines.base import Exercise, Sample
from justright.baselines.registry import baseline_named, baseline_names
from justright.baselines.run import _solve
from justright.core.task import Task, TaskKind

FOREVER, AT_ONCE = 1e12, 0.0


def exercise(kind: TaskKind, deadline: float, choice: tuple[int, ...] = ()) -> Exercise:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(320, 4)).astype(np.float32)
    # mostly noise: with little to learn trees are soon done, also where they have all the time
    signal = x[:, 0] * x[:, 1] + 1.5 * rng.normal(size=320)
    classes: tuple[str, ...] = ()
    if kind is TaskKind.BINARY:
        y, classes = (signal > 0).astype(np.int64), ("no", "yes")
    else:
        y = np.stack([signal, x[:, 2] * signal], axis=1).astype(np.float32)
    names = ("a",) if classes else ("a", "b")
    none = np.zeros((320, 0), np.int32)
    return Exercise(
        task=Task(kind, names, classes=classes),
        categories=(),
        train=Sample(x[:220], none[:220], y[:220]),
        x=x[220:],
        c=none[220:],
        seed=5,
        deadline=deadline,
        choice=choice,
    )


@pytest.mark.parametrize("kind", [TaskKind.BINARY, TaskKind.MULTI_REGRESSION])
@pytest.mark.parametrize("name", baseline_names())
@pytest.mark.parametrize("hurry", [False, True])
def test_a_choice_handed_back_repeats_the_answer_bit_for_bit(
    name: str, kind: TaskKind, hurry: bool
) -> None:
    solve = baseline_named(name).load()
    first = _solve(solve, exercise(kind, AT_ONCE if hurry else FOREVER))
    again = _solve(solve, exercise(kind, FOREVER if hurry else AT_ONCE, first.choice))
    assert np.array_equal(first.prediction, again.prediction)
    assert again.choice == first.choice
    assert all(isinstance(number, int) and number >= 0 for number in first.choice)


def test_without_the_choice_the_clock_matters() -> None:
    """Otherwise the test above could not fail."""
    solve = baseline_named("boosting").load()
    slow, quick = (
        _solve(solve, exercise(TaskKind.BINARY, end)).prediction for end in (FOREVER, AT_ONCE)
    )
    assert not np.array_equal(slow, quick)


def test_a_repetition_never_looks_at_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = baseline_named("boosting").load()
    choice = _solve(solve, exercise(TaskKind.BINARY, FOREVER)).choice

    def clock() -> float:
        raise AssertionError("a repetition asked the clock")

    monkeypatch.setattr(trees.time, "monotonic", clock)
    _solve(solve, exercise(TaskKind.BINARY, FOREVER, choice))


def test_neighbours_look_among_as_many_rows_as_before() -> None:
    few = _solve(neighbours.fit_predict, exercise(TaskKind.BINARY, FOREVER, (150,)))
    assert any("among 150 of 220 rows" in note for note in few.notes)
    assert few.choice == (150,)
