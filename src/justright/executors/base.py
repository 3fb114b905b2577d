"""Calls, the events they cause, and the contract of everything that runs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

from justright.core.errors import OptionError

FailureKind = Literal["error", "lost", "cancelled", "memory"]


@dataclass(frozen=True)
class Call:
    """A function by name and its arguments; both travel to a worker.

    Attributes:
        function: ``"package.module:name"``, importable wherever the call runs. It is called as
            ``f(**arguments, report=...)``; ``report(payload)`` becomes a `Progress` event.
        arguments: Keyword arguments; they are pickled at the moment of submission.

    Raises:
        OptionError: If the name has not the form ``package.module:name``.

    >>> Call("math:hypot", {}).module
    'math'
    """

    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        module, colon, name = self.function.partition(":")
        if not (colon and module and name.isidentifier()):
            raise OptionError(
                f"no function can be named {self.function!r}",
                hint="write 'package.module:name'",
            )

    @property
    def module(self) -> str:
        """The module that holds the function."""
        return self.function.partition(":")[0]


@dataclass(frozen=True)
class Progress:
    """Something a running call reported; events of one call arrive in its own order."""

    call_id: int
    payload: Any


@dataclass(frozen=True)
class Finished:
    """A call's answer.

    Attributes:
        call_id: What `AbstractExecutor.submit` returned.
        value: What the function returned.
        seconds: Wall time of the function alone.
    """

    call_id: int
    value: Any
    seconds: float


@dataclass(frozen=True)
class Failed:
    """A call without an answer.

    Attributes:
        call_id: What `AbstractExecutor.submit` returned.
        kind: "error": the function raised; "memory": it asked for more memory than there is;
            "lost": its process ended; "cancelled": somebody asked for it.
        message: One line.
        detail: Traceback, or the last lines the worker wrote; may be empty.
        seconds: Wall time, where known.
    """

    call_id: int
    kind: FailureKind
    message: str
    detail: str = ""
    seconds: float = 0.0


Event = Progress | Finished | Failed


class AbstractExecutor(ABC):
    """Runs calls, `capacity` at a time, in the order of submission.

    Each submitted call ends in exactly one `Finished` or `Failed`; no failure of a call raises
    here. One thread may use an executor at a time. After `close` nothing of it is left: no
    process, no open file. Closing twice is fine; submitting after closing is an error.
    """

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many calls run at the same time."""

    @abstractmethod
    def submit(self, call: Call) -> int:
        """Queue a call and return its number; numbers increase.

        Raises:
            OptionError: If the arguments cannot be pickled, or the executor is closed.
        """

    @abstractmethod
    def poll(self, timeout_s: float) -> list[Event]:
        """Events since the last poll, oldest first.

        Waits at most ``timeout_s`` seconds for the first one; does not wait when no call is
        outstanding.
        """

    @abstractmethod
    def cancel(self, call_id: int) -> None:
        """End a call; it fails as "cancelled" unless it has already ended."""

    @abstractmethod
    def close(self) -> None:
        """End all calls without further events and free everything."""

    def __enter__(self) -> AbstractExecutor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
