"""Runs calls in the calling thread: the reference executor."""

from __future__ import annotations

import pickle
from collections import deque
from typing import Any, final

from justright.core.errors import OptionError
from justright.executors.base import AbstractExecutor, Call, Event, Failed, Finished, Progress
from justright.executors.invoke import failure, invoke


@final
class InlineExecutor(AbstractExecutor):
    """Runs one call in each `poll`, to its end, in the calling thread.

    Calls cannot be interrupted, and a crash takes the caller along: use it for tests, for
    debugging, and where no process can be started. Arguments are pickled all the same, so what
    works here works in a worker.

    >>> with InlineExecutor() as executor:
    ...     number = executor.submit(Call("justright.testing.calls:add", {"a": 1, "b": 2}))
    ...     progress, end = executor.poll(1.0)
    >>> end.value
    3
    """

    def __init__(self) -> None:
        self._queue: deque[tuple[int, str, bytes]] = deque()
        self._events: list[Event] = []
        self._next = 1
        self._closed = False

    @property
    def capacity(self) -> int:
        """Always one."""
        return 1

    def submit(self, call: Call) -> int:
        """Queue a call; it runs in the next `poll`."""
        if self._closed:
            raise OptionError("the executor is closed", hint="open a new one")
        number = self._next
        self._next += 1
        self._queue.append((number, call.function, pack_arguments(call)))
        return number

    def poll(self, timeout_s: float) -> list[Event]:  # noqa: ARG002 (it runs, it never waits)
        """Run the oldest call, if nothing else is to be told, and return its events."""
        if not self._events and self._queue:
            number, function, arguments = self._queue.popleft()
            self._events.append(self._run(number, function, arguments))
        events, self._events = self._events, []
        return events

    def cancel(self, call_id: int) -> None:
        """Take a call out of the queue."""
        waiting = [entry for entry in self._queue if entry[0] != call_id]
        if len(waiting) < len(self._queue):
            self._queue = deque(waiting)
            self._events.append(Failed(call_id, "cancelled", "cancelled before it started"))

    def close(self) -> None:
        """Forget what waits."""
        self._closed = True
        self._queue.clear()
        self._events.clear()

    def _run(self, number: int, function: str, arguments: bytes) -> Event:
        def report(payload: Any) -> None:
            self._events.append(Progress(number, payload))

        outcome = invoke(function, pickle.loads(arguments), report)
        if outcome.kind is None:
            return Finished(number, outcome.value, outcome.seconds)
        return Failed(number, outcome.kind, outcome.message, outcome.detail, outcome.seconds)


def pack_arguments(call: Call) -> bytes:
    """Pickle a call's arguments.

    Raises:
        OptionError: If they cannot be pickled.
    """
    try:
        return pickle.dumps(dict(call.arguments), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # pickle raises whatever an object's own reduction raises
        why = failure(error).message
        raise OptionError(
            f"the arguments of {call.function} cannot travel to a worker: {why}",
            hint="hand over plain values, arrays and dataclasses of importable modules",
        ) from error
