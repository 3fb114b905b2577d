"""What every executor must do, as a test class to inherit from."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import pytest

from justright.core.errors import OptionError
from justright.executors.base import AbstractExecutor, Call, Event, Failed, Finished, Progress

PATIENCE_S = 60.0  # generous: a busy machine is no failure


def call(name: str, **arguments: object) -> Call:
    """A call of one of the functions in `testing.calls`."""
    return Call(f"justright.testing.calls:{name}", arguments)


def finish(executor: AbstractExecutor, *numbers: int) -> list[Event]:
    """All events until the given calls have ended.

    Raises:
        TimeoutError: If they have not after a minute.
    """
    events: list[Event] = []
    open_calls = set(numbers)
    end = time.monotonic() + PATIENCE_S
    while open_calls:
        if time.monotonic() > end:
            raise TimeoutError(f"calls {sorted(open_calls)} have not ended; seen {events}")
        for event in executor.poll(1.0):
            events.append(event)
            if not isinstance(event, Progress):
                open_calls.discard(event.call_id)
    return events


def ending(executor: AbstractExecutor, number: int) -> Finished | Failed:
    """How one call ends."""
    last = [e for e in finish(executor, number) if e.call_id == number][-1]
    assert not isinstance(last, Progress)
    return last


class ExecutorContract(ABC):
    """Inherit and give `make`; each test opens and closes its own executor."""

    @abstractmethod
    def make(self) -> AbstractExecutor:
        """A fresh executor."""

    @pytest.fixture
    def executor(self) -> Iterator[AbstractExecutor]:
        """A fresh executor, closed after the test."""
        with self.make() as executor:
            yield executor

    def test_answers_with_the_value(self, executor: AbstractExecutor) -> None:
        end = ending(executor, executor.submit(call("add", a=2, b=3)))
        assert isinstance(end, Finished)
        assert end.value == 5
        assert end.seconds >= 0

    def test_reports_arrive_in_order_and_before_the_end(self, executor: AbstractExecutor) -> None:
        number = executor.submit(call("count", n=1000))
        events = finish(executor, number)
        assert [e.payload for e in events if isinstance(e, Progress)] == list(range(1000))
        assert isinstance(events[-1], Finished)

    def test_numbers_increase_and_each_call_ends_once(self, executor: AbstractExecutor) -> None:
        numbers = [executor.submit(call("add", a=i, b=0)) for i in range(20)]
        assert numbers == sorted(set(numbers))
        ends = [e for e in finish(executor, *numbers) if isinstance(e, Finished)]
        assert {e.call_id: e.value for e in ends} == dict(zip(numbers, range(20), strict=True))
        assert len(ends) == 20

    def test_an_exception_is_an_event(self, executor: AbstractExecutor) -> None:
        end = ending(executor, executor.submit(call("fail", message="no\nsuch thing")))
        assert isinstance(end, Failed)
        assert end.kind == "error"
        assert end.message == "ValueError: no such thing"
        assert "Traceback" in end.detail
        again = ending(executor, executor.submit(call("add", a=1, b=1)))
        assert isinstance(again, Finished)

    @pytest.mark.parametrize(
        "text",
        ["", "DefaultCPUAllocator: can't allocate memory: you tried", "CUDA out of memory."],
    )
    def test_too_little_memory_has_its_own_kind(
        self, executor: AbstractExecutor, text: str
    ) -> None:
        end = ending(executor, executor.submit(call("exhaust", text=text)))
        assert isinstance(end, Failed)
        assert end.kind == "memory"

    def test_unknown_functions_are_events(self, executor: AbstractExecutor) -> None:
        for function in ("no.such.module:f", "justright.testing.calls:no_such"):
            end = ending(executor, executor.submit(Call(function)))
            assert isinstance(end, Failed)
            assert end.kind == "error"

    def test_large_values_travel_both_ways(self, executor: AbstractExecutor) -> None:
        values = np.ones((40, 1 << 17))  # 40 MB
        end = ending(executor, executor.submit(call("total", values=values)))
        assert isinstance(end, Finished)
        assert end.value == values.size
        end = ending(executor, executor.submit(call("zeros", megabytes=100)))
        assert isinstance(end, Finished)
        assert end.value.nbytes == 100 << 20
        assert not end.value.any()

    def test_what_cannot_be_pickled_is_refused_at_once(self, executor: AbstractExecutor) -> None:
        with pytest.raises(OptionError, match="cannot travel"):
            executor.submit(call("add", a=lambda: 1, b=2))

    def test_a_waiting_call_can_be_cancelled(self, executor: AbstractExecutor) -> None:
        before = [executor.submit(call("sleep", seconds=0.3)) for _ in range(executor.capacity)]
        waiting = executor.submit(call("add", a=1, b=1))
        executor.cancel(waiting)
        ends = [e for e in finish(executor, *before, waiting) if not isinstance(e, Progress)]
        kinds = {e.call_id: e.kind for e in ends if isinstance(e, Failed)}
        assert kinds == {waiting: "cancelled"}

    def test_cancelling_what_has_ended_changes_nothing(self, executor: AbstractExecutor) -> None:
        number = executor.submit(call("add", a=1, b=1))
        finish(executor, number)
        executor.cancel(number)
        executor.cancel(12345)
        assert executor.poll(0.05) == []
        assert isinstance(ending(executor, executor.submit(call("add", a=1, b=1))), Finished)

    def test_polling_without_calls_does_not_wait(self, executor: AbstractExecutor) -> None:
        start = time.monotonic()
        assert executor.poll(30.0) == []
        assert time.monotonic() - start < 5

    def test_close_is_final_and_may_be_repeated(self) -> None:
        executor = self.make()
        executor.submit(call("sleep", seconds=0.2))
        executor.close()
        executor.close()
        assert executor.poll(0.1) == []
        with pytest.raises(OptionError, match="closed"):
            executor.submit(call("add", a=1, b=1))
