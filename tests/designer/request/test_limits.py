"""What a user allows a network to weigh."""

from __future__ import annotations

import pytest

from justright.core.errors import OptionError
from justright.data.options import DataOptions
from justright.designer.request.limits import SizeWishes
from justright.designer.request.options import FitOptions, parse_bytes


def test_memory_and_weights_both_bind():
    assert SizeWishes(params=1_000, memory=2_000).weights == 500
    assert SizeWishes(params=400, memory=2_000).weights == 400
    assert SizeWishes().weights is None


@pytest.mark.parametrize(
    ("text", "count"), [("200kB", 200_000), ("1.5 MB", 1_500_000), (64, 64), ("1g", 10**9)]
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["much", "-3kB", "3 parsecs", ""])
def test_sizes_that_cannot_be_read_are_refused(text):
    with pytest.raises(OptionError, match="cannot read the size"):
        parse_bytes(text)


def test_nonsense_wishes_are_refused():
    for wrong in ({"params": 0}, {"memory": -1}, {"latency_s": 0.0}, {"prefer": "big"}):
        with pytest.raises(OptionError):
            SizeWishes(**wrong)
    with pytest.raises(OptionError, match="--only"):
        FitOptions(DataOptions(target=("y",)), only="network")
