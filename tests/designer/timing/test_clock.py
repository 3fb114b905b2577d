"""The report's reserve grows with the measured slowness of the machine, within bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.designer.timing.clock import (
    IDLE_MOST_S,
    REPORT_S,
    REPORT_SHARE,
    Clock,
    report_reserve,
)
from justright.designer.timing.slowness import LOOP_S, MOST, Pace, Slowness, slowness

seconds = st.floats(0.0, 1e6)


@given(seconds, seconds)
def test_slowness_lies_between_one_and_its_bound(wall: float, cpu: float) -> None:
    assert 1.0 <= slowness(wall, cpu) <= MOST


def test_slowness_is_wall_over_processor_time() -> None:
    assert slowness(5.0, 2.0) == 2.5


@given(st.floats(1.0, MOST), st.floats(1.0, MOST), st.floats(10.0, 1e5))
def test_the_reserve_grows_with_slowness_but_not_beyond_its_share(
    one: float, other: float, limit: float
) -> None:
    low, high = sorted((one, other))
    assert report_reserve(low, limit) <= report_reserve(high, limit)
    assert REPORT_S <= report_reserve(high, limit) <= max(REPORT_S, REPORT_SHARE * limit)


def test_an_idle_machine_keeps_what_it_always_kept() -> None:
    assert report_reserve(1.0, 60.0) == REPORT_S
    assert report_reserve(3.0, 60.0) == 3 * REPORT_S


def test_a_long_study_keeps_more_as_the_main_process_was_idle_for_long() -> None:
    assert REPORT_S < report_reserve(1.0, 300.0) < report_reserve(1.0, 600.0) == IDLE_MOST_S
    assert report_reserve(1.0, 86_400.0) == IDLE_MOST_S


def test_the_latest_stretch_counts_most() -> None:
    slow = Slowness()
    slow.add(1.0, 1.0)
    slow.add(3.0, 1.0)
    assert slow.factor == pytest.approx(3.5 / 1.5)
    for _ in range(10):
        slow.add(1.0, 1.0)
    assert slow.factor == pytest.approx(1.0, abs=0.01)


def test_a_stretch_too_short_to_measure_changes_nothing() -> None:
    slow = Slowness()
    slow.add(5.0, 0.001)
    assert slow.factor == 1.0


def test_a_slow_machine_stops_working_earlier() -> None:
    clock = Clock(time.time(), 60.0)
    quick = clock.deadline()
    clock.slow.add(3.0, 1.0)
    assert clock.deadline() == pytest.approx(quick - 2 * REPORT_S)
    assert clock.work_left_s == pytest.approx(60 - 3 * REPORT_S, abs=0.5)


def test_a_processor_that_does_less_in_its_own_time_is_slow_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([3.0, 2.0, 2.5, 8.0, 7.0, 9.0])
    monkeypatch.setattr(
        "justright.designer.timing.slowness._fixed_work", lambda: next(times) * LOOP_S
    )
    clock = Clock(time.time(), 60.0, Slowness(pace=Pace()))
    assert clock.slow.factor == pytest.approx(2.0)  # the best of three
    assert clock.report_s == pytest.approx(2 * REPORT_S)  # not measured again at once
    clock.slow.add(1.5, 1.0)
    assert clock.slow.factor == pytest.approx(3.0)
    monkeypatch.setattr("justright.designer.timing.slowness._AGAIN_S", 0.0)
    assert clock.slow.factor == MOST


def test_a_fixed_piece_of_work_is_measured() -> None:
    """Anything within reason: it is the processor that decides."""
    assert 1.0 <= Pace()() < 100.0


BESIDE = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from justright.designer.timing.slowness import Slowness
slow = Slowness()
with slow.measured():
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
print(slow.factor)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen")
def test_programs_on_the_same_core_are_noticed() -> None:
    core = min(os.sched_getaffinity(0))
    hog = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    hogs = [subprocess.Popen([sys.executable, "-c", hog]) for _ in range(2)]
    try:
        time.sleep(0.3)
        said = subprocess.run(
            [sys.executable, "-c", BESIDE], capture_output=True, text=True, check=True
        )
    finally:
        for each in hogs:
            each.kill()
            each.wait()
    assert float(said.stdout) > 1.8


def test_what_a_shell_did_before_it_became_this_process_does_not_count() -> None:
    code = (
        "import time; from justright.designer.timing import clock; clock.LONGEST_START_S = 2.0; "
        "print(time.time() - clock.process_start())"
    )
    shell = f"sleep 4; exec {sys.executable} -c '{code}'"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert 0.0 <= float(done.stdout) < 3.5
