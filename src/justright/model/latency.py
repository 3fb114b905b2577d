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

ROUNDS, WARM_UP, RUNS = 3, 2, 11
"""Rounds over all networks; in each, answers of a network that are not timed, and that are."""


def measure(specs: Sequence[NetworkSpec], report: Callable[[Any], None]) -> list[float]:
    """Time networks, not yet trained, by the file that lies in every model folder.

    Args:
        specs: The networks.
        report: Not used: it takes seconds at most.

    Returns:
        Seconds from the features of one row to the network's outputs, of each: the least disturbed
        of three medians.
    """
    del report
    asked = [_asked(spec) for spec in specs]
    rounds = [[_median(*each) for each in asked] for _ in range(ROUNDS)]
    return [min(found) for found in zip(*rounds, strict=True)]


def seconds_to_answer(network: Any, x: np.ndarray, c: np.ndarray) -> float:
    """The same of one network, asked for the features ``x`` [1, features] and ``c`` of a row."""
    return min(_median(network, x, c) for _ in range(ROUNDS))


def _asked(spec: NetworkSpec) -> tuple[Network, np.ndarray, np.ndarray]:
    """A network with weights drawn at random, and a row."""
    rng = np.random.default_rng(0)
    arrays = {
        name: np.abs(rng.normal(0.0, 0.05, shape))  # variances are positive
        for name, shape in (tensor_shapes(spec) | buffer_shapes(spec)).items()
    }
    inputs = spec.inputs
    x = rng.normal(size=(1, inputs.numbers + inputs.indicators)).astype(np.float32)
    c = np.zeros((1, len(inputs.categories)), np.int32)
    return Network(to_document(spec), arrays), x, c


def _median(network: Any, x: np.ndarray, c: np.ndarray) -> float:
    taken: list[float] = []
    for _ in range(WARM_UP + RUNS):
        began = time.perf_counter()
        network.outputs(x, c)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[WARM_UP:])
