"""Permutation importance: how much worse the network gets when one column is shuffled.

Breiman (2001), of a given model on rows that it was not trained on, as Fisher, Rudin & Dominici
(2019) define its reliance on a column. Shuffling makes rows that cannot be, where columns go
together; and of two columns that say the same, each alone seems to be worth little (Hooker, Mentch
& Zhou 2021).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from justright.core.codec import to_document
from justright.data.encoded import EncodedRows
from justright.data.layout import embedded_values, feature_names
from justright.deploy.network import Network, read_safetensors
from justright.recipe.network import NetworkSpec, Shape
from justright.statistics.intervals import Sample, row_variance
from justright.statistics.metrics import metric_named

MOST = 50
"""Columns that are shuffled several times, where there are more: those whose first shuffling cost
most (assumption)."""

PROBED = 256
"""Rows whose prediction is timed (assumption)."""

LEVEL = 0.95


@dataclass(frozen=True)
class Judged:
    """A network and rows that it was not trained on.

    Attributes:
        folder: Encoded rows.
        weights: File of its weights.
        shape: Its body.
        rows: int64, places in the folder.
    """

    folder: str
    weights: str
    shape: Shape
    rows: np.ndarray


@dataclass(frozen=True)
class Reliance:
    """What a column is worth to a network.

    Attributes:
        column: Its name.
        loss: By how much the deciding metric gets worse when the column is shuffled.
        low, high: 95% limits, which hold for all columns together (Bonferroni).
        repeats: How often it was shuffled.
    """

    column: str
    loss: float
    low: float
    high: float
    repeats: int

    @property
    def matters(self) -> bool:
        """Whether the network uses it, whatever else was shuffled."""
        return self.low > 0.0


def seconds_a_row(networks: Sequence[Judged], report: Callable[[Any], None]) -> float:
    """Seconds in which this worker predicts an encoded row, within a batch.

    Args:
        networks: The first one is timed.
        report: Not used: it takes a moment.
    """
    del report
    one = _Opened(networks[0], networks[0].rows[:PROBED])
    one.predict(one.x, one.c)  # the first call sets things up
    began = time.perf_counter()
    one.predict(one.x, one.c)
    return (time.perf_counter() - began) / max(len(one.x), 1)


def permutation_importance(
    networks: Sequence[Judged],
    sample: Sample,
    metric: str,
    repeats: int,
    seed: int,
    report: Callable[[Any], None],
) -> tuple[Reliance, ...]:
    """Shuffle each input column in turn, and see how much worse the deciding metric gets.

    The interval knows of the choice of rows (jackknife or influence values of the paired
    difference) and of the shuffling.

    Args:
        networks: One per block of rows, all of one recipe.
        sample: Their rows below each other, with what their statistics need.
        metric: Name of the deciding metric.
        repeats: Shufflings of each column; beyond `MOST` columns only the best have them all.
        seed: Of the shuffling.
        report: Told how far it is.

    Returns:
        All columns, the most important first.
    """
    opened = [_Opened(each, each.rows) for each in networks]
    measure = metric_named(metric)
    plain = np.concatenate([each.predict(each.x, each.c) for each in opened])
    base = measure.loss(measure(sample.y, plain, sample.weights))
    names = list(opened[0].places)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    chosen = names
    for turn in range(repeats):
        report({"text": f"shuffling {turn + 1}/{repeats}"})
        for name in chosen:
            rng = np.random.default_rng([seed, turn, names.index(name)])
            shuffled = np.concatenate([each.shuffled(name, rng) for each in opened])
            worse = measure.loss(measure(sample.y, shuffled, sample.weights)) - base
            found[name].append((worse, row_variance(measure, sample, plain, shuffled)))
        if turn == 0 and len(names) > MOST:
            chosen = sorted(names, key=lambda name: -_known(found[name][0][0]))[:MOST]
    whole = [_reliance(name, found[name], len(names)) for name in names]
    return tuple(sorted(whole, key=lambda each: -_known(each.loss)))


class _Opened:
    """A network with its rows in memory."""

    def __init__(self, judged: Judged, rows: np.ndarray) -> None:
        encoded = EncodedRows(judged.folder)
        spec = NetworkSpec(judged.shape, encoded.meta.inputs)
        self._preprocessing = encoded.preprocessing()
        self._network = Network(to_document(spec), read_safetensors(judged.weights))
        self.x, self.c = np.array(encoded.x[rows]), np.array(encoded.c[rows])
        self.places = feature_places(self._preprocessing.document)

    def predict(self, x: np.ndarray, c: np.ndarray) -> np.ndarray:
        """Values [n, T] or probabilities [n, classes]."""
        return self._preprocessing.decode(self._network.outputs(x, c))

    def shuffled(self, name: str, rng: np.random.Generator) -> np.ndarray:
        """Predictions of the rows where one column's values are dealt out anew."""
        order = rng.permutation(len(self.x))
        in_x, in_c = self.places[name]
        x, c = self.x.copy(), self.c.copy()
        x[:, in_x] = self.x[order][:, in_x]
        c[:, in_c] = self.c[order][:, in_c]
        return self.predict(x, c)


def feature_places(document: Mapping[str, Any]) -> dict[str, tuple[list[int], list[int]]]:
    """Where each column's features lie in ``x`` and in ``c``, as `Preprocessing.raw` puts them.

    >>> plain = {"flag": False, "values": ["u", "v"]}
    >>> number = {"name": "a", "encoding": "number", "flag": True}
    >>> town = {"name": "b", "encoding": "one_hot", **plain}
    >>> street = {"name": "c", "encoding": "embedding", **plain}
    >>> day = {"name": "d", "encoding": "number", "flag": False, "levels": [1.0, 2.0, 3.0]}
    >>> columns = [town, number, street, day]
    >>> feature_places({"columns": columns, "inputs": {"numbers": 2}})
    {'b': ([2, 3], []), 'a': ([0, 4], []), 'c': ([], [0]), 'd': ([1], [1])}
    """
    numbers, indicators, codes = 0, int(document["inputs"]["numbers"]), 0
    found = {}
    for described in document["columns"]:
        first, others = feature_names(dict(described))
        embedded = bool(embedded_values(described))
        in_x = [*range(numbers, numbers + len(first))]
        in_x += range(indicators, indicators + len(others))
        found[str(described["name"])] = (in_x, [codes] if embedded else [])
        numbers, indicators = numbers + len(first), indicators + len(others)
        codes += embedded
    return found


def _known(loss: float) -> float:
    return loss if math.isfinite(loss) else -math.inf


def _reliance(name: str, each: Sequence[tuple[float, float]], columns: int) -> Reliance:
    losses, rows = np.array(each).T
    variance = float(rows.mean())
    if len(losses) > 1:
        variance += float(losses.var(ddof=1)) / len(losses)
    reach = NormalDist().inv_cdf(1.0 - (0.5 - 0.5 * LEVEL) / columns) * math.sqrt(variance)
    mean = float(losses.mean())
    return Reliance(name, mean, mean - reach, mean + reach, len(losses))
