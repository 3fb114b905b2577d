"""The thread that owns the workers: hands out calls, collects answers, replaces the dead."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, final

from justright.executors.base import Event, Failed, Finished, Progress
from justright.executors.invoke import Outcome, failure
from justright.executors.nursery import Child, Nursery

_TAIL = 4000  # bytes of the log that go into the failure of a lost worker (assumption)
_IDLE_S = 0.5  # how often children without a control connection are looked at (assumption)


@dataclass(frozen=True)
class Job:
    """A call on its way: its number, which nursery serves it, and the pickled call."""

    call_id: int
    pool: int
    message: bytes


@dataclass
class Seat:
    """A worker, what it does, and where the log stood when it began."""

    child: Child
    pool: int
    job: Job | None = None
    log_start: int = 0
    connected: bool = True


@final
class Dispatcher(threading.Thread):
    """Runs at most ``capacity`` jobs at a time, in order, on workers of several nurseries.

    Only this thread touches nurseries and connections; others use `submit`, `cancel`, `stop`
    and the queue ``events``. It exists so that a worker gets its next job at once, also while
    the main thread is busy.
    """

    def __init__(self, nurseries: Sequence[Nursery], capacity: int, log: BinaryIO) -> None:
        super().__init__(name="justright-executor", daemon=True)
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._nurseries = nurseries
        self._capacity = capacity
        self._log = log
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[Job] = deque()
        self._seats: list[Seat] = []
        self._watched: list[socket.socket | None] = [None] * len(nurseries)
        self._running = True

    # ---- called by the owner's thread ----

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._order(lambda: self._waiting.append(job))

    def cancel(self, call_id: int) -> None:
        """End a job, wherever it is."""
        self._order(lambda: self._cancel(call_id))

    def stop(self) -> None:
        """End everything and wait for it."""
        self._order(self._leave)
        self.join()
        self._bell.close()

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        with contextlib.suppress(OSError):  # full: it wakes up anyway; closed: it has left
            self._bell.send(b"!")

    # ---- this thread ----

    def run(self) -> None:
        """Serve until `stop`."""
        self._selector.register(self._ear, selectors.EVENT_READ)
        try:
            while self._running:
                self._watch_controls()
                keys = {key.fileobj for key, _ in self._selector.select(self._patience())}
                if self._ear in keys:
                    self._ear.recv(4096)
                while not self._orders.empty():
                    self._orders.get()()
                for seat in [s for s in self._seats if s.child.channel.sock in keys]:
                    self._converse(seat)
                self._collect_ended()
                self._watch_controls()
                self._hand_out()
        except Exception as error:  # a fault of this file: nobody must wait for ever
            self._fail_all(failure(error))
        finally:
            self._free()

    def _patience(self) -> float | None:
        return None if all(n.control is not None for n in self._nurseries) else _IDLE_S

    def _watch_controls(self) -> None:
        """Watch each nursery's control connection; a restarted zygote has a new one."""
        for index, nursery in enumerate(self._nurseries):
            control, watched = nursery.control, self._watched[index]
            if control is watched:
                continue
            if watched is not None:  # closed by now: its file number may already be another's
                self._selector.unregister(watched)
            if control is not None:
                self._selector.register(control, selectors.EVENT_READ)
            self._watched[index] = control

    def _converse(self, seat: Seat) -> None:
        channel = seat.child.channel
        channel.flush()
        messages, connected = channel.receive()
        for message in messages:
            self._hear(seat, message)
        if not connected:
            self._disconnect(seat)
            self._nurseries[seat.pool].kill(seat.child)  # it may live on without a connection
        elif seat.connected:
            wanted = selectors.EVENT_WRITE if channel.has_outgoing else 0
            self._selector.modify(channel.sock, selectors.EVENT_READ | wanted)

    def _hear(self, seat: Seat, message: bytearray) -> None:
        job = seat.job
        if job is None:  # a report that came after its call's end
            return
        try:
            what, content = pickle.loads(message)
        except Exception as error:  # a class that this process cannot import
            what, content = "unreadable", failure(error)
        if what == "progress":
            self.events.put(Progress(job.call_id, content))
        elif what == "ended":
            seat.job = None
            self._tell(job, content)
            if content.kind == "memory":  # its heap stays large: a fresh worker instead
                self._dismiss(seat)
        else:
            self._tell(job, content)
            self._dismiss(seat)

    def _tell(self, job: Job, outcome: Outcome) -> None:
        if outcome.kind is None:
            self.events.put(Finished(job.call_id, outcome.value, outcome.seconds))
        else:
            self.events.put(
                Failed(job.call_id, outcome.kind, outcome.message, outcome.detail, outcome.seconds)
            )

    def _collect_ended(self) -> None:
        for index, nursery in enumerate(self._nurseries):
            news = nursery.news()
            for seat in [s for s in self._seats if s.pool == index and s.child.number in news]:
                self._bury(seat, news[seat.child.number])

    def _bury(self, seat: Seat, how: str) -> None:
        if seat.connected:  # its last words may still be on the way
            for message in seat.child.channel.receive()[0]:
                self._hear(seat, message)
        self._disconnect(seat)
        if seat in self._seats:
            self._seats.remove(seat)
        if seat.job is not None:
            message = f"the worker was lost: {how}"
            self.events.put(Failed(seat.job.call_id, "lost", message, self._tail(seat)))

    def _tail(self, seat: Seat) -> str:
        fd = self._log.fileno()
        size = os.fstat(fd).st_size
        self._log.seek(max(seat.log_start, size - _TAIL))
        tail = self._log.read(_TAIL)
        self._log.seek(0, os.SEEK_END)  # children share the position where they cannot append
        return tail.decode(errors="replace").strip()

    def _hand_out(self) -> None:
        while self._waiting and sum(s.job is not None for s in self._seats) < self._capacity:
            job = self._waiting.popleft()
            try:
                seat = self._free_seat(job.pool)
            except OSError as error:
                self.events.put(Failed(job.call_id, "lost", f"no worker can be started: {error}"))
                continue
            seat.job = job
            seat.log_start = os.fstat(self._log.fileno()).st_size
            seat.child.channel.put(job.message)
            if seat.child.channel.has_outgoing:
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                self._selector.modify(seat.child.channel.sock, both)

    def _free_seat(self, pool: int) -> Seat:
        for seat in self._seats:
            if seat.pool == pool and seat.job is None and seat.connected:
                return seat
        seat = Seat(self._nurseries[pool].spawn(), pool)
        self._selector.register(seat.child.channel.sock, selectors.EVENT_READ)
        self._seats.append(seat)
        return seat

    def _cancel(self, call_id: int) -> None:
        for job in self._waiting:
            if job.call_id == call_id:
                self._waiting.remove(job)
                self.events.put(Failed(call_id, "cancelled", "cancelled before it started"))
                return
        for seat in self._seats:
            if seat.job is not None and seat.job.call_id == call_id:
                self._dismiss(seat)
                self.events.put(Failed(call_id, "cancelled", "cancelled while it ran"))
                return

    def _dismiss(self, seat: Seat) -> None:
        """End a worker; the next job of its kind gets a fresh one."""
        seat.job = None
        self._nurseries[seat.pool].kill(seat.child)
        self._disconnect(seat)
        self._seats.remove(seat)

    def _disconnect(self, seat: Seat) -> None:
        if seat.connected:
            seat.connected = False
            self._selector.unregister(seat.child.channel.sock)
            seat.child.channel.close()

    def _fail_all(self, outcome: Outcome) -> None:
        message = f"the executor broke: {outcome.message}"
        for job in (*self._waiting, *(s.job for s in self._seats)):
            if job is not None:
                self.events.put(Failed(job.call_id, "lost", message, outcome.detail))

    def _leave(self) -> None:
        self._running = False

    def _free(self) -> None:
        for seat in self._seats:
            self._disconnect(seat)
        for nursery in self._nurseries:
            nursery.close()
        self._selector.close()
        self._ear.close()
