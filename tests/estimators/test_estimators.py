"""The estimators among scikit-learn's tools, on frames, and on what they refuse."""

from __future__ import annotations

import copy
import io
import json
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import justright
from justright import JustRightClassifier, JustRightRegressor
from justright.testing.tables import mixed_frame
from justright.training.guest import flushes_denormals

SHORT: dict[str, Any] = {"epochs": 6, "random_state": 0}
"""A few steps, where it does not matter how good the network is."""

SHARED = Path(__file__).parents[3] / "shared" / "data"


def line(rows: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return x, x[:, 0] - 2 * x[:, 1] + 0.1 * rng.normal(size=rows)


def towns(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A target that only text, a category and what is missing can explain."""
    rng = np.random.default_rng(seed)
    town = rng.choice(["Ulm", "Rome", "Oslo"], rows)
    grade = rng.choice(["low", "mid", "high"], rows)
    size = rng.normal(size=rows)
    gone = rng.random(rows) < 0.3
    y = np.where(town == "Rome", 3.0, 0.0) + np.where(grade == "high", 2.0, 0.0) + 4.0 * gone
    frame = pd.DataFrame(
        {
            "town": np.where(rng.random(rows) < 0.05, None, town),
            "grade": pd.Categorical(grade),
            "size": np.where(gone, np.nan, size),
        }
    )
    return frame, y + 0.1 * rng.normal(size=rows)


@pytest.fixture(scope="module")
def trained() -> JustRightClassifier:
    x, y = line()
    return JustRightClassifier(random_state=0).fit(x, np.where(y > 0, "up", "down"))


def test_pipeline_and_cross_validation() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), JustRightClassifier(random_state=0))
    scores = cross_val_score(pipe, x[:200], y[:200], cv=3)
    assert scores.min() > 0.9


def test_grid_search_over_sizes() -> None:
    x = line(200)[0]
    grid = {"hidden": [(1,), (32, 32)]}
    model = JustRightRegressor(epochs=40, random_state=0)
    found = GridSearchCV(model, grid, cv=3).fit(x, x[:, 0] * x[:, 1])
    assert found.best_params_["hidden"] == (32, 32)
    shapes = found.best_estimator_.recipe_.shape
    assert shapes.hidden == found.best_estimator_.model_.spec.shape.hidden == (32, 32)
    assert found.best_estimator_.n_iter_ == round(40 * 170 / 32)


def test_grid_search_over_a_step_of_a_pipeline() -> None:
    x = line(200)[0]
    pipe = make_pipeline(StandardScaler(), JustRightRegressor(epochs=40, random_state=0))
    grid = {"justrightregressor__hidden": [(1,), (32, 32)]}
    found = GridSearchCV(pipe, grid, cv=3).fit(x, x[:, 0] * x[:, 1])
    assert found.best_params_ == {"justrightregressor__hidden": (32, 32)}
    assert found.best_estimator_[-1].recipe_.shape.hidden == (32, 32)


def test_every_parameter_reaches_the_recipe() -> None:
    x, y = line()
    found = JustRightRegressor(
        hidden=[8], epochs=3, rate=0.01, dropout=0.3, members=2, random_state=0
    )
    recipe = found.fit(x, y).recipe_
    assert (recipe.shape.hidden, recipe.epochs) == ((8,), 3)
    assert (recipe.optimiser.rate, recipe.regularisation.dropout) == (0.01, 0.3)
    assert recipe.shape.members == 2
    assert found.n_iter_ == round(3 * 68 / 32)
    everything = found.set_params(validation_fraction=0.0).fit(x, y)
    assert everything.n_iter_ == round(3 * 80 / 32)


def test_the_same_seed_gives_the_same_network_and_another_one_another() -> None:
    x, y = line()
    first, second, other = (
        JustRightRegressor(epochs=6, random_state=seed).fit(x, y).predict(x) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)
    drawn = np.random.RandomState(3)
    model = JustRightRegressor(epochs=6, random_state=drawn)
    assert not np.array_equal(model.fit(x, y).predict(x), model.fit(x, y).predict(x))


def test_clones_and_pickles(trained: JustRightClassifier, tmp_path: Path) -> None:
    x, _ = line(30, seed=1)
    expected = trained.predict_proba(x)  # what PyTorch holds exists from here on
    joblib.dump(trained, tmp_path / "model.joblib")
    copies = (pickle.loads(pickle.dumps(trained)), joblib.load(tmp_path / "model.joblib"))
    for again in (*copies, copy.deepcopy(trained)):
        np.testing.assert_array_equal(again.predict_proba(x), expected)
    assert not [name for name in modules_in(pickle.dumps(trained)) if name.startswith("torch")]
    fresh = clone(trained)
    assert fresh.get_params() == trained.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(x)


def modules_in(pickled: bytes) -> set[str]:
    """The modules whose classes and functions a pickle names."""
    seen = set()

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            seen.add(module)
            return super().find_class(module, name)

    Reader(io.BytesIO(pickled)).load()
    return seen


def test_the_model_is_a_model_and_can_be_saved(trained, tmp_path: Path) -> None:
    x, _ = line(40, seed=2)
    saved = justright.load(trained.model_.save(tmp_path / "model"))
    np.testing.assert_array_equal(saved.probabilities(x), trained.predict_proba(x))
    found = saved.predict(x)
    assert found.columns == ["y", "p(down)", "p(up)"]
    assert found["y"].to_list() == trained.predict(x).tolist()
    assert trained.model_.predict(x).equals(found)
    columns = {f"x{place}": x[:, place] for place in range(3)}
    assert trained.model_.evaluate(columns | {"y": found["y"]})["accuracy"] == 1.0
    card = (tmp_path / "model" / "card.md").read_text()
    assert "Classes: down, up." in card
    assert "80 rows" in card


def test_the_model_is_exported_without_a_folder(trained, tmp_path: Path) -> None:
    done = trained.model_.export_onnx(
        tmp_path / "net.onnx", pl.DataFrame(line(50)[0], ["x0", "x1", "x2"])
    )
    assert done.path.is_file()
    assert done.comparison.rows == 50
    assert done.comparison.difference < 1e-5


def test_one_row_predicts_as_it_does_among_others(trained: JustRightClassifier) -> None:
    x, _ = line(50, seed=3)
    alone = np.concatenate([trained.predict_proba(row[None]) for row in x])
    np.testing.assert_allclose(alone, trained.predict_proba(x), rtol=1e-12)
    np.testing.assert_allclose(
        np.exp(trained.predict_log_proba(x)), trained.predict_proba(x), rtol=1e-12
    )


def test_text_categories_and_missing_values_in_pandas() -> None:
    x, y = towns(400)
    later, truth = towns(300, seed=1)
    model = JustRightRegressor(random_state=0).fit(x, y)
    assert model.score(later, truth) > 0.9
    assert model.feature_names_in_.tolist() == ["town", "grade", "size"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(later[["size", "grade", "town"]])


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_frames_mean_the_same_as_pandas(library: str) -> None:
    x, y = towns(150)
    other: Any = pa.Table.from_pandas(x) if library == "pyarrow" else pl.from_pandas(x)
    target = pl.Series("price", y)
    model = JustRightRegressor(**SHORT).fit(other, target)
    assert model.model_.task.targets == ("price",)
    expected = JustRightRegressor(**SHORT).fit(x, pd.Series(y, name="price")).predict(x)
    np.testing.assert_allclose(model.predict(other), expected, rtol=1e-12)


def test_a_column_of_every_kind() -> None:
    frame = mixed_frame(300)
    x, y = frame.drop("y", "kind"), frame["kind"].to_numpy()
    model = JustRightClassifier(**SHORT).fit(x, y)
    assert model.predict_proba(x).shape == (300, 3)
    assert set(model.predict(x)) <= set(model.classes_)


def test_a_column_that_counts_the_rows_is_an_input_unless_it_is_called_id() -> None:
    count = np.arange(100.0)
    assert (
        JustRightRegressor(random_state=0).fit(count[:, None], count).score(count[:, None], count)
        > 0.95
    )
    with pytest.raises(ValueError, match=r"no column is left.*row_id \(identifier\)"):
        JustRightRegressor().fit(pd.DataFrame({"row_id": count}), count)


def test_a_constant_column_leaves_the_mean() -> None:
    _, y = line(200)
    found = JustRightRegressor(random_state=0).fit(np.ones((200, 2)), y).predict(np.ones((3, 2)))
    np.testing.assert_allclose(found, y.mean(), atol=0.3)


def test_several_targets() -> None:
    x, y = line(200)
    both = pd.DataFrame({"near": y, "x0": -3 * y})
    model = JustRightRegressor(random_state=0).fit(x, both)
    assert model.predict(x).shape == (200, 2)
    assert model.score(x, both) > 0.9
    assert model.model_.task.targets == ("near", "x0_")  # x0 is a column already


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.array([False, True]), "boolean"),
        (np.array([1.0, 2.0]), "integer"),
        (np.array([" a", "NA"]), "text"),
        (np.array([7, -2]), "integer"),
    ],
)
def test_labels_come_back_as_they_were(labels: np.ndarray, kind: str) -> None:
    x, y = line()
    given = labels[(y > 0).astype(int)]
    model = JustRightClassifier(epochs=40, random_state=0).fit(x, given)
    assert model.score(x, given) > 0.9
    assert model.predict(x).dtype == given.dtype
    assert model.model_.task.label_type == kind
    own = model.model_.predict(x)[model.model_.task.targets[0]].to_list()
    assert own == model.predict(x).tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"effort": "best"}, "effort='best'.*fixed, search"),
        ({"hidden": ()}, "hidden"),
        ({"hidden": 64}, "hidden=64"),
        ({"hidden": (8, 0)}, "hidden"),
        ({"epochs": 0}, "epochs=0"),
        ({"rate": "fast"}, "rate='fast'"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"members": 0}, "members=0"),
        ({"validation_fraction": -0.1}, "validation_fraction=-0.1"),
        ({"effort": "search", "hidden": (8,)}, "the study decides"),
        ({"effort": "search", "time": "soon"}, "soon"),
        ({"rate": 1e6}, "training failed, diverged.*lower rate"),  # before any evaluation
    ],
)
def test_refused_parameters(changes: dict[str, Any], message: str) -> None:
    x, y = line()
    with pytest.raises(ValueError, match=message):
        JustRightRegressor(**changes, random_state=0).fit(x, y)


def test_what_was_learned_before_a_divergence_is_kept_with_a_warning() -> None:
    x, y = line(60)
    with pytest.warns(ConvergenceWarning, match="ended early, diverged at step"):
        model = JustRightRegressor(rate=300.0, epochs=30, random_state=0).fit(x, y)
    assert 0 < model.n_iter_ < round(30 * 51 / 32)
    assert np.isfinite(model.predict(x)).all()


def test_refused_rows() -> None:
    x, y = line()
    model = JustRightRegressor(**SHORT)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        model.fit(csr_matrix(x), y)
    with pytest.raises(ValueError, match="contains infinity"):
        model.fit(pd.DataFrame({"a": np.where(y > 0, np.inf, 1.0)}), y)
    with pytest.raises(ValueError, match="minimum of 2"):
        model.fit(pd.DataFrame(x[:1]), y[:1])
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(pd.DataFrame(x), y[:5])
    with pytest.raises(ValueError, match="squared"):
        model.fit(x, y * 1e300)
    with pytest.raises(NotFittedError):
        model.predict(x)
    with pytest.raises(ValueError, match="one class, 'b'"):
        JustRightClassifier().fit(x, np.full(len(x), "b"))


def test_the_process_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    x, y = line()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        JustRightRegressor(**SHORT).fit(x, y).predict(x)
        assert torch.get_num_threads() == 2
        assert not flushes_denormals()
    finally:
        torch.set_num_threads(before)
    assert not list(tmp_path.iterdir())


def test_imports_wait_and_a_pickle_predicts_in_a_process_of_its_own(
    trained: JustRightClassifier, tmp_path: Path
) -> None:
    x, _ = line(5, seed=1)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(trained))
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, justright; heavy = ('numpy', 'sklearn', 'torch')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "import pickle, numpy; model = pickle.load(open('model.pickle', 'rb'))\n"
        "justright.JustRightRegressor(); print('torch' in sys.modules)\n"
        "print(model.predict_proba(numpy.load('x.npy')).tolist())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    light, torch_there, found = done.stdout.splitlines()
    assert (light, torch_there) == ("[]", "False")
    np.testing.assert_allclose(json.loads(found), trained.predict_proba(x), rtol=1e-12)


def test_a_network_without_held_out_rows_overfits_noise() -> None:
    x, y = load_diabetes(return_X_y=True)
    parts: Any = train_test_split(x, y, test_size=0.5, random_state=0)
    scores = [
        JustRightRegressor(validation_fraction=share, random_state=0)
        .fit(parts[0], parts[2])
        .score(parts[1], parts[3])
        for share in (0.15, 0.0)
    ]
    assert scores[0] > scores[1] + 0.05


def test_a_search_leaves_the_model_of_a_study(tmp_path: Path) -> None:
    x, y = line(120)
    label = np.where(y > 0, "up", "down")
    place = tmp_path / "studies"
    model = JustRightClassifier("search", time="20s", studies=place, random_state=0)
    model.fit(x, label)
    assert model.score(x, label) > 0.9
    [folder] = [path for path in place.iterdir() if path.name.startswith("estimator-")]
    own = justright.load(folder / "model")
    np.testing.assert_array_equal(own.probabilities(x), model.predict_proba(x))
    assert own.task.classes == ("0", "1")
    assert model.model_.task.classes == ("down", "up")
    assert model.n_iter_ > 0
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared tables are not on this machine")
@pytest.mark.parametrize("name", ["concrete", "penguins"])
def test_real_tables(name: str) -> None:
    from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: PLC0415

    frame = pl.read_parquet(SHARED / f"{name}.parquet")
    entries = {
        entry["name"]: entry for entry in json.loads((SHARED / "manifest.json").read_text())
    }
    target = entries[name]["target"]
    x, y = frame.drop(target).to_pandas(), frame[target].to_numpy()
    classes = y.dtype == object
    train, test, known, truth = train_test_split(x, y, random_state=0)
    own: Any = JustRightClassifier if classes else JustRightRegressor
    score = own(random_state=0).fit(train, known).score(test, truth)
    numbers = train.select_dtypes("number").columns
    rival: Any = MLPClassifier if classes else MLPRegressor
    pipe = make_pipeline(StandardScaler(), rival(random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge in its 200 epochs
        filled = [part[numbers].fillna(train[numbers].mean()) for part in (train, test)]
        other = pipe.fit(filled[0], known).score(filled[1], truth)
    assert score > (0.95 if classes else 0.85)
    assert score > other - 0.02
