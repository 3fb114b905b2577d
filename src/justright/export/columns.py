"""Columns to the features of the network: `deploy.network.Preprocessing.encode` as operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi
from typing import Any

import numpy as np

from justright.data.arrays import LATEST
from justright.export.graph import ML, Graph
from justright.export.inputs import Input, words_of

DAY_S = 86_400.0
CYCLE_YEARS, CYCLE_DAYS, CYCLE_START = 400, 146_097, 10_957.0
"""The calendar repeats every 400 years, of so many days; 1 January 2000 begins one, so many days
after 1 January 1970."""

END = "\x01"
"""A word that no text holds."""

Feature = tuple[str, str | int]
"""Name of a column, and which of its features."""


def encode(
    graph: Graph, document: Mapping[str, Any], inputs: Sequence[Input]
) -> tuple[str | None, list[str]]:
    """Add what turns columns into features.

    Args:
        graph: Receives the operators.
        document: The model's ``preprocessing.json``.
        inputs: Of the graph.

    Returns:
        The scaled features [rows, features] in the model's order, or None if it has none; and for
        each embedded category the places int64 [rows] in its table, with one more for a missing
        value.
    """
    parts = _Parts()
    for encoding in ("number", "date"):
        if columns := [column for column in inputs if column.encoding == encoding]:
            _numbers(graph, parts, columns)
    codes = []
    texts = _bare(graph, [column for column in inputs if column.text])
    for column in inputs:
        if column.encoding in ("number", "date"):
            if column.keys:
                codes.append(_place(graph, column, texts))
            continue
        place = _place(graph, column, texts)
        if column.encoding == "embedding":
            codes.append(place)
        table = _table(column)
        if table.shape[1]:
            shown = [*range(table.shape[1] - column.flag), *["missing"] * column.flag]
            parts.put(graph.add("Gather", table, place), [(column.name, k) for k in shown])
    wanted = _features(inputs)
    if not wanted:
        return None, codes
    raw = parts.ordered(graph, wanted)
    return _scaled(graph, document, raw), codes


class _Parts:
    """Features as they come up, and where each of them is once they lie side by side."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._places: dict[Feature, int] = {}
        self._width = 0

    def put(self, part: str, features: Sequence[Feature]) -> None:
        self._parts.append(part)
        self._places.update((f, self._width + k) for k, f in enumerate(features))
        self._width += len(features)

    def ordered(self, graph: Graph, wanted: Sequence[Feature]) -> str:
        places = [self._places[feature] for feature in wanted]
        together = graph.joined(self._parts)
        if places == list(range(self._width)):
            return together
        return graph.add("Gather", together, np.array(places, np.int64), axis=1)


def _features(inputs: Sequence[Input]) -> list[Feature]:
    """All features in the model's order: numbers, then what else each column becomes."""
    numbers: list[Feature] = []
    indicators: list[Feature] = []
    for column in inputs:
        if column.encoding in ("number", "date"):
            numbers.append((column.name, 0))
            waves = [f"{period} {wave}" for period in column.cycles for wave in ("sin", "cos")]
            indicators += [(column.name, wave) for wave in waves]
        elif column.encoding != "embedding":
            indicators += [(column.name, k) for k in range(_table(column).shape[1] - column.flag)]
        if column.flag:
            indicators.append((column.name, "missing"))
    return numbers + indicators


def _numbers(graph: Graph, parts: _Parts, columns: Sequence[Input]) -> None:
    """Numbers or dates: their values, whether they are missing, and where in a period they lie."""
    names = [column.name for column in columns]
    x = graph.joined([graph.add("Unsqueeze", name, np.array([1])) for name in names])
    missing = graph.add("Or", graph.add("IsNaN", x), graph.add("IsInf", x))
    if columns[0].encoding == "date":
        for _ in range(3):  # milli-, micro- or nanoseconds: see `data.arrays.seconds_of`
            large = graph.add("Greater", graph.add("Abs", x), LATEST)
            x = graph.add("Where", large, graph.add("Div", x, 1000.0), x)
    parts.put(graph.add("Where", missing, np.array(np.nan), x), [(name, 0) for name in names])
    if any(column.flag for column in columns):
        parts.put(graph.to_double(missing), [(name, "missing") for name in names])
    for period in dict.fromkeys(period for column in columns for period in column.cycles):
        for wave, turned in _cycle(graph, x, missing, period).items():
            parts.put(turned, [(name, f"{period} {wave}") for name in names])


def _cycle(graph: Graph, seconds: str, missing: str, period: str) -> dict[str, str]:
    """Sine and cosine of the hour of the day, the day of the week or of the year."""
    bounded = graph.add("Min", graph.add("Max", seconds, -1e11), 1e11)
    in_days = graph.add("Div", graph.add("Where", missing, 0.0, bounded), DAY_S)
    days = graph.add("Floor", in_days)
    if period == "day":
        turn = graph.add("Sub", in_days, days)
    elif period == "week":
        turn = graph.add("Div", _rest(graph, graph.add("Add", days, 3.0), 7.0), 7.0)
    else:
        turn = graph.add("Div", _day_of_year(graph, days), 365.25)
    angle = graph.add("Where", missing, np.array(np.nan), graph.add("Mul", turn, 2 * pi))
    return {"sin": graph.add("Sin", angle), "cos": graph.cosine(angle)}


