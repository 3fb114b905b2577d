"""Tables of text, already formatted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """The head of a table's column; numeric ones are set right, in figures of equal width."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under their heads.

    Attributes:
        columns: One head per column.
        rows: Cells as text, already formatted; each row as long as `columns`.
        strong: Numbers of the rows worth finding first (the champion, the network).
        caption: What the rows are, when the card's claim does not say it.

    Raises:
        ValueError: If a row has another length than `columns`.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"row {row!r} does not fit {len(self.columns)} columns")
