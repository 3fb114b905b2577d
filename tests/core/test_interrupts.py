"""Requests to end: obeyed at once, or after what must not be torn; never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from justright.core.interrupts import ENDING, ended_by_signals, uninterrupted


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """Those of a process that was started from a terminal: under nohup SIGHUP is ignored."""
    numbers = [getattr(signal, name) for name in ENDING]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, usual)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_the_process_was_told_to_ignore_stays_ignored() -> None:
    """A study under nohup outlives its terminal."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ended_by_signals():
        signal.raise_signal(signal.SIGHUP)


@pytest.mark.parametrize("name", ENDING)
def test_a_request_is_obeyed_at_once(name: str) -> None:
    with ended_by_signals(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(getattr(signal, name))


@pytest.mark.parametrize("name", ENDING)
def test_a_request_waits_for_the_end_of_the_outermost_block(name: str) -> None:
    passed = []

    def work() -> None:
        with uninterrupted():
            with uninterrupted():
                signal.raise_signal(getattr(signal, name))
                passed.append("inner")
            passed.append("outer")

    with ended_by_signals():
        with pytest.raises(KeyboardInterrupt):
            work()
        with uninterrupted():  # it was obeyed once
            passed.append("again")
    assert passed == ["inner", "outer", "again"]


def test_an_error_inside_is_kept_as_the_context_of_the_request() -> None:
    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("inside")

    with ended_by_signals(), pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert isinstance(caught.value.__context__, ValueError)


def test_handlers_are_put_back_and_those_of_others_stay() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
    try:
        interrupt = signal.getsignal(signal.SIGINT)
        with ended_by_signals():
            assert signal.getsignal(signal.SIGINT) is not interrupt
            signal.raise_signal(signal.SIGTERM)
        assert heard == [1]
        assert signal.getsignal(signal.SIGINT) is interrupt
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("name", ENDING)
def test_what_the_parent_ignores_stays_ignored(name: str) -> None:
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(number)
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_what_another_thread_does_not_want_torn_does_not_hold_up_the_main_thread() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with ended_by_signals(), uninterrupted():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert inside.wait(10)
        with ended_by_signals(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        leave.set()
        thread.join()
