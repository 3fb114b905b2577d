"""Sentences about a user's table without the values of its cells."""

from __future__ import annotations

import re

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
"""A text as `repr` writes it."""

_RULES = (
    (re.compile(rf",? such as (?:{_QUOTED}|[^\s;,)]+)(?: where .+? from \S+ to [^\s;]+)?"), ""),
    (re.compile(rf"always (?:{_QUOTED}|.+?)(?= in all |\)|$)"), "always the same value"),
    (re.compile(rf"where (?:{_QUOTED})(?= the network)"), "in a part of the rows"),
    (re.compile(r"numbers from \S+ to [\w.,+-]*\w"), "numbers"),
)
"""What the kinds of columns, the audit and the diagnosis quote: examples, constants, the extremes
of a column, the values that make a slice."""


def without_values(sentence: str) -> str:
    """A reason or a finding without the cells that it quotes; counts and shares stay.

    Args:
        sentence: As written by `data.kinds` or `data.audit`.

    >>> without_values("text that reads as numbers from 3 to 1,900, such as '1,900'")
    'text that reads as numbers'
    >>> without_values("always 'Dr. Who' in all 20 rows")
    'always the same value in all 20 rows'
    """
    for pattern, instead in _RULES:
        sentence = pattern.sub(instead, sentence)
    return sentence
