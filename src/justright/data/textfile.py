"""Bytes of a text file: encoding, compression, and what is not text at all."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from justright.core.errors import DataError
from justright.data.fingerprint import new_digest

SAMPLE_BYTES = 256 * 1024
"""Enough for some hundred lines of any sensible table. Assumption."""

_BLOCK = 4 * 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Scan:
    """Figures of one pass over a text file.

    Attributes:
        fingerprint: 16 hex digits of its bytes.
        lines: Lines, with or without a line end after the last.
        delimiters: How often the delimiter occurs.
        quotes: Whether there is a double quote anywhere.
    """

    fingerprint: str
    lines: int
    delimiters: int
    quotes: bool


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Path of the plain text of a file; gzip is unpacked to a temporary file, bounded in memory.

    Raises:
        DataError: If the compressed data are damaged.
    """
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            yield path
            return
    with tempfile.TemporaryDirectory(prefix="justright-") as folder:
        plain = Path(folder) / "plain"
        try:
            with gzip.open(path, "rb") as packed, plain.open("wb") as target:
                shutil.copyfileobj(packed, target, _BLOCK)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path} is damaged: {error}", hint="download or compress the file again"
            ) from error
        if plain.stat().st_size == 0:
            raise DataError(f"{path} is empty", hint="check how the file was written")
        yield plain


def sample_text(path: Path, shown: Path) -> str:
    """The first lines of a text file, complete ones only, without a byte order mark.

    Args:
        path: The plain text.
        shown: The file as the user knows it, for messages.

    Raises:
        DataError: If the bytes are not UTF-8 text.
    """
    with path.open("rb") as file:
        raw = file.read(SAMPLE_BYTES)
        whole = not file.read(1)
    _check_text(raw, shown)
    if not whole and b"\n" in raw:
        raw = raw[: raw.rfind(b"\n") + 1]
    # A character cut by the end of the file is reported by `scan`, which knows the position.
    text = raw.removeprefix(_BOM).decode("utf-8", errors="ignore")
    if "\r" in text and "\n" not in text:
        raise DataError(
            f"{shown} has line ends of old Macintosh files",
            hint=f"convert it: tr '\\r' '\\n' < {shown.name} > new-{shown.name}",
        )
    return text


def scan(path: Path, shown: Path, delimiter: str) -> Scan:
    """Hash a text file, check that it is UTF-8, and count its lines and delimiters.

    Raises:
        DataError: If some bytes are not UTF-8.
    """
    digest, lines, delimiters, quotes = new_digest(), 0, 0, False
    mark, last, rest, position = delimiter.encode(), b"\n", b"", 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            lines += block.count(b"\n")
            delimiters += block.count(mark)
            quotes = quotes or b'"' in block
            last = block[-1:]
            rest = _check_utf8(rest + block, position - len(rest), shown)
            position += len(block)
    if rest:
        raise _wrong_encoding(shown, position - len(rest), rest)
    return Scan(digest.hexdigest(), lines + (last != b"\n"), delimiters, quotes)


def _check_text(raw: bytes, shown: Path) -> None:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or _every_second_is_nul(raw):
        raise DataError(
            f"{shown} is UTF-16 text",
            hint=f"convert it: iconv -f UTF-16 -t UTF-8 {shown.name} > new-{shown.name}",
        )
    control = sum(
        raw.count(bytes([code])) for code in range(32) if code not in (9, 10, 12, 13, 27)
    )
    if b"\x00" in raw or control > 0.05 * len(raw):
        raise DataError(
            f"{shown} holds binary data, not a table in text",
            hint="give a CSV, TSV, Parquet, Arrow or JSON lines file",
        )
    _check_utf8(raw, 0, shown)


def _every_second_is_nul(raw: bytes) -> bool:
    head = raw[:200]
    half = len(head) // 2
    zeros, letters = sorted((head[::2], head[1::2]), key=lambda part: -part.count(0))
    return half > 4 and zeros.count(0) > 0.8 * half and min(letters) >= 9


def _check_utf8(block: bytes, position: int, shown: Path) -> bytes:
    """Raise if a block is not UTF-8; return the bytes of a character cut at its end."""
    if block.isascii():
        return b""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        if (
            error.end >= len(block)
            and len(block) - error.start < 4
            and error.reason.startswith("unexpected end")
        ):
            return block[error.start :]
        raise _wrong_encoding(shown, position + error.start, block[error.start :]) from None
    return b""


def _wrong_encoding(shown: Path, position: int, found: bytes) -> DataError:
    return DataError(
        f"{shown} is not UTF-8 text: byte 0x{found[0]:02X} at position {position:,}",
        hint="if it comes from Windows or Excel, convert it: "
        f"iconv -f WINDOWS-1252 -t UTF-8 {shown.name} > new-{shown.name}",
    )
