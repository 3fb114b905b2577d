"""Numbers and dates written as text."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from justright.data.dates import FORMATS, date_style, parse_dates
from justright.data.numerals import COMMA, PLAIN, POINT, number_style, parse_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234,567.5", 1234567.5),
        ("-1,234", -1234.0),
        ("$1,200", 1200.0),
        ("-$5", -5.0),
        ("€ 3.5", 3.5),
        ("12 USD", 12.0),
        ("15%", 15.0),
        ("(1,200.50)", -1200.5),
        ("1 234", 1234.0),
        ("1'234", 1234.0),
        ("1e5", 1e5),
        (" 7 ", 7.0),
        ("12 34", None),
        ("1,5", None),
        ("1,23,456", None),
        ("many", None),
        ("12-34", None),
        ("", None),
    ],
)
def test_a_text_is_read_as_a_number_or_not_at_all(text: str, value: float | None) -> None:
    assert parse_numbers(pl.Series([text])).to_list() == [value]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_thousands_separators_do_not_change_a_number(numbers: list[int]) -> None:
    text = pl.Series([f"{number:,}" for number in numbers])
    assert parse_numbers(text, POINT).to_list() == numbers


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_a_decimal_comma_is_the_mirror_of_a_decimal_point(cents: list[int]) -> None:
    english = [f"{cent / 100:,.2f}" for cent in cents]
    german = [text.translate(str.maketrans(",.", ".,")) for text in english]
    assert parse_numbers(pl.Series(german), COMMA).to_list() == [cent / 100 for cent in cents]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_what_python_prints_is_read_back(numbers: list[float]) -> None:
    assert parse_numbers(pl.Series([repr(x) for x in numbers]), PLAIN).to_list() == numbers


def test_the_style_follows_the_values() -> None:
    assert number_style(pl.Series(["1", "2.5"])) == (PLAIN, 1.0)
    assert number_style(pl.Series(["1,200", "2"])) == (POINT, 1.0)
    assert number_style(pl.Series(["1,5", "2,25"])) == (COMMA, 1.0)
    assert number_style(pl.Series(["00501", "10001"]))[1] == 0.0
    assert number_style(pl.Series(["cat", "dog"]))[1] == 0.0


@settings(max_examples=50)
@given(
    st.sampled_from(FORMATS),
    st.lists(st.datetimes(datetime(1930, 1, 1), datetime(2060, 1, 1)), min_size=30, max_size=40),
)
def test_every_format_reads_what_it_writes(style: str, moments: list[datetime]) -> None:
    text = pl.Series([moment.strftime(style.replace("%.f", ".%f")) for moment in moments])
    found, share = date_style(text)
    assert share == 1.0
    if found == style:  # day and month may be indistinguishable, then the month comes first
        again = [
            moment.strftime(style.replace("%.f", ".%f")) for moment in parse_dates(text, found)
        ]
        assert again == text.to_list()


def test_zones_are_taken_to_utc() -> None:
    text = pl.Series(["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+02:00", "2024-01-02"])
    style, share = date_style(text)
    assert share == 1.0
    assert parse_dates(text, style).to_list() == [
        datetime(2024, 1, 2, 3, 4, 5),
        datetime(2024, 1, 2, 1, 4, 5, 500_000),
        datetime(2024, 1, 2),
    ]


def test_a_day_above_twelve_decides_the_order() -> None:
    assert date_style(pl.Series(["01/02/2024", "13/02/2024"])) == ("%d/%m/%Y", 1.0)
    assert date_style(pl.Series(["01/02/2024", "02/13/2024"])) == ("%m/%d/%Y", 1.0)


def test_telephone_numbers_and_words_are_no_dates() -> None:
    assert date_style(pl.Series(["555-12-9999", "soon", "maybe"])) == ("", 0.0)
