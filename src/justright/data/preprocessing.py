"""Learn from training rows how columns become numbers; `deploy.network` then does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from justright.core.codec import to_document
from justright.core.column import Column, ColumnKind
from justright.core.task import TaskKind
from justright.data.arrays import ColumnArray, column_array
from justright.data.curve import Curve, mean_and_scale
from justright.data.layout import LEAST_COMPONENTS, counts_of, describe, feature_names
from justright.data.problem import Problem
from justright.data.scaling import quantile_edges, robust_scale
from justright.data.text import learn_components
from justright.deploy.network import FORMAT, Coded, Preprocessing, column_features
from justright.recipe.recipe import PreprocessingSpec

TEXT_ROWS = 10_000
"""Rows from which the scale of text components is learned. Assumption: quartiles of so many rows
are exact to about one percentile."""


def fit_preprocessing(
    problem: Problem,
    train_rows: np.ndarray,
    spec: PreprocessingSpec,
    vocabulary_rows: np.ndarray,
) -> Preprocessing:
    """Fit the preprocessing of a partition.

    What features there are follows from all rows that may be learned from, so that it is the same
    in every partition; their scales, and which values count as seen, from the training rows alone.

    Args:
        problem: The table and its task.
        train_rows: int [n], rows of the table.
        spec: How columns become numbers.
        vocabulary_rows: int [m], rows of the table that hold the training rows.
    """
    learner = _Learner(_shared(problem, spec), np.isin(vocabulary_rows, train_rows))
    index = pl.Series(np.asarray(vocabulary_rows, dtype=np.int64))
    for column in problem.schema.inputs:
        values = column_array(problem.table.frame[column.name].gather(index), column)
        learner.learn(column, values, problem.table.frame.schema[column.name].is_numeric())
    named = {column.name for column in problem.schema.inputs}
    unused = [n for n in problem.table.columns if n not in named and n not in problem.task.targets]
    return learner.finished(
        {
            "target": _target(problem, train_rows, spec),
            "unused": unused,
            "weight": problem.options.weight,
        }
    )


def _shared(problem: Problem, spec: PreprocessingSpec) -> PreprocessingSpec:
    """The spec with the components of each text column, so that many texts stay affordable."""
    texts = sum(column.kind is ColumnKind.TEXT for column in problem.schema.inputs)
    wanted = spec.text_components
    each = max(wanted // max(texts, 1), min(wanted, LEAST_COMPONENTS))
    return replace(spec, text_components=each)


class _Learner:
    """Collects what the columns teach, one after the other: memory holds one column at a time."""

    def __init__(self, spec: PreprocessingSpec, train: np.ndarray) -> None:
        self._spec = spec
        self._train = train
        self._columns: list[dict[str, Any]] = []
        self._arrays: dict[str, np.ndarray] = {}
        self._edges: list[np.ndarray] = []
        self._scales: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])  # numbers, indicators
        self._names: tuple[list[str], list[str]] = ([], [])
        self._categories: list[int] = []

    def learn(self, column: Column, values: ColumnArray, numeric: bool) -> None:
        """Take in one column's values in the vocabulary rows; numeric says how it is stored."""
        described: dict[str, Any] = describe(column, values, self._spec)
        described["numeric"] = numeric
        if isinstance(values, np.ndarray):
            seen: Any = values[self._train]
        else:
            seen = Coded(values.codes[self._train], values.values)
        if described["encoding"] == "text":
            described["array"] = f"preprocessing/{len(self._columns)}"
            seen = self._learn_text(described, seen)
        if described["encoding"] == "embedding":
            _forget_rare(described, seen, self._spec.rare_below)
            self._categories.append(len(described["values"]) + 1)
        features, missing = column_features(seen, described, self._arrays)
        if described.get("levels"):
            _forget_rare_levels(described, seen, self._spec.rare_below)
            self._categories.append(len(described["levels"]) + 1)
        if described["encoding"] == "embedding":
            described["unseen_rows"] = int((features == 0).sum())
            features = np.zeros((len(features), 0))
        if described["flag"]:
            features = np.column_stack([features, missing])
        numbers, indicators = feature_names(described)
        self._edges.append(quantile_edges(features[:, : len(numbers)]))
        scale = np.stack(robust_scale(features), axis=1)
        self._scales[0].append(scale[: len(numbers)])
        self._scales[1].append(scale[len(numbers) :])
        self._names[0].extend(numbers)
        self._names[1].extend(indicators)
        self._columns.append(described)

    def finished(self, further: dict[str, Any]) -> Preprocessing:
        """All columns together with what else the document says."""
        scales = np.concatenate([*self._scales[0], *self._scales[1]])
        document = {
            "format": FORMAT,
            "inputs": {
                "numbers": len(self._names[0]),
                "indicators": len(self._names[1]),
                "categories": self._categories,
                "outputs": len(further["target"]["prior"]),
            },
            "columns": self._columns,
            "features": self._names[0] + self._names[1],
            "centre": scales[:, 0].tolist(),
            "factor": scales[:, 1].tolist(),
            "clip": self._spec.clip,
            **further,
        }
        raw = np.concatenate(self._edges).T  # [EDGES, numbers]: as rows they can be scaled
        arrays = self._arrays | {"edges": Preprocessing(document, {}).scaled(raw).T}
        return Preprocessing(document, arrays)

    def _learn_text(self, described: dict[str, Any], seen: Coded) -> Coded:
        """Learn the components, and thin out the rows from which their scale is learned."""
        used = np.unique(seen.codes[seen.codes >= 0])
        texts = [str(seen.values[code]) for code in used.tolist()]
        idf, weight = learn_components(texts, described["components"])
        self._arrays[f"{described['array']}/idf"] = idf
        self._arrays[f"{described['array']}/weight"] = weight
        some = np.linspace(0, len(seen.codes) - 1, min(len(seen.codes), TEXT_ROWS))
        return Coded(seen.codes[some.round().astype(int)], seen.values)


