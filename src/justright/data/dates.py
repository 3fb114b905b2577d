"""Dates and times that stand in a table as text."""

from __future__ import annotations

import polars as pl

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
_CLOCKS = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S%.f",
    "T%H:%M",
    "T%H:%M:%S",
    "T%H:%M:%S%.f",
    " %I:%M %p",
    " %I:%M:%S %p",
)
FORMATS = tuple(day + clock for day in _DAYS for clock in _CLOCKS)
"""Tried in this order; where day and month cannot be told apart the month comes first."""

_GLANCE = 200
"""Values that sort out most formats, before the slow look. Assumption."""

_ZONE = r" *(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})$"
_LOOKS_LIKE_DATE = (
    r"^(?:[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}"
    r"|[0-9]{1,2}[ -][A-Za-z]{3,9}[ -][0-9]{4}"
    r"|[A-Za-z]{3,9} [0-9]{1,2}, [0-9]{4})"
)


def parse_dates(text: pl.Series, style: str) -> pl.Series:
    """Read text as datetimes (microseconds, UTC where a zone is written); others become null.

    Args:
        text: String column.
        style: One of `FORMATS`; for ISO dates the other ISO formats are read as well.

    >>> parse_dates(pl.Series(["2024-02-03", "soon"]), "%Y-%m-%d").dt.year().to_list()
    [2024, None]
    """
    stripped = text.str.strip_chars()
    found = _parse(stripped, style)
    if found.null_count() > text.null_count() and style.startswith(_DAYS[0]):
        for other in FORMATS[: len(_CLOCKS)]:
            found = pl.select(pl.coalesce(found, _parse(stripped, other))).to_series()
    return found.alias(text.name)


def date_style(sample: pl.Series) -> tuple[str, float]:
    """Find the format that reads most of a sample of text as dates.

    Args:
        sample: Non-null strings.

    Returns:
        The format and the share of the sample it reads; ("", 0.0) if hardly any looks like a date.
    """
    glance = sample.head(_GLANCE).str.strip_chars()
    if 2 * int(glance.str.contains(_LOOKS_LIKE_DATE).sum()) <= glance.len():
        return "", 0.0
    likely = [style for style in FORMATS if 2 * parse_dates(glance, style).count() > glance.len()]
    shares = {style: parse_dates(sample, style).count() / sample.len() for style in likely}
    best = max(likely, key=lambda style: shares[style], default="")  # ties: the first
    return best, shares.get(best, 0.0)


def _parse(text: pl.Series, style: str) -> pl.Series:
    if ":%M" not in style:
        return text.str.to_date(style, strict=False).cast(pl.Datetime("us"))
    if not bool(text.str.contains(_ZONE).any()):
        return text.str.to_datetime(style, strict=False, time_unit="us")
    offset = text.str.replace(r" *(?:Z|UTC)$", "+0000")
    offset = offset.str.replace(r" *([+-][0-9]{2}):?([0-9]{2})$", "$1$2")
    found = offset.str.to_datetime(style + "%z", strict=False, time_unit="us")
    return found.dt.replace_time_zone(None)
