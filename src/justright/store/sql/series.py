"""The two kinds of series, and how a piece of one becomes a row."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from sqlalchemy import Table

from justright.store import rules
from justright.store.records import CurveSummary, Histogram
from justright.store.sql.packing import CODEC, pack, unpack
from justright.store.sql.tables import curve_chunks, histogram_chunks

Item = tuple[int, Any]
"""A step, and what was logged at it."""


class AbstractSeries(ABC):
    """A kind of series: where its chunks are kept and how they are written. Stateless."""

    table: Table
    limit: int
    """Items in a full chunk."""

    @abstractmethod
    def width(self, item: Item) -> int:
        """Numbers per item; items of different width cannot share a chunk."""

    @abstractmethod
    def columns(self, items: Sequence[Item]) -> dict[str, Any]:
        """The columns of a chunk of at least one item, without its key."""

    @abstractmethod
    def items(self, row: Any) -> list[Item]:
        """The items of a chunk's row; raises `StoreError` if they are damaged."""


@final
class Points(AbstractSeries):
    """Points of curves."""

    table = curve_chunks
    # 1,024 points (published in the design's operations notes, measured there): 13 bytes a point.
    limit = 1024

    def width(self, item: Item) -> int:
        return np.size(item[1])

    def columns(self, items: Sequence[Item]) -> dict[str, Any]:
        steps = np.array([step for step, _ in items], np.int64)
        values = np.array([value for _, value in items], np.float64)
        known = rules.summary_of(steps, values)
        finite = int(np.isfinite(values).sum())
        blob = pack([steps.reshape(-1, 1), values.reshape(-1, 1)])
        return {
            "last_step": known.last_step,
            "points": known.points,
            "finite": finite,
            "low": none_of_nan(known.low),
            "high": none_of_nan(known.high),
            "mean": none_of_nan(known.mean),
            "last": none_of_nan(known.last),
            **_body(blob),
        }

    def items(self, row: Any) -> list[Item]:
        steps, values = self.arrays(row)
        return list(zip(steps.tolist(), values.tolist(), strict=True))

    def arrays(self, row: Any) -> tuple[np.ndarray, np.ndarray]:
        """Steps int64 [n] and values float64 [n] of a chunk's row."""
        shape = [(np.int64, 1), (np.float64, 1)]
        steps, values = unpack(row.blob, row.crc, row.points, shape)
        return steps[:, 0], values[:, 0]

    def summary(self, rows: Sequence[Any]) -> CurveSummary:
        """The summary of a curve from its chunks' rows, oldest first, without their points."""
        finite = sum(row.finite for row in rows)
        means = [row.mean * (row.finite / finite) for row in rows if row.finite]
        return CurveSummary(
            first=rows[0].first,
            last_step=rows[-1].last_step,
            points=sum(row.points for row in rows),
            low=min((row.low for row in rows if row.finite), default=math.nan),
            high=max((row.high for row in rows if row.finite), default=math.nan),
            mean=sum(means) if means else math.nan,
            last=math.nan if rows[-1].last is None else rows[-1].last,
        )


@final
class Histograms(AbstractSeries):
    """Histograms; one chunk holds those with equally many bins."""

    table = histogram_chunks
    limit = 64  # assumption: 64 histograms of 64 bins make a chunk of some 20 kB

    def width(self, item: Item) -> int:
        return item[1].counts.size

    def columns(self, items: Sequence[Item]) -> dict[str, Any]:
        steps = np.array([[step] for step, _ in items], np.int64)
        edges = np.stack([histogram.edges for _, histogram in items])
        counts = np.stack([histogram.counts for _, histogram in items])
        return {
            "last_step": int(steps[-1, 0]),
            "points": len(items),
            "bins": counts.shape[1],
            **_body(pack([steps, edges, counts])),
        }

    def items(self, row: Any) -> list[Item]:
        shape = [(np.int64, 1), (np.float64, row.bins + 1), (np.int64, row.bins)]
        steps, edges, counts = unpack(row.blob, row.crc, row.points, shape)
        found = zip(steps[:, 0].tolist(), edges, counts, strict=True)
        return [(step, Histogram(step, e, c)) for step, e, c in found]


POINTS = Points()
HISTOGRAMS = Histograms()
KINDS: tuple[AbstractSeries, ...] = (POINTS, HISTOGRAMS)
"""All kinds, for those who examine the whole store."""


def none_of_nan(value: float) -> float | None:
    """NULL for NaN: SQLite has no NaN in columns."""
    return None if math.isnan(value) else value


def _body(blob: bytes) -> dict[str, Any]:
    return {"codec": CODEC, "crc": zlib.crc32(blob), "blob": blob}
