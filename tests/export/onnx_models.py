"""Models of random weights, and ONNX files that were made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl

from justright.core.codec import from_document, to_document
from justright.data.arrays import columns_of
from justright.data.ingest import read_table
from justright.data.options import DataOptions
from justright.data.preprocessing import fit_preprocessing
from justright.data.problem import make_problem
from justright.deploy.network import Network
from justright.model.card import CardFacts
from justright.model.folder import write_model
from justright.model.predictor import Model
from justright.recipe.network import Inputs, NetworkSpec, Shape, buffer_shapes, tensor_shapes
from justright.recipe.recipe import PreprocessingSpec, Recipe, TargetScale

SPEC = PreprocessingSpec(text_components=4, level_rows=20)


def random_weights(spec: NetworkSpec, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights that keep the size of what goes through them, as training leaves them."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in (tensor_shapes(spec) | buffer_shapes(spec)).items():
        array = generator.normal(size=shape)
        if name.endswith(".weight") and not name.startswith("categories"):
            array /= np.sqrt(shape[-2])
        elif name.endswith(".var"):
            array = np.abs(array) + 0.5
        elif name == "numbers.edges":
            array = np.sort(array, axis=1)
            array[0, 1] = array[0, 0]  # a bin without width
        arrays[name] = array.astype(np.float32)
    return arrays


def make_model(
    folder: Path,
    frame: pl.DataFrame,
    target: str | tuple[str, ...],
    shape: Shape | None = None,
    drop: tuple[str, ...] = (),
    kinds: dict[str, str] | None = None,
    scale: TargetScale = "plain",
) -> Model:
    """A model of random weights for a table, on whose rows its outputs spread around 0 by 2."""
    targets = (target,) if isinstance(target, str) else target
    options = DataOptions(target=targets, drop=drop, kinds=kinds or {})
    problem = make_problem(read_table(frame), options)
    every = np.arange(frame.height)
    fitted = fit_preprocessing(problem, every, replace(SPEC, target=scale), every)
    inputs = from_document(Inputs, fitted.document["inputs"])
    spec = NetworkSpec(shape or Shape(hidden=(8, 8), numbers="periodic", bins=3), inputs)
    weights = random_weights(spec)
    columns = columns_of(problem.table.frame, problem.schema.columns)
    outputs = Network(to_document(spec), weights).outputs(*fitted.encode(columns))
    for name in ("head.weight", "head.bias"):
        shift = outputs.mean(axis=0) if name == "head.bias" else 0.0
        scaled = 2.0 * (weights[name] - shift) / outputs.std(axis=0)
        weights[name] = scaled.astype(np.float32)
    write_model(
        folder,
        recipe=Recipe(),
        spec=spec,
        preprocessing=fitted,
        weights=weights,
        task=problem.task,
        facts=CardFacts("houses", frame.height),
    )
    return Model.load(folder)


def session(path: Path) -> onnxruntime.InferenceSession:
    """An ONNX file, ready to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def raw_feeds(opened: onnxruntime.InferenceSession, frame: pl.DataFrame) -> dict[str, Any]:
    """The columns of a table as somebody without this package would hand them in."""
    feeds = {}
    for given in opened.get_inputs():
        column = frame[given.name]
        if given.type == "tensor(string)":
            texts = column.cast(pl.String).fill_null("").to_list()
            feeds[given.name] = np.array(texts, object)
        elif column.dtype.is_temporal():
            moments = column.cast(pl.Datetime("us")).to_numpy().astype("datetime64[us]")
            micro = moments.astype(np.int64) * 1e-6
            feeds[given.name] = np.where(np.isnat(moments), np.nan, micro)
        else:
            numbers = column.cast(pl.Float64, strict=False)
            feeds[given.name] = numbers.fill_null(np.nan).to_numpy()
    return feeds


def apart(model: Model, opened: onnxruntime.InferenceSession, frame: pl.DataFrame) -> float:
    """Largest difference between a file and `Model.predict`: of a probability, or of a value in
    standard deviations of its target; also checks the labels.
    """
    expected = model.predict(frame)
    found = opened.run(None, raw_feeds(opened, frame))
    if not model.task.is_classification:
        scale = np.array(model._document["target"]["scale"])
        return float((np.abs(found[0] - expected.to_numpy()) / scale).max(initial=0.0))
    name = model.task.targets[0]
    assert found[1].tolist() == expected[name].to_list()
    return float(np.abs(found[0] - expected.drop(name).to_numpy()).max(initial=0.0))
