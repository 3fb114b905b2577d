"""Several networks in one model folder answer with the mean of what each says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from justright.core.codec import from_document
from justright.core.errors import ModelError
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.model.card import CardFacts
from justright.model.folder import check_model, stacked, update_card, write_model
from justright.model.held import HeldModel
from justright.model.predictor import Model
from justright.model.uncertainty import with_uncertainty
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import PreprocessingSpec, Recipe
from justright.statistics.conformal import sorted_errors

HOT, FACTS = 1.7, CardFacts("houses", 120)

KINDS = ("values", "two", "many")

SHAPES = (
    Shape(hidden=(6, 5), numbers="periodic", bins=3),
    Shape(hidden=(6, 6), body="residual", normaliser="batch", numbers="piecewise", bins=3),
    Shape(hidden=(6,), members=3, normaliser="layer", activation="prelu"),
)


def frame_of(kind: str) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    x, rows = rng.normal(size=(120, 2)), np.arange(120)
    y = {"values": x @ [1.0, -1.0], "two": rows % 2 > 0, "many": np.array(list("abc"))[rows % 3]}
    town = np.array([f"town {n}" for n in range(12)])[rows % 12]  # enough values to be embedded
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "town": town, "y": y[kind]})


def networks(spec: NetworkSpec, count: int) -> list[dict[str, np.ndarray]]:
    """Weights of several networks, at random."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        shapes = tensor_shapes(spec) | buffer_shapes(spec)
        own = {n: rng.normal(size=shape).astype(np.float32) for n, shape in shapes.items()}
        own |= {n: np.abs(a) + 0.5 for n, a in own.items() if n.endswith(".var")}
        if "numbers.edges" in own:
            own["numbers.edges"].sort(axis=1)
        found.append(own)
    return found


def models(folder: Path, kind: str, shape: Shape, count: int = 3) -> list[Model]:
    """Each network as a model, and last all of them as one; with temperature and errors."""
    problem = make_problem(read_table(frame_of(kind)), DataOptions(target=("y",)))
    every = np.arange(120)
    spec = PreprocessingSpec(one_hot_up_to=3, rare_below=1)
    fitted = fit_preprocessing(problem, every, spec, every)
    errors = sorted_errors(np.linspace(0, 1, 100)[:, None])
    fitted = with_uncertainty(fitted, HOT if kind != "values" else 1.0, errors)
    net = NetworkSpec(shape, from_document(Inputs, fitted.document["inputs"]))
    each = networks(net, count)
    made = []
    for place, own in enumerate([*([one] for one in each), each]):
        path = write_model(
            folder / str(place),
            recipe=Recipe(),
            spec=net,
            preprocessing=fitted,
            weights=stacked(own),
            task=problem.task,
            facts=FACTS,
        )
        made.append(Model.load(path))
    return made


def said(model: Model, frame: pl.DataFrame) -> np.ndarray:
    """Values before they are kept in the range of training, or probabilities before they are
    cooled: both belong to the mean."""
    if not model.task.is_classification:
        own = model._predictor
        columns = {name: frame[name].to_numpy() for name in model.columns}
        return own.network.outputs(*own.preprocessing.encode(columns))
    cold = model.probabilities(frame) ** HOT
    return cold / cold.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", SHAPES, ids=["plain", "blocks", "members"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_says_the_mean_of_what_each_network_says(tmp_path, kind, shape) -> None:
    *each, together = models(tmp_path, kind, shape)
    frame = frame_of(kind)
    alone = [said(model, frame) for model in each]
    np.testing.assert_allclose(said(together, frame), np.mean(alone, axis=0), atol=1e-9)
    assert max(np.abs(alone[0] - other).max() for other in alone[1:]) > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_says_the_same(tmp_path, kind) -> None:
    for shape in SHAPES:
        *_, together = models(tmp_path / shape.body / str(shape.members), kind, shape)
        told = together.export_onnx(tmp_path / "model.onnx", frame_of(kind))
        assert told.comparison is not None
        assert told.comparison.difference < 1e-5


def test_everything_else_works_with_it(tmp_path) -> None:
    *each, together = models(tmp_path, "values", SHAPES[0])
    frame = frame_of("values")
    assert together.networks == 3
    assert together.parameters == 3 * each[0].parameters
    assert "3 networks of mlp" in repr(together)
    found = together.predict(frame, interval=0.9)
    assert (found["y_low"] < found["y_high"]).all()
    card = (together.folder / "card.md").read_text()
    assert "3 networks of different seeds" in card
    assert f"Together {together.parameters:,} weights" in card
    update_card(together.folder, FACTS)
    assert (together.folder / "card.md").read_text() == card
    assert "networks of different seeds" not in (each[0].folder / "card.md").read_text()
    held = HeldModel.of(together.folder)
    assert held.parameters == together.parameters
    assert held.predict(frame).equals(together.predict(frame))


def test_a_held_model_of_members_says_what_its_folder_says(tmp_path) -> None:
    first, *_ = models(tmp_path, "two", SHAPES[2])
    frame = frame_of("two")
    held = HeldModel.of(first.folder)
    np.testing.assert_allclose(held.probabilities(frame), first.probabilities(frame), atol=1e-12)


def test_the_file_needs_nothing_but_numpy_and_torch(tmp_path) -> None:
    *_, together = models(tmp_path, "many", SHAPES[0])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import network, numpy as np; "
        "p = network.load(sys.argv[1]).probabilities("
        "{'a': np.zeros(2), 'b': np.ones(2), 'town': ['town 1', None]}); "
        "assert p.shape == (2, 3) and 'justright' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(together.folder)], check=True, env={})


def test_a_stack_that_is_not_whole_is_refused(tmp_path) -> None:
    *_, together = models(tmp_path, "values", SHAPES[0])
    check_model(together.folder)
    net = together.spec
    weights = dict(stacked(networks(net, 3)))
    weights["layers.0.bias"] = weights["layers.0.bias"][:2]
    with pytest.raises(ModelError, match=r"tensor 'layers\.0\.bias' is \(2, 6\)"):
        write_model(
            tmp_path / "x",
            recipe=Recipe(),
            spec=net,
            preprocessing=HeldModel.of(together.folder)._predictor.preprocessing,
            weights=weights,
            task=together.task,
            facts=FACTS,
        )
