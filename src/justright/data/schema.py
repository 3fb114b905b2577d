"""The kind of every column of a table, inferred or said by the user."""

from __future__ import annotations

import polars as pl

from justright.core.column import USABLE, Column, ColumnKind, Schema
from justright.core.errors import DataError, OptionError
from justright.data.dates import FORMATS, date_style, parse_dates
from justright.data.kinds import Judgement, judge
from justright.data.numerals import PLAIN, POINT, number_style, parse_numbers
from justright.data.options import DataOptions, check_options
from justright.data.table import Table

_UNUSED = {
    ColumnKind.IDENTIFIER: "an identifier names rows; a network would learn them by heart",
    ColumnKind.CONSTANT: "it says nothing about a row",
}


def infer_schema(table: Table, options: DataOptions) -> Schema:
    """Judge every column that is not a target, weight or group.

    Raises:
        OptionError: If an option names an unknown column or kind, or asks for a kind that the
            column's values cannot be read as.
        DataError: If a column holds nested values and is not dropped.
    """
    check_options(options, table.columns)
    reserved = set(options.reserved)
    return Schema(
        tuple(
            _column(table.frame[name], options) for name in table.columns if name not in reserved
        )
    )


def _column(values: pl.Series, options: DataOptions) -> Column:
    name = values.name
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        if name not in options.drop:
            raise DataError(
                f"column {name!r} holds {values.dtype}, not single values",
                hint=f"leave it out with --drop {name}",
            )
        return Column(name, ColumnKind.IDENTIFIER, "nested values", False, "dropped by the user")
    if name in options.kinds:
        found = _as_asked(values, ColumnKind(options.kinds[name]))
    else:
        found = judge(values)
    if name in options.drop:
        return Column(name, found.kind, found.reason, False, "dropped by the user", found.format)
    because = _UNUSED.get(found.kind, "")
    return Column(name, found.kind, found.reason, found.kind in USABLE, because, found.format)


def _as_asked(values: pl.Series, kind: ColumnKind) -> Judgement:
    """Take the user's word, and find how text is to be read as that kind."""
    inferred = judge(values)
    reason = f"said by --kind (inferred: {inferred.kind.value}, {inferred.reason})"
    if inferred.kind is kind or values.dtype != pl.String:
        if kind is ColumnKind.NUMBER and values.dtype in (pl.Categorical, pl.Enum):
            return _as_asked(values.cast(pl.String), kind)
        if kind is ColumnKind.DATETIME and values.dtype.is_numeric():
            return Judgement(kind, reason + "; read as time since 1970")
        return Judgement(kind, reason, inferred.format)
    present = values.drop_nulls().unique(maintain_order=True).head(10_000)
    if kind is ColumnKind.NUMBER:
        style = number_style(present)[0]
        style = POINT if style == PLAIN else style
        read = parse_numbers(present, style).count()
    elif kind is ColumnKind.DATETIME:
        style = date_style(present)[0] or FORMATS[0]
        read = parse_dates(present, style).count()
    else:
        return Judgement(kind, reason)
    if present.len() and not read:
        raise OptionError(
            f"--kind {values.name}={kind.value}: no value reads as one, such as {present[0]!r}",
            hint="leave the option out or name another kind",
        )
    return Judgement(kind, reason, style)
