"""Marks of rows: equal rows have equal marks, whatever file, order or type they come in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from justright.data.arrays import ColumnArray

_MISSING = 0x9E3779B97F4A7C15


def row_marks(columns: Mapping[str, ColumnArray], target: np.ndarray) -> np.ndarray:
    """A number for each row, uint64 [rows], by its inputs and its target.

    Two different rows share one with a probability of 5e-20. The numbers are the same in every
    process and version of the libraries, so that they can be kept in a file.

    Args:
        columns: As `data.arrays.columns_of` makes them.
        target: float64 [rows, targets], or int64 class codes [rows].

    >>> y = np.zeros((2, 1))
    >>> marks = row_marks({"a": np.array([1.0, 2.0])}, y)
    >>> bool(marks[1] == row_marks({"a": np.array([2.0])}, y[:1])[0]), bool(marks[0] == marks[1])
    (True, False)
    """
    marks = np.zeros(len(target), np.uint64)
    for name in sorted(columns):
        marks = _mixed(marks ^ _bits(columns[name]))
    for values in target.reshape(len(target), -1).T:
        marks = _mixed(marks ^ _bits(values.astype(np.float64)))
    return marks


def _bits(values: ColumnArray) -> np.ndarray:
    """What a column holds as numbers of 64 bits."""
    if isinstance(values, np.ndarray):
        known = ~np.isnan(values)
        bits = (np.where(known, values, 0.0) + 0.0).view(np.uint64)  # -0.0 is 0.0
        return np.where(known, bits, np.uint64(_MISSING))
    table = np.array([_MISSING, *map(_text_bits, values.values)], np.uint64)
    return table[values.codes + 1]


def _text_bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest())


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014), after its increment."""
    x = x + np.uint64(_MISSING)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
