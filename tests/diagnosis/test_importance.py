"""Shuffling encoded features is shuffling the column, and what is not used is worth nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.core.codec import to_document
from justright.data.arrays import ColumnArray, columns_of
from justright.data.encode import write_encoded
from justright.data.encoded import EncodedRows
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import Problem, make_problem
from justright.deploy.network import Coded, Network, Preprocessing
from justright.diagnosis.importance import Judged, feature_places, permutation_importance
from justright.recipe.network import NetworkSpec, Shape, tensor_shapes
from justright.recipe.recipe import PreprocessingSpec
from justright.statistics.intervals import Sample
from justright.statistics.metrics import metric_named
from justright.training.weights import write_weights

ROWS = 300
SHAPE = Shape(hidden=(4,), scale_layer=False, activation="tanh")


def frame() -> pl.DataFrame:
    """Every encoding: numbers with gaps, dates, few and many categories, booleans, texts."""
    rng = np.random.default_rng(0)
    number = rng.normal(size=ROWS)
    number[rng.random(ROWS) < 0.3] = np.nan
    words = ["red green blue car", "old house in town", "fast boat at sea", "quiet lake"]
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2030, 1, 1), "1d", eager=True)
    return pl.DataFrame(
        {
            "street": [f"street {k}" for k in rng.integers(0, 60, ROWS)],
            "number": number,
            "day": days.sample(ROWS, seed=0),
            "town": rng.choice(["Bonn", "Kiel", "Ulm"], ROWS),
            "flag": rng.random(ROWS) < 0.5,
            "words": [f"{words[k % 4]} {words[k // 4]} {i}" for i, k in
                      enumerate(rng.integers(0, 16, ROWS).tolist())],
            "size": rng.normal(size=ROWS),
            "y": rng.normal(size=ROWS),
        }
    )  # fmt: skip


@pytest.fixture(name="made", scope="module")
def an_encoding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Problem, Preprocessing]:
    problem = make_problem(read_table(frame()), DataOptions(target=("y",)))
    rows = np.arange(ROWS)
    preprocessing = fit_preprocessing(problem, rows, PreprocessingSpec(), rows)
    folder = tmp_path_factory.mktemp("encoded")
    write_encoded(problem, preprocessing, rows, folder)
    return folder, problem, preprocessing


def taken(values: ColumnArray, order: np.ndarray) -> ColumnArray:
    if isinstance(values, Coded):
        return Coded(values.codes[order], values.values)
    return values[order]


def test_shuffled_features_are_the_features_of_shuffled_columns(
    made: tuple[Path, Problem, Preprocessing],
) -> None:
    _, problem, preprocessing = made
    columns = columns_of(problem.table.frame, problem.schema.columns)
    x, c = preprocessing.encode(columns)
    order = np.random.default_rng(1).permutation(ROWS)
    places = feature_places(preprocessing.document)
    assert set(places) == {column.name for column in problem.schema.inputs}
    for name, (in_x, in_c) in places.items():
        ours_x, ours_c = x.copy(), c.copy()
        ours_x[:, in_x], ours_c[:, in_c] = x[order][:, in_x], c[order][:, in_c]
        true_x, true_c = preprocessing.encode({**columns, name: taken(columns[name], order)})
        assert (ours_x == true_x).all(), name
        assert (ours_c == true_c).all(), name
        assert not ((x == true_x).all() and (c == true_c).all()), name
    used = [place for in_x, _ in places.values() for place in in_x]
    assert sorted(used) == list(range(x.shape[1]))


def judged(made: tuple[Path, Problem, Preprocessing], blind: str) -> tuple[Judged, Network]:
    """A random network that does not see one column."""
    folder, _, preprocessing = made
    document = preprocessing.document
    spec = NetworkSpec(SHAPE, EncodedRows(folder).meta.inputs)
    rng = np.random.default_rng(2)
    arrays = {n: rng.normal(size=s).astype(np.float32) for n, s in tensor_shapes(spec).items()}
    arrays["layers.0.weight"][feature_places(document)[blind][0]] = 0.0
    write_weights(folder / "random.safetensors", arrays, 1)
    weights = str(folder / "random.safetensors")
    network = Network(to_document(spec), arrays)
    return Judged(str(folder), weights, SHAPE, np.arange(ROWS)), network


def test_importance_is_the_mean_rise_of_the_loss(
    made: tuple[Path, Problem, Preprocessing],
) -> None:
    """Against the same network on shuffled columns, written out anew."""
    one, network = judged(made, "size")
    _, problem, preprocessing = made
    columns = columns_of(problem.table.frame, problem.schema.columns)

    def predicted(values: dict[str, ColumnArray]) -> np.ndarray:
        return preprocessing.decode(network.outputs(*preprocessing.encode(values)))

    y = predicted(columns) + 0.01 * np.random.default_rng(3).normal(size=(ROWS, 1))
    found = permutation_importance([one], Sample(y), "rmse", 5, 0, lambda _: None)
    known = {each.column: each for each in found}
    metric = metric_named("rmse")
    base = metric(y, predicted(columns))
    for name in ("town", "street", "number"):
        rng = np.random.default_rng(4)
        rises = []
        for _ in range(20):
            shuffled = {**columns, name: taken(columns[name], rng.permutation(ROWS))}
            rises.append(metric(y, predicted(shuffled)) - base)
        own = known[name]
        assert own.matters
        assert own.low < float(np.mean(rises)) < own.high, name
    assert known["size"].loss == 0.0
    assert not known["size"].matters
    assert [each.loss for each in found] == sorted((e.loss for e in found), reverse=True)
