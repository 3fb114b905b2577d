"""Files and frames to a Table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from justright.data.table import Table


def read_table(source: Any, *, name: str | None = None) -> Table:
    """Read a file or take a frame."""
    if isinstance(source, pl.DataFrame):
        return Table(source, name or "table", "0" * 16)
    path = Path(source)
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    return Table(frame, name or path.stem, "0" * 16)