def _rest(graph: Graph, number: str, size: float) -> str:
    """What is left of whole numbers after division, 0 or more."""
    whole = graph.add("Floor", graph.add("Div", number, size))
    return graph.add("Sub", number, graph.add("Mul", whole, size))


def _day_of_year(graph: Graph, days: str) -> str:
    """Days since 1970 to days since 1 January.

    Within 400 years the year is days / 365 rounded down, or the one before it: the leap days up
    to any year are fewer than a year has days.
    """
    years = np.arange(CYCLE_YEARS + 1)
    leaps = (years + 3) // 4 - (years + 99) // 100 + (years + 399) // 400
    starts = 365.0 * years + leaps
    day = _rest(graph, graph.add("Sub", days, CYCLE_START), float(CYCLE_DAYS))
    guess = graph.add("Floor", graph.add("Div", day, 365.0))
    first = _looked_up(graph, starts, guess)
    before = graph.add("Greater", first, day)
    year = graph.add("Sub", guess, graph.to_double(before))
    return graph.add("Sub", day, _looked_up(graph, starts, year))


def _looked_up(graph: Graph, table: np.ndarray, places: str) -> str:
    return graph.add("Gather", table, graph.to_whole(places))


def _bare(graph: Graph, columns: Sequence[Input]) -> dict[str, tuple[str, int]]:
    """Texts without blanks around them, in the form of `_key`: column to tensor and words.

    ONNX can take texts apart at blanks, and join them again. Words that mark the end make the
    number of words that are looked at the same for all; texts of more words are no known value.
    """
    groups: dict[int, list[Input]] = {}
    for column in columns:
        longest = max(len(words_of(key)) for key in column.keys if isinstance(key, str))
        groups.setdefault(longest, []).append(column)
    found = {}
    for words, group in groups.items():
        parts = [graph.add("Unsqueeze", column.name, np.array([1])) for column in group]
        row = np.full((1, len(group)), "", object)  # a last row, for the case that there is none
        texts = graph.add("Concat", graph.joined(parts), row, axis=0)
        ends = np.array(f" {END}" * (words + 1), object)
        marked = graph.add("StringConcat", texts, ends)
        split = graph.add("StringSplit", marked, maxsplit=words + 1)
        split = graph.add("StringConcat", split, np.array(" ", object))
        joined, *others = [
            graph.add("Gather", split, np.array(k), axis=2) for k in range(words + 1)
        ]
        for other in others:
            joined = graph.add("StringConcat", joined, other)
        for k, column in enumerate(group):
            text = graph.add("Gather", joined, np.array(k), axis=1)
            rows = (np.array([0]), np.array([-1]))
            found[column.name] = (graph.add("Slice", text, *rows), words)
    return found


def _key(text: str, words: int) -> str:
    """A text as `_bare` leaves it: so many words and one more, each with a blank behind it."""
    found = words_of(text)
    return "".join(f"{word} " for word in [*found, *[END] * (words + 1 - len(found))])


def _place(graph: Graph, column: Input, texts: Mapping[str, tuple[str, int]]) -> str:
    """Where a value stands among the known ones: see `Input.values`."""
    places = list(column.keys.values())
    if column.text:
        text, words = texts[column.name]
        return graph.add(
            "LabelEncoder",
            text,
            domain=ML,
            keys_strings=[_key(str(key), words) for key in column.keys],
            values_int64s=places,
            default_int64=0,
        )
    return graph.add(
        "LabelEncoder",
        column.name,
        domain=ML,
        keys_tensor=np.array(list(column.keys), np.float64),
        values_tensor=np.array(places, np.int64),
        default_tensor=np.zeros(1, np.int64),
    )


def _table(column: Input) -> np.ndarray:
    """Features of every value: [values + 2, features], the last whether it is missing."""
    rows = column.values + 2
    if column.encoding == "boolean":
        table = np.array([[np.nan], [0.0], [1.0], [np.nan]])
    elif column.encoding == "one_hot":
        table = np.eye(rows)[:, 1:-1]
    else:
        table = np.zeros((rows, 0))
    return np.concatenate([table, np.eye(rows)[:, -1:]], axis=1) if column.flag else table


def _scaled(graph: Graph, document: Mapping[str, Any], x: str) -> str:
    """Features centred, scaled and clipped, as the model rounds them; NaN becomes 0."""
    centre, factor = (np.array(document[name], np.float64) for name in ("centre", "factor"))
    x = graph.add("Mul", graph.add("Sub", x, centre), factor)
    x = graph.add("Where", graph.add("IsNaN", x), 0.0, x)
    x = graph.add("Min", graph.add("Max", x, -1e30), 1e30)
    inner = graph.add("Div", x, float(document["clip"]))
    square = graph.add("Add", graph.add("Mul", inner, inner), 1.0)
    return graph.to_double(graph.to_single(graph.add("Div", x, graph.add("Sqrt", square))))
