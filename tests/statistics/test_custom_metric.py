"""A metric of the user's is scored, compared and given intervals as one of ours is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from justright.core.errors import OptionError
from justright.core.task import Task, TaskKind
from justright.statistics.custom import custom_name
from justright.statistics.intervals import Sample, paired_difference, row_variance, score_interval
from justright.statistics.metrics import metric_named, score
from justright.statistics.resampling import make_units, redrawn_rows


@pytest.fixture(autouse=True)
def importable() -> Iterator[None]:
    folder = str(Path(__file__).parent)
    sys.path.append(folder)
    yield
    sys.path.remove(folder)


OWN = "own_metrics:root_error:lower"


def world(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(rows, 1))
    better, worse = (y + s * rng.normal(size=y.shape) for s in (0.5, 0.7))
    return y, better, worse


def test_the_same_formula_scores_the_same() -> None:
    y, better, _ = world()
    own, ours = metric_named(OWN), metric_named("rmse")
    assert own(y, better) == pytest.approx(ours(y, better), rel=1e-12)
    assert own.title == "root error"
    assert own.loss(2.0) == 2.0
    assert metric_named("own_metrics:hit_rate:higher").loss(2.0) == -2.0


@pytest.mark.parametrize("kind", ["rows", "groups", "times"])
def test_intervals_agree_with_those_of_the_same_metric_of_ours(kind: str) -> None:
    y, better, worse = world(900)
    groups = np.arange(900) // 9 if kind == "groups" else None
    times = np.arange(900.0) if kind == "times" else None
    sample = Sample(y, None, groups, times)
    own, ours = metric_named(OWN), metric_named("rmse")
    for made, expected in (
        (score_interval(own, sample, better), score_interval(ours, sample, better)),
        (
            paired_difference(own, sample, better, worse),
            paired_difference(ours, sample, better, worse),
        ),
    ):
        assert made.estimate == pytest.approx(expected.estimate, rel=1e-12)
        assert made.high - made.low == pytest.approx(expected.high - expected.low, rel=0.25)
        assert made.low > 0
    found, known = (row_variance(m, sample, better, worse) for m in (own, ours))
    assert found == pytest.approx(known, rel=0.4)


def test_its_intervals_cover() -> None:
    """95% intervals of a 90% quantile of errors, which is no mean and no order of ours."""
    metric, inside = metric_named("own_metrics:worst_tenth:lower"), 0
    truth = 0.5 * 1.6448536269514722  # of half normal errors with a deviation of 0.5
    for seed in range(40):
        y, better, _ = world(300, seed)
        found = score_interval(metric, Sample(y), better, seed=seed)
        inside += found.low <= truth <= found.high
    assert inside >= 33  # binomial: fewer of 40 at 95% is beyond 1 in 1,000


def test_groups_are_drawn_whole() -> None:
    groups = np.array([0, 0, 0, 1, 2, 2])
    for rows in redrawn_rows(make_units(6, groups, None), 0, 20):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[1] == counts[2]
        assert counts[4] == counts[5]


def test_it_is_scored_beside_ours_only_when_it_decides() -> None:
    y, better, _ = world()
    task = Task(TaskKind.REGRESSION, ("y",))
    assert OWN not in score(task, y, better)
    made = score(task, y, better, also=OWN)
    assert made[OWN] == pytest.approx(made["rmse"])
    assert score(task, y, better, also="rmse") == score(task, y, better)


def test_weights_go_where_they_are_taken() -> None:
    y, better, _ = world(50)
    w = np.linspace(0, 1, 50)
    own = metric_named("own_metrics:weighted_error:lower")
    assert own(y, better, w) == pytest.approx(metric_named("mae")(y, better, w))
    with pytest.raises(OptionError, match="takes no weights"):
        metric_named(OWN)(y, better, w)


def test_classes_arrive_as_places_and_probabilities() -> None:
    y = np.array([0, 1, 2, 1])
    p = np.eye(3)[[0, 1, 1, 1]]
    assert metric_named("own_metrics:hit_rate:higher")(y, p) == 0.75


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "KeyError: 'profit'"), ("words", "returned str, not a number")],
)
def test_faults_are_one_line(name: str, said: str) -> None:
    y, better, _ = world(20)
    with pytest.raises(OptionError, match=said) as found:
        metric_named(f"own_metrics:{name}:lower")(y, better)
    assert "\n" not in str(found.value)
    assert f"own_metrics:{name}" in str(found.value)
    assert np.isnan(metric_named("own_metrics:never:lower")(y, better))


@pytest.mark.parametrize(
    ("metric", "direction", "said"),
    [
        ("own_metrics:root_error", None, "no direction"),
        ("own_metrics:root_error", "up", "the direction 'up'"),
        ("own_metrics:nothing", "lower", "cannot import"),
        ("no_such_module:f", "lower", "cannot import"),
        ("own_metrics:constant", "lower", "is no function"),
        ("own_metrics:", "lower", "cannot read"),
        (lambda truth, prediction: 0.0, "lower", "cannot be imported by worker processes"),
        (3, "lower", "is no function"),
    ],
)
def test_what_another_process_could_not_use_is_refused(
    metric: object, direction: str | None, said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        custom_name(metric, direction)


def test_a_function_is_known_by_where_it_is_imported_from() -> None:
    assert custom_name(np.median, "lower") == "numpy:median:lower"
