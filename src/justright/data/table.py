"""A table in memory, with its name and the fingerprint of its content."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
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
        places: Row of the source that each row was, int64 [rows], -1 for a row of another source;
            None = all of its rows, in their order.
        whole: Rows of the source, where `places` are given.
    """

    frame: pl.DataFrame
    name: str
    fingerprint: str
    places: np.ndarray | None = field(default=None, compare=False, repr=False)
    whole: int = field(default=0, compare=False, repr=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.frame.height

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in their order."""
        return tuple(self.frame.columns)

    @property
    def origin(self) -> np.ndarray:
        """Row of the source that each row was, int64 [rows]; -1 for a row of another source."""
        return np.arange(self.rows) if self.places is None else self.places

    @property
    def source_rows(self) -> int:
        """Rows of the source, also those that were left out."""
        return self.rows if self.places is None else self.whole

    def taken(self, rows: np.ndarray) -> Table:
        """Some rows of the table, which keep their numbers in the source.

        Args:
            rows: Places in this table, int [n].

        >>> table = Table(pl.DataFrame({"a": [5, 6, 7]}), "t", "")
        >>> table.taken(np.array([1, 2])).taken(np.array([1])).origin.tolist()
        [2]
        """
        places = self.origin[rows]
        return replace(self, frame=self.frame[rows], places=places, whole=self.source_rows)
