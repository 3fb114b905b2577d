"""Numbers that stand in a table as text: thousands separators, currencies, percent signs."""

from __future__ import annotations

import polars as pl

PLAIN = "plain"
POINT = "1,234.5"
COMMA = "1.234,5"
_STYLES = (PLAIN, POINT, COMMA)
"""How text is read as a number: as it stands, with a decimal point, or with a decimal comma."""

_GLANCE = 200
"""Values that tell whether a column can hold numbers at all, before the slow look. Assumption."""

_BLANK = r" \x{00a0}\x{202f}"
_MONEY = "[$€£¥₹]|USD|EUR|GBP|CHF|JPY"
_LOOKS_LIKE_NUMBER = (
    rf"^[-+(]? *(?:{_MONEY})? *[-+]? *[0-9.,'’{_BLANK}]{{1,30}}"
    rf"(?:[eE][-+]?[0-9]+)? *(?:%|{_MONEY})?\)?$"
)
_PARTS = rf"^([-+]?) *(?:{_MONEY})? *([-+]?) *(.*?) *(?:%|{_MONEY})?$"
_DIGITS = r"^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"
_DIRECT = r"^[-+]?(?:(?i:inf|infinity|nan)|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)$"
_MARKS = f"[,'’{_BLANK}]"
_POINT_GROUPS = rf"^[-+]?[0-9]{{1,3}}(?:[,'’{_BLANK}][0-9]{{3}})+(?:\.[0-9]+)?$"
_COMMA_GROUPS = rf"^(?:[0-9]{{1,3}}(?:[.{_BLANK}][0-9]{{3}})+|[0-9]+)(?:,[0-9]+)?$"
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
    if style == COMMA:
        return _parse_parts(stripped, style).alias(text.name)
    found = _parse_where(stripped, _DIRECT, "")
    if style == POINT:
        for parse in (_parse_groups, _parse_parts):
            left = found.is_null() & stripped.is_not_null()
            if bool(left.any()):  # each step is slower, and sees only what is left
                found = found.scatter(left.arg_true(), parse(stripped.filter(left), style))
    return found.alias(text.name)


def number_style(sample: pl.Series) -> tuple[str, float]:
    """Find how a sample of text reads best as numbers.

    Args:
        sample: Non-null strings.

    Returns:
        The style, and the share of the sample that it reads. The share is 0 where codes with
        leading zeros ("00501") show that digits are names, not amounts.
    """
    if not _may_be_numbers(sample.head(_GLANCE)):
        return PLAIN, 0.0
    if bool(sample.str.contains(_LEADING_ZERO).any()):
        return PLAIN, 0.0
    shares = {style: parse_numbers(sample, style).count() / sample.len() for style in _STYLES}
    best = max(_STYLES, key=lambda style: shares[style])  # ties: the plainest
    return best, shares[best]


def _may_be_numbers(glance: pl.Series) -> bool:
    return 2 * int(glance.str.contains(_LOOKS_LIKE_NUMBER).sum()) > glance.len()


def _parse_where(text: pl.Series, pattern: str, blanks: str) -> pl.Series:
    fits = text.str.contains(pattern)
    digits = pl.select(pl.when(fits).then(text)).to_series()
    if blanks:
        digits = digits.str.replace_all(blanks, "")
    return digits.cast(pl.Float64, strict=False)


def _parse_groups(stripped: pl.Series, _: str) -> pl.Series:
    return _parse_where(stripped, _POINT_GROUPS, _MARKS)


def _parse_parts(stripped: pl.Series, style: str) -> pl.Series:
    """Take sign and currency off, then groups of three digits and the decimal mark."""
    loss = stripped.str.contains(r"^\(.*\)$")  # accountants write -3 as (3)
    text = pl.select(pl.when(loss).then(stripped.str.strip_chars("()")).otherwise(stripped))
    bare = text.to_series()
    body = bare.str.replace(_PARTS, "$3")
    negative = loss | bare.str.replace(_PARTS, "$1$2").str.contains("-")
    if style == COMMA:
        fits = body.str.contains(_COMMA_GROUPS)
        digits = body.str.replace_all(f"[.{_BLANK}]", "").str.replace(",", ".")
        size = pl.select(pl.when(fits).then(digits)).to_series().cast(pl.Float64, strict=False)
    else:
        size = _parse_where(body, f"{_POINT_GROUPS}|{_DIGITS}", _MARKS)
    return pl.select(pl.when(negative).then(-size).otherwise(size)).to_series()
