"""A model as the bytes of one ONNX file."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from justright.export.body import Body
from justright.export.columns import encode
from justright.export.graph import Graph
from justright.export.inputs import Input, inputs_of
from justright.export.packages import load_onnx

VALUE, PROBABILITIES, LABEL = "value", "probabilities", "label"
"""Names of the outputs."""


@dataclass(frozen=True)
class OnnxFile:
    """A model in ONNX.

    Attributes:
        content: The bytes.
        inputs: In the order of the model's columns.
        outputs: Names: values, or probabilities and label.
    """

    content: bytes
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]


def build(
    title: str,
    network: Mapping[str, Any],
    document: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
) -> OnnxFile:
    """Build the file: columns in, values or probabilities out, for any number of rows.

    Args:
        title: What the model is called.
        network: What ``recipe.json`` says of the network.
        document: ``preprocessing.json``.
        arrays: The weights by name.

    Raises:
        MissingExtraError: If the package onnx is not installed.
        ModelError: If ONNX has no operators for what some columns hold.
    """
    inputs = inputs_of(document)
    graph = Graph(load_onnx(), {column.name: (column.text, column.meaning) for column in inputs})
    target = document["target"]
    x, codes = encode(graph, document, inputs)
    body = Body(graph, network, arrays, classes=bool(target["classes"]))
    outputs = body.outputs(x, codes)
    if target["classes"]:
        _decode_classes(graph, target, outputs)
    else:
        _decode_values(graph, target, outputs)
    version = importlib.metadata.version("justright")
    metadata = _metadata(title, version, target, inputs, graph.outputs)
    return OnnxFile(graph.file(title, version, metadata), inputs, graph.outputs)


def _decode_values(graph: Graph, target: Mapping[str, Any], outputs: str) -> None:
    curve = target.get("curve")
    mean, scale = (np.array((curve or target)[name], np.float64) for name in ("mean", "scale"))
    low, high = (np.array(target[name], np.float64) for name in ("low", "high"))
    found = graph.add("Add", graph.add("Mul", outputs, scale), mean)
    if curve:
        root = graph.add("Max", found, np.zeros_like(mean))
        found = graph.add("Add", graph.add("Mul", root, root), np.array(curve["shift"]))
    found = graph.add("Min", graph.add("Max", found, low), high)
    names = ", ".join(target["names"])
    graph.output(VALUE, found, "DOUBLE", ("rows", len(mean)), f"{names}, a column each")


def _decode_classes(graph: Graph, target: Mapping[str, Any], outputs: str) -> None:
    temperature = float(target.get("temperature", 1.0))
    if temperature != 1.0:
        outputs = graph.add("Div", outputs, temperature)
    chances = graph.add("Softmax", outputs, axis=1)
    best = graph.add("ArgMax", chances, axis=1, keepdims=0)
    labels, kind = _labels(target)
    name, classes = target["names"][0], target["classes"]
    graph.output(
        PROBABILITIES, chances, "DOUBLE", ("rows", len(classes)), "of each class, in their order"
    )
    label = graph.add("Gather", labels, best)
    graph.output(LABEL, label, kind, ("rows",), f"the most probable class of {name}")


def _labels(target: Mapping[str, Any]) -> tuple[np.ndarray, str]:
    """The classes in the type that the table had, and its name in the standard."""
    classes = list(target["classes"])
    if target["label_type"] == "boolean":
        return np.array([text == "true" for text in classes]), "BOOL"
    if target["label_type"] == "integer" and all(-(2**63) <= int(c) < 2**63 for c in classes):
        return np.array([int(text) for text in classes], np.int64), "INT64"
    return np.array(classes, object), "STRING"


def _metadata(
    title: str,
    version: str,
    target: Mapping[str, Any],
    inputs: Sequence[Input],
    outputs: Sequence[str],
) -> dict[str, str]:
    """What the file says of itself, as texts and JSON."""
    columns = [
        {
            "name": column.name,
            "kind": column.kind,
            "type": column.type,
            "meaning": column.meaning,
        }
        for column in inputs
    ]
    return {
        "title": title,
        "task": target["kind"],
        "targets": _json(target["names"]),
        "classes": _json(target["classes"]),
        "product": f"justright {version}",
        "columns": _json(columns),
        "outputs": _json(list(outputs)),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
