"""Columns of a table: their kinds, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


USABLE = frozenset(set(ColumnKind) - {ColumnKind.IDENTIFIER, ColumnKind.CONSTANT})
"""Kinds that a network can learn from; identifiers and constants are left out."""


@dataclass(frozen=True)
class Column:
    """One column and what was decided about it.

    Attributes:
        name: As in the table.
        kind: What it holds.
        reason: Why that kind, with the numbers that decided.
        used: Whether it is an input of the network.
        unused_because: Why not, when it is not.
        format: How text is read where the column is stored as text: a number style of
            `data.numerals` or a date format of `data.dates`; empty elsewhere.
    """

    name: str
    kind: ColumnKind
    reason: str
    used: bool = True
    unused_because: str = ""
    format: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns of a table without its targets, weights and groups, in the table's order."""

    columns: tuple[Column, ...]

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns the network sees."""
        return tuple(column for column in self.columns if column.used)
