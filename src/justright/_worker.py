"""A process that runs calls for another one: ``python -m justright._worker ROLE ...``.

Started by `executors.launch`, never by people. It imports nothing heavy until it is told which
modules to load beforehand, and it never imports the user's main module. It ends when the
process that started it ends, whatever it is doing.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import os
import pickle
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any

from justright.executors import posix
from justright.executors.invoke import Outcome, failure, invoke
from justright.executors.wire import receive_message, send_message


def main(arguments: Sequence[str]) -> None:
    """Become a worker or a zygote.

    Args:
        arguments: Role ("worker" or "zygote"), process id of the parent, file descriptor of the
            connection ("-" = read a shared socket from standard input, on Windows).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process alone
    faulthandler.enable()
    role, parent, fd = arguments
    sock = _from_standard_input() if fd == "-" else socket.socket(fileno=int(fd))
    if sys.platform != "win32":
        posix.leave_with(int(parent))
        posix.offer_to_memory_killer()
    try:
        _preload(pickle.loads(receive_message(sock)))
    except EOFError:
        return
    if role == "zygote":
        gc.collect()
        gc.freeze()  # what is shared now stays shared: no collection writes to those pages
        posix.Zygote(sock, serve).run()
    else:
        serve(sock)


def _from_standard_input() -> socket.socket:
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    raise SystemExit("a shared socket on standard input exists on Windows only")


def _preload(orders: dict[str, list[str]]) -> None:
    sys.path[:] = orders["path"]
    for module in orders["modules"]:
        try:
            importlib.import_module(module)
        except Exception:  # preloading only saves time: the call that needs it fails and tells
            traceback.print_exc()
    _settle_torch()


def _settle_torch() -> None:
    """One thread and no denormals, where torch has been imported by now.

    Denormal numbers of a diverging network made a step four times slower (measured; the flag
    belongs to the thread).
    """
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)


def serve(sock: socket.socket) -> None:
    """Answer calls, one after the other, until the other side is gone."""
    calls: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sock, calls), daemon=True).start()
    while True:
        answer = _pack(_run(calls.get(), sock))
        send_message(sock, answer)
        del answer  # may be large, and the next call may be long in coming


def _listen(sock: socket.socket, calls: queue.SimpleQueue[bytearray]) -> None:
    """Pass on calls; the end of the connection ends the process, also in the middle of a call."""
    try:
        while True:
            calls.put(receive_message(sock))
    except (EOFError, OSError):
        os._exit(0)


def _run(message: bytearray, sock: socket.socket) -> Outcome:
    def report(payload: Any) -> None:
        send_message(sock, pickle.dumps(("progress", payload), pickle.HIGHEST_PROTOCOL))

    try:
        function, packed = pickle.loads(message)
        arguments = pickle.loads(packed)
    except Exception as error:  # a class that the worker cannot import, for instance
        return failure(error)
    _settle_torch()
    return invoke(function, arguments, report)


def _pack(outcome: Outcome) -> bytes:
    try:
        return pickle.dumps(("ended", outcome), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # the answer cannot be pickled: that is the call's failure
        return pickle.dumps(("ended", failure(error, outcome.seconds)), pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main(sys.argv[1:])
