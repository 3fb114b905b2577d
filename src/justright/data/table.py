"""A table in memory, with its name and the fingerprint of its content."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Table:
    """What was read from a file or a frame.

    Strings are stripped and the usual words for "missing" are null; NaN is null; infinities are
    kept, so that they can be reported.

    Attributes:
        frame: The columns; never changed in place.
        name: The file's name without endings, or what the caller says.
        fingerprint: 16 hex digits of the content (the file's bytes, or the frame's values).
    """

    frame: pl.DataFrame
    name: str
    fingerprint: str

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.frame.height

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(self.frame.columns)
