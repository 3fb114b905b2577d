"""How fast networks answer: one row at a time, as a service asks them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from justright.core.codec import to_document
from justright.deploy.network import Network
from justright.recipe.network import NetworkSpec, buffer_shapes, tensor_shapes

WARM_UP, RUNS, ENOUGH_S = 3, 31, 0.1
"""Answers that are not timed, the most that are, and seconds after which no more are begun."""


def measure(specs: Sequence[NetworkSpec], report: Callable[[Any], None]) -> list[float]:
    """Time networks, their weights drawn at random, by the file that lies in every model folder.

    Args:
        specs: The networks.
        report: Not used: it takes well under a second a network.

    Returns:
        Median seconds from the features of one row to the network's outputs, of each.
    """
    del report
    return [_seconds(spec) for spec in specs]


def _seconds(spec: NetworkSpec) -> float:
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(0.0, 0.05, shape)
        for name, shape in (tensor_shapes(spec) | buffer_shapes(spec)).items()
    }
    network = Network(to_document(spec), {name: np.abs(array) for name, array in arrays.items()})
    inputs = spec.inputs
    x = rng.normal(size=(1, inputs.numbers + inputs.indicators)).astype(np.float32)
    c = np.zeros((1, len(inputs.categories)), np.int32)
    return seconds_to_answer(network, x, c)


def seconds_to_answer(network: Any, x: np.ndarray, c: np.ndarray) -> float:
    """Median seconds from the features ``x`` [1, features] and ``c`` of a row to its outputs."""
    taken: list[float] = []
    while len(taken) < WARM_UP + 1 or (len(taken) < WARM_UP + RUNS and sum(taken) < ENOUGH_S):
        began = time.perf_counter()
        network.outputs(x, c)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[WARM_UP:])
