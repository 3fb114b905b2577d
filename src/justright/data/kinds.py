"""What a column holds: one rule for each storage type, each answer with its numbers.

All rules look at a bounded sample or at cheap whole-column figures (extremes, distinct values), so
that a column of a million rows takes well under a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from justright.core.column import ColumnKind
from justright.data.dates import date_style, parse_dates
from justright.data.numerals import PLAIN, number_style, parse_numbers

SAMPLE = 10_000
"""Values looked at where reading all would be slow. Assumption: a share of 1% is seen for sure."""

NUMBER_SHARE = 0.95
"""Text is a number if at least this share of its values reads as one. Assumption: a few words such
as "unknown" among amounts are missing values, not categories."""

DATE_SHARE = 0.95
"""The same for dates. Assumption."""

IDENTIFIER_SHARE = 0.95
"""Codes of which this share is distinct name rows and teach nothing. Assumption."""

SMALLEST_IDENTIFIER = 20
"""Below this many rows distinct values say nothing. Assumption."""

TEXT_WORDS = 3.0
TEXT_SHARE = 0.01
"""Text: at least 3 words on average and more than 1% distinct. Published: AutoGluon's
`check_if_nlp_feature` (Erickson et al., 2020)."""

TEXT_DISTINCT = 40
"""Text has more distinct values than this. Published: the `cardinality_threshold` of skrub's
TableVectorizer."""

SHORT_TEXT_WORDS = 1.5
SHORT_TEXT_SHARE = 0.2
SHORT_TEXT_DISTINCT = 1_000
"""Short phrases (job titles) are text if they hardly repeat: more words than 1.5, a fifth
distinct, a thousand in all. Assumption; codes of one word stay categories however many."""

TRUE_WORDS = ("true", "yes", "t", "y", "1", "1.0", "on")
FALSE_WORDS = ("false", "no", "f", "n", "0", "0.0", "off")
_PAIRS = tuple(frozenset(pair) for pair in zip(TRUE_WORDS, FALSE_WORDS, strict=True))

_ID_NAME = re.compile(
    r"(?:^|[_\s.-])(?:id|uuid|guid|rownames?|row_?(?:id|nr|number)|index)$", re.I
)
_ID_CAMEL = re.compile(r"[a-z](?:Id|ID|UUID)$")


@dataclass(frozen=True)
class Judgement:
    """The kind of a column, why, and how its text is read.

    Attributes:
        kind: What it holds.
        reason: Why, with the numbers that decided.
        format: Number style or date format of text; empty elsewhere.
    """

    kind: ColumnKind
    reason: str
    format: str = ""


def judge(values: pl.Series) -> Judgement:
    """Infer the kind of one column.

    Args:
        values: The column as in `Table.frame`.
    """
    present = values.len() - values.null_count()
    if present == 0:
        return Judgement(ColumnKind.CONSTANT, f"all {values.len():,} values are missing")
    dtype = values.dtype
    if dtype == pl.Boolean:
        return _judge_boolean(values)
    if dtype.is_temporal():
        if values.n_unique() == 1:
            return Judgement(ColumnKind.CONSTANT, f"always {values[0]}")
        return Judgement(ColumnKind.DATETIME, "stored as dates")
    if dtype.is_integer():
        return _judge_integers(values)
    if dtype.is_numeric():
        return _judge_floats(values)
    return _judge_strings(values)


def looks_like_id(name: str) -> bool:
    """Whether a column's name says that it names rows or things.

    >>> [looks_like_id(name) for name in ("id", "customerID", "station_id", "paid", "humid")]
    [True, True, True, False, False]
    """
    return bool(_ID_NAME.search(name) or _ID_CAMEL.search(name))


def boolean_words(values: list[str]) -> bool:
    """Whether two texts are a known pair of yes and no, in any case.

    >>> boolean_words(["Yes", "No"]), boolean_words(["late", "on time"])
    (True, False)
    """
    return frozenset(value.strip().lower() for value in values) in _PAIRS


def _constant(values: pl.Series, text: str) -> Judgement | None:
    """A column of one value; together with missing ones it still says something."""
    if values.null_count():
        return None
    return Judgement(ColumnKind.CONSTANT, f"always {text} in all {values.len():,} rows")


def _judge_boolean(values: pl.Series) -> Judgement:
    if values.drop_nulls().n_unique() == 1:
        constant = _constant(values, str(values.drop_nulls()[0]).lower())
        if constant:
            return constant
    return Judgement(ColumnKind.BOOLEAN, "stored as true and false")


def _judge_integers(values: pl.Series) -> Judgement:
    low, high = int(values.min()), int(values.max())  # type: ignore[arg-type]
    if low == high:
        constant = _constant(values, str(low))
        if constant:
            return constant
    if (low, high) == (0, 1):
        return Judgement(ColumnKind.BOOLEAN, "whole numbers 0 and 1")
    return _judge_whole(values, low, high)


def _judge_whole(values: pl.Series, low: int, high: int) -> Judgement:
    rows, present = values.len(), values.len() - values.null_count()
    named = looks_like_id(values.name)
    # A run 0..n-1 or 1..n; a run that starts elsewhere may be years, which are amounts.
    run = values.null_count() == 0 and low in (0, 1) and high - low + 1 == rows
    if rows >= SMALLEST_IDENTIFIER and (named or run):
        distinct = values.drop_nulls().n_unique()
        if run and distinct == rows:
            return Judgement(
                ColumnKind.IDENTIFIER,
                f"whole numbers from {low:,} to {high:,}, each once: they number the rows",
            )
        if named and distinct >= IDENTIFIER_SHARE * present:
            return Judgement(
                ColumnKind.IDENTIFIER,
                f"the name says id, and {distinct:,} of {present:,} values are distinct",
            )
        if named:
            return Judgement(
                ColumnKind.CATEGORY,
                f"the name says id, and {distinct:,} values repeat "
                f"{present / distinct:,.1f} times on average",
            )
    return Judgement(ColumnKind.NUMBER, f"whole numbers from {low:,} to {high:,}")


def _judge_floats(values: pl.Series) -> Judgement:
    finite = values.filter(values.is_finite())
    endless = values.len() - values.null_count() - finite.len()
    note = f"; {endless:,} infinite values count as missing" if endless else ""
    if finite.len() == 0:
        return Judgement(ColumnKind.CONSTANT, "no finite value" + note)
    low, high = float(finite.min()), float(finite.max())  # type: ignore[arg-type]
    if low == high and not endless:
        constant = _constant(values, f"{low:g}")
        if constant:
            return constant
    whole = bool((finite.head(SAMPLE) % 1 == 0).all()) and bool((finite % 1 == 0).all())
    if whole and abs(low) < 2**53 and abs(high) < 2**53:
        if (low, high) == (0.0, 1.0):
            return Judgement(ColumnKind.BOOLEAN, "whole numbers 0 and 1" + note)
        found = _judge_whole(values, int(low), int(high))
        return Judgement(found.kind, found.reason + note)
    return Judgement(ColumnKind.NUMBER, f"numbers from {low:.6g} to {high:.6g}" + note)


def _judge_strings(values: pl.Series) -> Judgement:
    stored_as_category = values.dtype != pl.String
    text = values.cast(pl.String)
    present = text.drop_nulls()
    unique = present.unique(maintain_order=True)
    distinct = unique.len()
    if distinct == 1:
        constant = _constant(values, repr(unique[0]))
        if constant:
            return constant
    if distinct <= 2 and boolean_words(unique.to_list()):
        return Judgement(ColumnKind.BOOLEAN, "the words " + " and ".join(map(repr, unique)))
    if not stored_as_category:
        found = _judge_numerals(text, unique) or _judge_dates(text, unique)
        if found:
            return found
    return _judge_words(present.len(), unique, stored_as_category)


def _judge_numerals(text: pl.Series, unique: pl.Series) -> Judgement | None:
    sample = _sample(unique)
    style, share = number_style(sample)
    if share == 0.0:
        return None
    # Few words among many amounts: judged by rows, not by distinct values.
    numbers = parse_numbers(text, style)
    present = text.len() - text.null_count()
    if numbers.count() < NUMBER_SHARE * present:
        return None
    strange = text.filter(numbers.is_null() & text.is_not_null())
    reason = f"text that reads as numbers from {numbers.min():.6g} to {numbers.max():.6g}"
    if style != PLAIN:
        example = sample.filter(parse_numbers(sample, PLAIN).is_null())
        reason += f", such as {example[0]!r}" if example.len() else ""
    if strange.len():
        reason += f"; {present - numbers.count():,} others such as {strange[0]!r} count as missing"
    if numbers.drop_nulls().n_unique() == 1 and text.null_count() == 0 and not strange.len():
        return Judgement(ColumnKind.CONSTANT, f"always {numbers[0]:g}", style)
    return Judgement(ColumnKind.NUMBER, reason, style)


def _judge_dates(text: pl.Series, unique: pl.Series) -> Judgement | None:
    style, share = date_style(_sample(unique))
    if share < DATE_SHARE:
        return None
    read = parse_dates(text, style).count()
    present = text.len() - text.null_count()
    if read < DATE_SHARE * present:
        return None
    reason = f"text that reads as dates ({style}), such as {unique[0]!r}"
    if style.startswith("%m/%d") and parse_dates(unique, style.replace("%m/%d", "%d/%m")).count():
        both = parse_dates(unique, style.replace("%m/%d", "%d/%m")).count() == unique.len()
        reason += "; the day could come first as well, the month was taken" if both else ""
    if read < present:
        reason += f"; {present - read:,} others count as missing"
    return Judgement(ColumnKind.DATETIME, reason, style)


def _judge_words(present: int, unique: pl.Series, stored: bool) -> Judgement:
    distinct = unique.len()
    share = distinct / present
    words = _mean_words(unique)
    figures = f"{distinct:,} distinct values in {present:,}"
    long_text = words >= TEXT_WORDS and share > TEXT_SHARE and distinct > TEXT_DISTINCT
    short_text = (
        words >= SHORT_TEXT_WORDS and share > SHORT_TEXT_SHARE and distinct > SHORT_TEXT_DISTINCT
    )
    if long_text or short_text:
        return Judgement(ColumnKind.TEXT, f"{figures}, {words:.1f} words each on average")
    if present >= SMALLEST_IDENTIFIER and share >= IDENTIFIER_SHARE:
        return Judgement(ColumnKind.IDENTIFIER, f"{figures}: codes that hardly repeat")
    reason = f"{figures}, repeated {present / distinct:,.1f} times on average"
    if stored:
        reason += ", stored as a category"
    return Judgement(ColumnKind.CATEGORY, reason)


def _mean_words(unique: pl.Series) -> float:
    return float(_sample(unique).str.count_matches(r"\S+").mean() or 0.0)  # type: ignore[arg-type]


def _sample(values: pl.Series) -> pl.Series:
    """Evenly spaced values: sorted files show all their parts, and no random number is drawn."""
    if values.len() <= SAMPLE:
        return values
    return values.gather(np.linspace(0, values.len() - 1, SAMPLE).astype(np.int64))
