"""Options are checked before any work."""

from __future__ import annotations

import math
import time

import pytest

from justright.core.errors import OptionError
from justright.data.options import DataOptions
from justright.designer.request.options import FitOptions, check_name, parse_time
from justright.designer.timing.clock import Clock, process_start


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1.5h", 5400),
        ("20", 20),
        (45, 45),
        (None, 600),
        (" 2 min ", 120),
    ],
)
def test_times_are_read(text: str | int | None, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["1s", "0", "-5m", "soon", "5 parsecs", "nan", "inf", ""])
def test_senseless_times_are_refused_with_the_value(text: str) -> None:
    with pytest.raises(OptionError) as error:
        parse_time(text)
    assert text in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\0b", "x" * 200, "dot."])
def test_names_that_are_no_folder_names_are_refused(name: str) -> None:
    with pytest.raises(OptionError):
        check_name(name)


def test_the_process_started_before_now_and_not_long_ago() -> None:
    age = time.time() - process_start()
    assert 0 <= age < 3600


def test_the_clock_keeps_time_for_the_report() -> None:
    clock = Clock(started=time.time() - 10, limit_s=60)
    assert 9.9 < clock.elapsed_s < 11
    assert clock.work_left_s < clock.left_s < 50.1
    assert clock.deadline(5) < clock.deadline() < clock.started + 60


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_a_senseless_tolerance_is_refused_with_the_value(value: float) -> None:
    with pytest.raises(OptionError, match=f"--tolerance {value}"):
        FitOptions(DataOptions(target=("y",)), tolerance=value)