def _forget_rare(described: dict[str, Any], seen: Coded, rare_below: int) -> None:
    """Null in the place of values that the training rows hold too rarely."""
    counts = dict(zip(seen.values, counts_of(seen.codes, len(seen.values)).tolist(), strict=True))
    described["values"] = [v if counts[v] >= rare_below else None for v in described["values"]]


def _forget_rare_levels(described: dict[str, Any], seen: np.ndarray, rare_below: int) -> None:
    """The same of numbers that are categories, too."""
    levels = described["levels"]
    counts = [int((seen == level).sum()) for level in levels]
    described["levels"] = [
        level if count >= rare_below else None for level, count in zip(levels, counts, strict=True)
    ]
    described["unseen_rows"] = len(seen) - sum(count for count in counts if count >= rare_below)


def _target(problem: Problem, train_rows: np.ndarray, spec: PreprocessingSpec) -> dict[str, Any]:
    """How outputs are decoded, and where the head starts: at the prior."""
    task, weights = problem.task, problem.weights()
    y = problem.target()[train_rows]
    w = np.ones(len(y)) if weights is None else weights[train_rows]
    found: dict[str, Any] = {
        "kind": task.kind.value,
        "names": list(task.targets),
        "classes": list(task.classes),
        "label_type": task.label_type,
        "mean": [],
        "scale": [],
        "low": [],
        "high": [],
    }
    if task.is_classification:
        # one row more of each class (Laplace): a class that no training row has stays possible
        counts = np.bincount(y, weights=w / w.mean(), minlength=len(task.classes)) + 1.0
        logs = np.log(counts / counts.sum())
        prior = [logs[1] - logs[0]] if task.kind is TaskKind.BINARY else logs.tolist()
        return found | {"prior": [float(value) for value in prior]}
    mean, scale = mean_and_scale(y, w)
    if spec.target == "sqrt":
        found["curve"] = to_document(Curve.fit(y, w))
    return found | {
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "low": y.min(axis=0).tolist(),
        "high": y.max(axis=0).tolist(),
        "prior": [0.0] * y.shape[1],
    }
