"""Features to outputs: `deploy.network.Network` as operators, formula by formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, pi, sqrt
from typing import Any

import numpy as np

from justright.export.graph import Graph

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
"""Published: Klambauer et al. 2017."""

SLOPES = {"leaky_relu": 0.01, "rrelu": (1 / 8 + 1 / 3) / 2}


class Body:
    """The trained network, in double precision.

    Args:
        graph: Receives the operators.
        document: The network, as in the model's ``recipe.json``.
        arrays: Its weights by name; of several networks, whose predictions are averaged, stacked.
        classes: Whether outputs are logits. A single one, the log-odds of the second class, is
            then preceded by a 0, that of the first.
    """

    def __init__(
        self,
        graph: Graph,
        document: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        classes: bool,
    ) -> None:
        self._graph = graph
        self._shape, self._inputs = document["shape"], document["inputs"]
        self._members, self._classes = self._shape.get("members", 1), classes
        own, self._all = dict(arrays), []
        if classes and self._inputs["outputs"] == 1:
            for name in ("head.weight", "head.bias"):
                own[name] = np.concatenate([np.zeros_like(arrays[name]), arrays[name]], -1)
        many = own["head.bias"].ndim > 1 + (self._members > 1)
        for i in range(len(own["head.bias"]) if many else 1):
            self._all.append({name: w[i] if many else w for name, w in own.items()})

    def outputs(self, x: str | None, codes: Sequence[str]) -> str:
        """Outputs [rows, outputs] for features [rows, features] and places in the categories'
        tables, int64 [rows] each, of which the one behind the last is a missing value.
        """
        found = []
        for own in self._all:
            self._w = own
            h = self._entry(x, codes)
            h = self._residual(h) if self._shape["body"] == "residual" else self._mlp(h)
            found.append(self._linear("head", h) if self._members == 1 else self._heads(h))
        if len(found) == self._members == 1:
            return found[0]
        if self._members == 1:
            found = [self._graph.add("Unsqueeze", each, np.array([0])) for each in found]
        h = found[0] if len(found) == 1 else self._graph.add("Concat", *found, axis=0)
        return self._together(h, len(found) * self._members)

    def _heads(self, h: str) -> str:
        """What each member says: [members, rows, outputs]."""
        graph, weight, bias = self._graph, self._w["head.weight"], self._w["head.bias"]
        h = graph.add("Reshape", h, np.array([-1, self._members, weight.shape[1]]))
        h = graph.add("MatMul", graph.add("Transpose", h, perm=[1, 0, 2]), weight)
        return graph.add("Add", h, bias[:, None])

    def _together(self, h: str, count: int) -> str:
        """The mean of so many values or, as logarithms, probabilities: [count, rows, outputs]."""
        graph = self._graph
        if not self._classes:
            return graph.add("ReduceMean", h, np.array([0]), keepdims=0)
        h = graph.add("LogSoftmax", h, axis=2)
        h = graph.add("ReduceLogSumExp", h, np.array([0]), keepdims=0)
        return graph.add("Sub", h, log(count))

    def _entry(self, x: str | None, codes: Sequence[str]) -> str:
        parts = [] if x is None else self._features(x)
        for i, code in enumerate(codes):
            table = self._w[f"categories.{i}.weight"]
            parts.append(self._graph.add("Gather", np.concatenate([table, table[:1]]), code))
        h = self._graph.joined(parts)
        if self._shape["scale_layer"]:
            h = self._graph.add("Mul", h, self._w["scale"])
        if self._members == 1:
            return h
        own = self._w["members.scale"]  # the members of a row lie below each other
        h = self._graph.add("Mul", self._graph.add("Unsqueeze", h, np.array([1])), own)
        return self._graph.add("Reshape", h, np.array([-1, own.shape[1]]))

    def _features(self, x: str) -> list[str]:
        """Numbers, embedded where the network embeds them, and indicators."""
        count, others = self._inputs["numbers"], self._inputs["indicators"]
        if self._shape["numbers"] == "none" or count == 0:
            return [x]
        found = [self._numbers(self._columns(x, 0, count) if others else x)]
        return [*found, self._columns(x, count, count + others)] if others else found

    def _columns(self, x: str, start: int, stop: int) -> str:
        places = (np.array([start]), np.array([stop]), np.array([1]))
        return self._graph.add("Slice", x, *places)

    def _numbers(self, x: str) -> str:
        """Numbers [rows, n] embedded, column by column: [rows, n × width]."""
        graph, w = self._graph, self._w
        x = graph.add("Unsqueeze", graph.add("Transpose", x, perm=[1, 0]), np.array([2]))
        if self._shape["numbers"] == "periodic":
            factor = 2 * pi * w["numbers.frequency"].astype(np.float64)[:, None]
            angle = graph.add("Add", graph.add("Mul", x, factor), w["numbers.phase"][:, None])
            t = graph.cosine(angle)
        else:
            t = self._through_bins(x)
        learned = graph.add("MatMul", t, w["numbers.weight"])  # [n, rows, width]
        learned = graph.add("Add", learned, w["numbers.bias"][:, None])
        if self._shape["numbers"] == "periodic":
            learned = graph.add("Concat", learned, x, axis=2)
        return graph.add("Flatten", graph.add("Transpose", learned, perm=[1, 0, 2]), axis=1)

    def _through_bins(self, x: str) -> str:
        """How far numbers [n, rows, 1] are through each bin: [n, rows, bins]."""
        edges = self._w["numbers.edges"].astype(np.float64)
        width = np.diff(edges, axis=1)
        low, high = np.zeros_like(width), np.ones_like(width)
        low[:, 0], high[:, -1] = -np.inf, np.inf
        low[width <= 0], high[width <= 0] = 0.0, 0.0  # a bin without width says nothing
        whole = np.where(width > 0, width, 1.0)
        t = self._graph.add("Sub", x, edges[:, None, :-1])
        t = self._graph.add("Max", self._graph.add("Div", t, whole[:, None]), low[:, None])
        return self._graph.add("Min", t, high[:, None])

    def _mlp(self, h: str) -> str:
        for i in range(len(self._shape["hidden"])):
            h = self._act(i, self._normal(i, self._linear(f"layers.{i}", h)))
        return h

    def _residual(self, h: str) -> str:
        y = self._linear("stem", h)
        for i in range(len(self._shape["hidden"])):
            inner = self._act(i, self._linear(f"layers.{i}", self._normal(i, y)))
            y = self._graph.add("Add", y, self._linear(f"layers.{i}.out", inner))
        return y

    def _linear(self, name: str, h: str) -> str:
        return self._graph.add("Gemm", h, self._w[f"{name}.weight"], self._w[f"{name}.bias"])

    def _normal(self, i: int, h: str) -> str:
        kind, graph = self._shape["normaliser"], self._graph
        if kind == "none":
            return h
        if kind == "layer":
            h = graph.add("Sub", h, graph.add("ReduceMean", h, np.array([1])))
            var = graph.add("ReduceMean", graph.add("Mul", h, h), np.array([1]))
            deviation: str | np.ndarray = graph.add("Sqrt", graph.add("Add", var, 1e-5))
        else:
            h = graph.add("Sub", h, self._w[f"norm.{i}.mean"])
            deviation = np.sqrt(self._w[f"norm.{i}.var"].astype(np.float64) + 1e-5)
        scaled = graph.add("Mul", graph.add("Div", h, deviation), self._w[f"norm.{i}.gain"])
        return graph.add("Add", scaled, self._w[f"norm.{i}.bias"])

    def _act(self, i: int, z: str) -> str:
        name = self._shape["activation"]
        slope = self._w[f"layers.{i}.slope"] if name == "prelu" else SLOPES.get(name)
        if slope is not None:
            rising = self._graph.add("GreaterOrEqual", z, 0.0)
            return self._graph.add("Where", rising, z, self._graph.add("Mul", z, slope))
        return activation(self._graph, name, z)


def activation(graph: Graph, name: str, z: str) -> str:
    """An activation without weights, of operators that onnxruntime has in double precision."""
    match name:
        case "relu" | "tanh" | "sigmoid":
            return graph.add(name.capitalize(), z)
        case "silu":  # not z × sigmoid(z), which onnxruntime 1.20 takes for one of its own
            return graph.add(
                "Div", z, graph.add("Add", graph.add("Exp", graph.add("Neg", z)), 1.0)
            )
        case "softplus":
            return _softplus(graph, z)
        case "mish":
            return graph.add("Mul", z, graph.add("Tanh", _softplus(graph, z)))
        case "elu":
            return graph.add("Add", graph.add("Relu", z), _below(graph, z))
        case "selu":
            below = graph.add("Mul", _below(graph, z), SELU_ALPHA)
            return graph.add("Mul", graph.add("Add", graph.add("Relu", z), below), SELU_SCALE)
        case "gelu":  # the error function exists in single precision only: 6e-8 of z are lost
            inner = graph.to_single(graph.add("Mul", z, 1 / sqrt(2)))
            share = graph.add("Add", graph.to_double(graph.add("Erf", inner)), 1.0)
            return graph.add("Mul", graph.add("Mul", z, 0.5), share)
    raise ValueError(f"no activation {name!r}")


def _below(graph: Graph, z: str) -> str:
    """exp(z) - 1 of what is below 0."""
    return graph.add("Sub", graph.add("Exp", graph.add("Min", z, 0.0)), 1.0)


def _softplus(graph: Graph, z: str) -> str:
    """log(1 + exp(z)), where exp cannot overflow."""
    small = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    return graph.add("Add", graph.add("Relu", z), graph.add("Log", graph.add("Add", small, 1.0)))
