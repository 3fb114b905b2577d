"""Columns of eight-byte numbers to few bytes and back, bit by bit the same.

Neighbouring values differ little, so differences (wrapping, on the raw bits) have many zero
bytes; with equal bytes of all values brought together (as Blosc's shuffle does, Alted 2010)
zlib at its fastest level finds them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from justright.core.errors import StoreError

CODEC = 1
"""Number of this way of packing, stored with every chunk."""


def pack(columns: Sequence[np.ndarray]) -> bytes:
    """Pack arrays of int64 or float64, each [n, k] with a k of its own.

    >>> a = np.array([[0.0], [np.pi], [np.nan]])
    >>> (b,) = unpack(pack([a]), zlib.crc32(pack([a])), 3, [(np.float64, 1)])
    >>> a.tobytes() == b.tobytes()
    True
    """
    return zlib.compress(b"".join(_shuffle(column) for column in columns), 1)


def unpack(
    blob: bytes, crc: int, n: int, columns: Sequence[tuple[type[np.generic], int]]
) -> list[np.ndarray]:
    """Undo `pack`.

    Args:
        blob: What `pack` returned.
        crc: Its CRC-32.
        n: Rows.
        columns: Type and width of each array.

    Raises:
        StoreError: If the bytes are not those that were packed.
    """
    expected = 8 * n * sum(width for _, width in columns)
    try:
        raw = zlib.decompress(blob) if zlib.crc32(blob) == crc else b""
    except zlib.error:
        raw = b""
    if len(raw) != expected:
        raise StoreError(
            f"a piece of a curve is damaged ({len(blob)} bytes, checksum {crc:08x})",
            hint="restore the store from a backup; justright doctor lists the damage",
        )
    found, start = [], 0
    for kind, width in columns:
        end = start + 8 * n * width
        found.append(_unshuffle(raw[start:end], n, width).view(kind))
        start = end
    return found


def _shuffle(column: np.ndarray) -> bytes:
    bits = np.ascontiguousarray(column).view("<u8")
    change = bits.copy()
    change[1:] -= bits[:-1]
    return np.ascontiguousarray(change).view(np.uint8).reshape(-1, 8).T.tobytes()


def _unshuffle(raw: bytes, n: int, width: int) -> np.ndarray:
    lanes = np.frombuffer(raw, np.uint8).reshape(8, n * width)
    change = np.ascontiguousarray(lanes.T).view("<u8").reshape(n, width)
    return np.cumsum(change, axis=0, dtype=np.uint64)
