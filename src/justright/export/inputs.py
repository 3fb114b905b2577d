"""Which input each column becomes, and how values of a table are handed to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from justright.core.errors import ModelError
from justright.data.arrays import ColumnArray, labels_of
from justright.data.cleaning import MISSING_WORDS

UNKNOWN = float("inf")
"""A number that is no value of a category of numbers: in the model it counts as other, too."""

_SHOWN = 5


@dataclass(frozen=True)
class Input:
    """An input of the graph.

    Attributes:
        name: Of the column.
        kind: Of the column.
        encoding: How the model reads it: "number", "date", "boolean", "one_hot", "embedding".
        text: Whether it holds texts; else double-precision numbers.
        keys: What stands for the known values: text or number to the place in ``values``, from 1;
            of a number only if it is a category, too.
        values: How many known values there are; 0 stands for others, and ``values + 1`` for a
            missing one.
        flag: Whether the model looks at whether it is missing.
        cycles: Periods of a date that the model looks at.
    """

    name: str
    kind: str
    encoding: str
    text: bool
    keys: Mapping[str, int] | Mapping[float, int]
    values: int
    flag: bool
    cycles: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Type of its tensor in the words of the standard."""
        return "string" if self.text else "double"

    @property
    def meaning(self) -> str:
        """What to hand in, in one line."""
        missing = "an empty text is missing" if self.text else "NaN is missing"
        if self.encoding == "number":
            return "a number; NaN and infinity are missing"
        if self.encoding == "date":
            return f"seconds since 1970 (UTC), or milli-, micro- or nanoseconds; {missing}"
        if self.encoding == "boolean":
            return f"{'true or false, yes or no, ' if self.text else ''}1 or 0; {missing}"
        return f"a category; {missing}, and what training never saw counts as other"


def inputs_of(document: Mapping[str, Any]) -> tuple[Input, ...]:
    """The inputs of a model, in the order of its columns.

    Args:
        document: The model's ``preprocessing.json``.

    Raises:
        ModelError: If ONNX has no operators for what some columns hold, or cannot name them.
    """
    described = document["columns"]
    texts = [str(d["name"]) for d in described if d["encoding"] == "text"]
    if texts:
        raise ModelError(
            f"ONNX has no operators for free text, which {_listed(texts)} hold{_s(texts)}",
            hint=f"fit without {'it' if len(texts) == 1 else 'them'} (--drop), or predict with "
            "the model folder",
        )
    alike = [str(d["name"]) for d in described if _differ_in_blanks(d)]
    if alike:
        raise ModelError(
            f"ONNX cannot tell apart values of {_listed(alike)} that differ in blanks only",
            hint="make them one in the data, and fit again",
        )
    unnamed = [str(d["name"]) for d in described if not d["name"] or "\0" in d["name"]]
    if unnamed:
        raise ModelError(
            f"ONNX cannot name an input as {_listed(unnamed)} {_is(unnamed)} named",
            hint="rename in the data, and fit again",
        )
    return tuple(_input(d) for d in described)


def feed(column: Input, values: ColumnArray) -> np.ndarray:
    """Values of a column in the form that the input takes: float64 or texts, [rows].

    Args:
        column: The input.
        values: As `model.columns.read_columns` returns them.
    """
    if isinstance(values, np.ndarray):
        return values.astype(np.float64)
    if column.text:
        return np.array([*values.values, ""], object)[values.codes]
    named = {"false": 0.0, "true": 1.0} if column.encoding == "boolean" else {}
    numbers = [named.get(text, _number(text)) for text in values.values]
    return np.array([*numbers, np.nan])[values.codes]  # the code of a missing value is -1


def _input(d: Mapping[str, Any]) -> Input:
    encoding, name, kind, flag = d["encoding"], str(d["name"]), str(d["kind"]), bool(d["flag"])
    if encoding in ("number", "date"):
        levels = d.get("levels", ())
        keys = {level: place for place, level in enumerate(levels, 1) if level is not None}
        cycles = tuple(d.get("cycles", ()))
        return Input(name, kind, encoding, False, keys, len(levels), flag, cycles)
    if encoding == "boolean":
        words = dict.fromkeys(d["false"], 1) | dict.fromkeys(d["true"], 2)
        count = 2
    else:
        words = {v: place for place, v in enumerate(d["values"], start=1) if v is not None}
        count = len(d["values"])
    if d["numeric"] and (encoding == "boolean" or _as_numbers(list(words))):
        numbers = {_number(word): place for word, place in words.items()}
        numbers.pop(UNKNOWN, None)
        return Input(name, kind, encoding, False, numbers | {np.nan: count + 1}, count, flag)
    if encoding == "boolean":
        words = {form: place for word, place in words.items() for form in _cases(word)}
    gone = dict.fromkeys(MISSING_WORDS, count + 1)
    return Input(name, kind, encoding, True, gone | words, count, flag)


def words_of(text: str) -> list[str]:
    """What is left of a text where blanks around it and repeated ones do not count."""
    return [word for word in text.split(" ") if word]


def _differ_in_blanks(d: Mapping[str, Any]) -> bool:
    texts = [text for text in d.get("values", ()) if text is not None]
    return len({tuple(words_of(text)) for text in texts}) < len(texts)


def _as_numbers(labels: list[str]) -> bool:
    """Whether numbers can stand for all these labels: each is how its number is written."""
    numbers = [_number(label) for label in labels]
    return UNKNOWN not in numbers and labels_of(pl.Series(numbers, dtype=pl.Float64)).equals(
        pl.Series(labels, dtype=pl.String)
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return UNKNOWN


def _cases(word: str) -> list[str]:
    """A word in all mixtures of small and capital letters; the longest has five."""
    return sorted({"".join(letters) for letters in product(*({x, x.upper()} for x in word))})


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    word = "the column" if len(names) == 1 else "the columns"
    return f"{word} {', '.join(map(repr, names[:_SHOWN]))}{more}"


def _s(names: list[str]) -> str:
    return "s" if len(names) == 1 else ""


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
