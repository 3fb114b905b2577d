"""Every metric equals scikit-learn's, with and without weights, and has an answer at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from justright.core.errors import OptionError
from justright.core.task import Task, TaskKind
from justright.data.problem import METRICS as ACCEPTED
from justright.statistics.metrics import (
    METRICS,
    metric_named,
    score,
)

REGRESSION = Task(TaskKind.REGRESSION, ("y",))
BINARY = Task(TaskKind.BINARY, ("y",), ("no", "yes"))
MULTI = Task(TaskKind.MULTICLASS, ("y",), ("a", "b", "c", "d"))


def _one_hot(y: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes)[y]


VALUES = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
    "rmsle": reference.root_mean_squared_log_error,
}


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(VALUES))
def test_regression_equals_sklearn(name: str, weighted: bool, outputs: int) -> None:
    rng = np.random.default_rng(1)
    y = rng.gamma(2.0, 3.0, (500, outputs))
    prediction = np.abs(y + rng.normal(size=y.shape))
    w = rng.gamma(1.0, 1.0, 500) if weighted else None
    expected = VALUES[name](y, prediction, sample_weight=w)
    assert metric_named(name)(y, prediction, w) == pytest.approx(expected, abs=1e-12, rel=1e-12)


def _reference_probabilities(name: str, y: np.ndarray, p: np.ndarray, w: np.ndarray | None):
    labels = np.arange(p.shape[1])
    hard = p.argmax(axis=1)
    two = p.shape[1] == 2
    if name == "log_loss":
        return reference.log_loss(y, p, labels=labels, sample_weight=w)
    if name == "accuracy":
        return reference.accuracy_score(y, hard, sample_weight=w)
    if name == "balanced_accuracy":
        return reference.balanced_accuracy_score(y, hard, sample_weight=w)
    if name == "macro_f1":
        return reference.f1_score(y, hard, average="macro", sample_weight=w)
    if name == "brier":
        if two:
            return reference.brier_score_loss(y, p[:, 1], sample_weight=w)
        return np.average(np.square(p - _one_hot(y, p.shape[1])).sum(axis=1), weights=w)
    if name == "auc":
        if two:
            return reference.roc_auc_score(y, p[:, 1], sample_weight=w)
        return np.mean([reference.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in labels])
    assert name == "average_precision"
    if two:
        return reference.average_precision_score(y, p[:, 1], sample_weight=w)
    target = _one_hot(y, p.shape[1])
    return reference.average_precision_score(target, p, average="macro", sample_weight=w)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("name", [m.name for m in METRICS if m.needs == "probabilities"])
def test_classification_equals_sklearn(
    name: str, ties: bool, weighted: bool, classes: int
) -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, classes, 400)
    p = rng.dirichlet(np.ones(classes), 400) + 0.3 * _one_hot(y, classes)
    p /= p.sum(axis=1, keepdims=True)
    if ties:  # eighths are exact in binary, so the rows still sum to 1
        p = np.floor(p * 8) / 8
        p[:, 0] = 1.0 - p[:, 1:].sum(axis=1)
    w = rng.gamma(1.0, 1.0, 400) if weighted else None
    expected = _reference_probabilities(name, y, p, w)
    assert metric_named(name)(y, p, w) == pytest.approx(expected, abs=1e-12, rel=1e-12)


def test_the_multiclass_brier_score_equals_sklearn_s_own() -> None:
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
    expected = np.mean([reference.brier_score_loss(y == k, p[:, k]) for k in range(3)]) * 3
    assert metric_named("brier")(y, p) == pytest.approx(expected, abs=1e-12)


def test_one_class_present_gives_nan_for_order_metrics_and_never_raises() -> None:
    y = np.zeros(5, dtype=np.int64)
    p = np.tile([0.7, 0.3], (5, 1))
    found = score(BINARY, y, p)
    assert math.isnan(found["auc"])
    assert math.isnan(found["average_precision"])
    assert found["accuracy"] == 1.0
    assert found["balanced_accuracy"] == 1.0


def test_probability_zero_for_the_true_class_is_finite_and_equals_sklearn() -> None:
    y = np.array([0, 1])
    p = np.array([[0.0, 1.0], [0.5, 0.5]])
    expected = reference.log_loss(y, p)
    assert metric_named("log_loss")(y, p) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_no_rows_and_broken_predictions_are_nan(metric) -> None:
    wide = 2 if metric.needs == "probabilities" else 1
    y = np.zeros(0, dtype=np.int64) if wide == 2 else np.zeros((0, 1))
    assert math.isnan(metric(y, np.zeros((0, wide))))
    y = np.array([0, 1]) if wide == 2 else np.ones((2, 1))
    assert math.isnan(metric(y, np.full((2, wide), np.nan)))


def test_r2_of_a_constant_target_is_nan() -> None:
    assert math.isnan(metric_named("r2")(np.full((9, 1), 1e6 + 0.1), np.zeros((9, 1))))


def test_rmsle_is_left_out_for_negative_targets() -> None:
    y = np.array([[-1.0], [2.0]])
    assert "rmsle" not in score(REGRESSION, y, y)
    assert score(REGRESSION, np.abs(y), np.abs(y))["rmsle"] == 0.0


@pytest.mark.parametrize("kind", TaskKind)
def test_what_the_option_takes_is_what_can_be_measured(kind: TaskKind) -> None:
    task = Task(kind, ("y",), ("a", "b") if "accuracy" in ACCEPTED[kind] else ())
    assert all(metric_named(name).applies(task) for name in ACCEPTED[kind])
    # average precision is measured for many classes as well, but does not decide there
    left = {each.name for each in METRICS if each.applies(task)} - set(ACCEPTED[kind])
    assert left <= {"average_precision"}


def test_directions_and_unknown_names() -> None:
    assert metric_named("auc").loss(0.9) == -0.9
    assert metric_named("rmse").loss(0.9) == 0.9
    with pytest.raises(OptionError, match="no metric 'auk'"):
        metric_named("auk")


@settings(max_examples=60)
@given(st.data())
def test_whole_weights_are_repetitions(data) -> None:
    n = data.draw(st.integers(2, 25))
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    p = np.array(
        data.draw(st.lists(st.sampled_from([0.1, 0.4, 0.5, 0.9]), min_size=n, max_size=n))
    )
    w = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    if w.sum() == 0:
        w[0] = 1
    both = np.stack([1.0 - p, p], axis=1)
    for metric in (m for m in METRICS if m.needs == "probabilities"):
        weighted = metric(y, both, w.astype(float))
        repeated = metric(np.repeat(y, w), np.repeat(both, w, axis=0))
        assert weighted == pytest.approx(repeated, rel=1e-9, nan_ok=True), metric.name
