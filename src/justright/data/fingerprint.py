"""A short name for the content of a file or frame."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl

_BLOCK = 4 * 2**20
_ROWS = 65_536


def file_fingerprint(path: Path) -> str:
    """16 hex digits (64 bits of BLAKE2b) of a file's bytes; about 1 GB a second.

    Raises:
        OSError: If the file cannot be read.
    """
    digest = new_digest()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def frame_fingerprint(frame: pl.DataFrame) -> str:
    """16 hex digits of a frame's names and values; how its memory is laid out does not matter.

    >>> a = pl.DataFrame({"x": [1, None]})
    >>> frame_fingerprint(a) == frame_fingerprint(pl.concat([a[:1], a[1:]]))
    True
    """
    digest = new_digest()
    for values in frame.get_columns():
        digest.update(f"{values.name}\x00{values.dtype}\x00{values.len()}".encode())
        for start in range(0, values.len(), _ROWS):
            digest.update(_bytes(values.slice(start, _ROWS)))
    return digest.hexdigest()


def new_digest() -> Any:
    """The running hash behind both fingerprints."""
    return hashlib.blake2b(digest_size=8)


def _bytes(values: pl.Series) -> bytes:
    known = values.is_not_null().to_numpy().tobytes()
    dtype = values.dtype
    if dtype.is_temporal():
        values, dtype = values.to_physical(), pl.Int64()
    if dtype.is_numeric() and not dtype.is_decimal():
        return known + values.fill_null(0).to_numpy().tobytes()
    if dtype.is_nested() or dtype == pl.Object:
        return known + repr(values.to_list()).encode()
    if dtype == pl.Binary:
        return known + b"\x1f".join(values.fill_null(b"").to_list())
    text = values.cast(pl.String).fill_null("").to_list()
    return known + "\x1f".join(text).encode()
