"""Numbers that stand in a table as text: thousands separators, currencies, percent signs."""

from __future__ import annotations

import polars as pl

PLAIN = "plain"
POINT = "1,234.5"
COMMA = "1.234,5"
"""How text is read as a number: as it stands, with a decimal point, or with a decimal comma."""

_SIGNS = r"^ *([-+(]?) *(?:[$€£¥₹]|USD|EUR|GBP|CHF|JPY)? *([-+]?) *(.*?) *(?:[$€£¥₹%]|USD|EUR|GBP|CHF|JPY)? *(\)?) *$"
_PLAIN = r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"
_NOT_FINITE = r"^(?i)[-+]?(?:inf|infinity|nan)$"
_POINT_GROUPS = r"^[0-9]{1,3}(?:[,'’ \x{00a0}\x{202f}][0-9]{3})+(?:\.[0-9]+)?$"
_COMMA_GROUPS = r"^(?:[0-9]{1,3}(?:[. \x{00a0}\x{202f}][0-9]{3})+|[0-9]+)(?:,[0-9]+)?$"
_LEADING_ZERO = r"^[-+]?0[0-9]+$"


def parse_numbers(text: pl.Series, style: str = POINT) -> pl.Series:
    """Read text as float64; what is not a number becomes null, infinities stay.

    Args:
        text: String column.
        style: `PLAIN`, `POINT` or `COMMA`.

    >>> parse_numbers(pl.Series(["$1,200", "15%", "(3)", "many", None])).to_list()
    [1200.0, 15.0, -3.0, None, None]
    >>> parse_numbers(pl.Series(["1.200,5", "3"]), COMMA).to_list()
    [1200.5, 3.0]
    """
    stripped = text.str.strip_chars()
    direct = stripped.str.contains(_PLAIN) | stripped.str.contains(_NOT_FINITE)
    if style != COMMA:
        plain = pl.select(pl.when(direct).then(stripped)).to_series().cast(pl.Float64, strict=False)
        if style == PLAIN or plain.null_count() == text.null_count():
            return plain.alias(text.name)
    body = stripped.str.replace(_SIGNS, "$3")
    first = stripped.str.replace(_SIGNS, "$1$2")
    negative = first.str.contains(r"[-(]")
    if style == COMMA:
        grouped = body.str.contains(_COMMA_GROUPS)
        cleaned = body.str.replace_all(r"[. \x{00a0}\x{202f}]", "").str.replace(",", ".")
    else:
        grouped = body.str.contains(_POINT_GROUPS) | body.str.contains(_PLAIN)
        cleaned = body.str.replace_all(r"[,'’ \x{00a0}\x{202f}]", "")
    size = pl.select(pl.when(grouped).then(cleaned)).to_series().cast(pl.Float64, strict=False)
    signed = pl.select(pl.when(negative).then(-size).otherwise(size)).to_series()
    if style == COMMA:
        return signed.alias(text.name)
    return pl.select(pl.when(direct).then(plain).otherwise(signed)).to_series().alias(text.name)


def number_style(sample: pl.Series) -> tuple[str, float]:
    """Find how a sample of text reads best as numbers.

    Args:
        sample: Non-null strings.

    Returns:
        The style, and the share of the sample that it reads. The share is 0 where codes with
        leading zeros ("00501") show that digits are names, not amounts.
    """
    if sample.len() == 0 or bool(sample.str.contains(_LEADING_ZERO).any()):
        return PLAIN, 0.0
    shares = {style: parse_numbers(sample, style).count() / sample.len() for style in _STYLES}
    best = max(_STYLES, key=lambda style: shares[style])  # ties: the plainest
    return best, shares[best]


_STYLES = (PLAIN, POINT, COMMA)
