"""An ONNX graph that grows operator by operator."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import Any

import numpy as np

OPSET, ML_OPSET, IR = 20, 4, 9
"""Versions of the operators, of those for machine learning, and of the file: the oldest that take
texts apart and look up double numbers. Every onnxruntime from 1.18, of May 2024, reads them."""

ML = "ai.onnx.ml"

Operand = str | float | np.ndarray
"""The name of a tensor, or a constant."""


class Graph:
    """Collects operators; every tensor gets a name that no other has.

    Numbers are double precision, as in the model's own file: single precision would differ from
    it by more than rounding where embeddings are sharp. Weights are kept as they are stored, and
    widened by the graph, so that the file does not double.

    Args:
        onnx: The package.
        inputs: Name of an input to whether it holds texts, and what it means. They are vectors of
            any length.
    """

    def __init__(self, onnx: Any, inputs: Mapping[str, tuple[bool, str]]) -> None:
        self._onnx = onnx
        self._names = set(inputs)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs = [
            self._value(name, "STRING" if text else "DOUBLE", ("rows",), meaning)
            for name, (text, meaning) in inputs.items()
        ]
        self._outputs: list[Any] = []

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs so far."""
        return tuple(output.name for output in self._outputs)

    def add(self, operator: str, *operands: Operand, domain: str = "", **attributes: Any) -> str:
        """Add an operator, and return the name of its result, the first where it has several.

        Args:
            operator: Its name in the standard.
            operands: Tensors by name, or constants.
            domain: Of the operator.
            attributes: Its attributes; arrays become tensors.
        """
        read = [x if isinstance(x, str) else self.constant(x) for x in operands]
        results = [self._free(operator) for _ in range(2 if operator == "StringSplit" else 1)]
        return self._node(operator, read, results, domain, attributes)

    def cosine(self, angle: str) -> str:
        """Cosine, as a sine: onnxruntime has that in double precision in all versions."""
        return self.add("Sin", self.add("Add", angle, pi / 2))

    def joined(self, parts: list[str]) -> str:
        """Matrices side by side."""
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def to_double(self, operand: str) -> str:
        """A tensor of any kind of number as double precision."""
        return self.add("Cast", operand, to=self._onnx.TensorProto.DOUBLE)

    def to_single(self, operand: str) -> str:
        """A tensor rounded to single precision."""
        return self.add("Cast", operand, to=self._onnx.TensorProto.FLOAT)

    def to_whole(self, operand: str) -> str:
        """Whole numbers of double precision as int64."""
        return self.add("Cast", operand, to=self._onnx.TensorProto.INT64)

    def constant(self, value: float | np.ndarray) -> str:
        """A constant tensor; single precision is kept in the file and widened."""
        array = np.asarray(value, None if isinstance(value, np.ndarray) else np.float64)
        name = self._free("constant")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return self.to_double(name) if array.dtype == np.float32 else name

    def output(self, name: str, result: str, kind: str, shape: tuple[Any, ...], doc: str) -> None:
        """Hand a result out, under a name that no column has.

        Args:
            name: The name wanted; underscores are added where a column is called so.
            result: The tensor.
            kind: Its type in the words of the standard: "DOUBLE", "STRING", "INT64" or "BOOL".
            shape: Its sizes; a word is a size that may vary.
            doc: What it means.
        """
        while name in self._names:
            name += "_"
        self._names.add(name)
        self._node("Identity", [result], [name], "", {})
        self._outputs.append(self._value(name, kind, shape, doc))

    def file(self, title: str, version: str, metadata: Mapping[str, str]) -> bytes:
        """The file.

        Args:
            title: Of the model.
            version: Of this package.
            metadata: What readers of the file can ask it for.
        """
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, title or "model", self._inputs, self._outputs, self._constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
            ir_version=IR,
            producer_name="justright",
            producer_version=version,
        )
        helper.set_model_props(model, dict(metadata))
        return model.SerializeToString()

    def _node(
        self,
        operator: str,
        operands: list[str],
        results: list[str],
        domain: str,
        attributes: Mapping[str, Any],
    ) -> str:
        given = {
            name: self._onnx.numpy_helper.from_array(value, name)
            if isinstance(value, np.ndarray)
            else value
            for name, value in attributes.items()
        }
        node = self._onnx.helper.make_node(
            operator, operands, results, name=results[0], domain=domain, **given
        )
        self._nodes.append(node)
        return results[0]

    def _value(self, name: str, kind: str, shape: tuple[Any, ...], doc: str) -> Any:
        number = getattr(self._onnx.TensorProto, kind)
        return self._onnx.helper.make_tensor_value_info(name, number, shape, doc_string=doc)

    def _free(self, word: str) -> str:
        place = len(self._nodes) + len(self._constants)
        while f"{word}_{place}" in self._names:
            place += 1
        name = f"{word}_{place}"
        self._names.add(name)
        return name
