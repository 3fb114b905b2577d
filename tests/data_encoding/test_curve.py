"""The square root of a target: there and back, and what of it lies beside encoded rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from justright.data.curve import Curve
from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows, concatenate
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem, make_problem
from justright.recipe.recipe import PreprocessingSpec

TRAIN = np.arange(0, 200, 2)


def problem(low: float = 0.0) -> Problem:
    """Two skewed targets, the first of them from `low` on, and weights."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "x": rng.normal(size=200),
            "y": low + rng.gamma(1.0, 3.0, size=200),
            "z": rng.gamma(0.5, 900.0, size=200),
            "w": rng.uniform(0.1, 3.0, size=200),
        }
    )
    return make_problem(read_table(frame), DataOptions(target=("y", "z"), weight="w"))


def written(folder: Path, own: Problem, target: Any) -> EncodedRows:
    every = np.arange(200)
    fitted = fit_preprocessing(own, TRAIN, PreprocessingSpec(target=target), every)
    write_encoded(own, fitted, every, folder)
    return EncodedRows(folder)


@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(2, 30), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e12),
    )
)
def test_there_and_back_is_the_target_itself(y: np.ndarray) -> None:
    curve = Curve.fit(y, np.ones(len(y)))
    size = np.abs(y).max(axis=0)
    assert (np.abs(curve.straighten(curve.bend(y)) - y) <= 1e-9 * size).all()
    assert (np.array(curve.shift) == np.minimum(y.min(axis=0), 0.0)).all()


def test_what_lies_below_all_training_rows_is_bent_as_they_are() -> None:
    curve = Curve.fit(np.array([[4.0], [9.0]]), np.ones(2))
    assert curve.bend(np.array([[-5.0]])) == curve.bend(np.array([[0.0]]))
    assert curve.straighten(np.array([[-1e3]])) == 0.0


@pytest.mark.parametrize("low", [0.0, -7.0])
def test_networks_are_shown_the_root_and_everything_else_the_target(
    tmp_path: Path, low: float
) -> None:
    """Against float64: weighted mean and deviation of the roots of the training rows."""
    own = problem(low)
    plain, root = written(tmp_path / "a", own, "plain"), written(tmp_path / "b", own, "sqrt")
    y, w = own.target(), np.asarray(own.weights())
    shift = np.minimum(y[TRAIN].min(axis=0), 0.0)
    roots = np.sqrt(np.maximum(y - shift, 0.0))
    share = w[TRAIN] / w[TRAIN].sum()
    mean = share @ roots[TRAIN]
    scale = np.sqrt(share @ (roots[TRAIN] - mean) ** 2)
    rows = np.arange(200)
    np.testing.assert_allclose(root.batch(rows)["y"], (roots - mean) / scale, atol=1e-6)
    np.testing.assert_array_equal(root.y, plain.y)
    np.testing.assert_array_equal(plain.batch(rows)["y"], plain.y)
    assert (tmp_path / "b" / "trained.npy").exists()
    assert not (tmp_path / "a" / "trained.npy").exists()
    document = dict(root.preprocessing().document["target"])
    assert set(document.pop("curve")) == {"shift", "mean", "scale"}
    assert document == plain.preprocessing().document["target"]
    assert root.preprocessing().document["target"]["curve"]["shift"] == shift.tolist()


def test_what_is_trained_on_cannot_be_mixed(tmp_path: Path) -> None:
    own = problem()
    plain, root = written(tmp_path / "a", own, "plain"), written(tmp_path / "b", own, "sqrt")
    again = concatenate([root, root])
    np.testing.assert_array_equal(again.batch(np.array([3, 203]))["y"], root.trained[[3, 3]])
    with pytest.raises(ValueError, match="has a curved target"):
        concatenate([plain, root])


def test_classes_have_no_root(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": np.arange(200) % 7 + 0.5, "y": ["no", "yes"] * 100})
    own = make_problem(read_table(frame), DataOptions(target=("y",)))
    assert written(tmp_path, own, "sqrt").meta.curve is None
