"""Starts `python -m justright._worker` with one end of a connection."""

from __future__ import annotations

import contextlib
import os
import pickle
import site
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from justright.executors.wire import send_message

# Workers are parallel to each other, so each uses one thread. The memory thresholds keep freed
# blocks for the next step instead of returning them to the system: 10 to 20% of a training
# (measured); 32 MiB is the largest value that glibc accepts for the first.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    # scikit-learn imports pandas where it is installed, and pandas Arrow, whose allocator starts a
    # thread: nothing to fork beside.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024**2),
}


def launch(
    role: Literal["worker", "zygote"], modules: Sequence[str], log: BinaryIO
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a child and return it with our end of the connection.

    Args:
        role: "worker" answers calls itself, "zygote" forks workers.
        modules: What it imports before anything else.
        log: Where its output goes; never the terminal.

    Raises:
        OSError: If no process can be started.
    """
    ours, theirs = socket.socketpair()
    try:
        process = _start(role, theirs, log)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    orders = {"path": list(sys.path), "modules": list(modules)}
    with contextlib.suppress(OSError):  # it is gone already: whoever reads notices
        send_message(ours, pickle.dumps(orders))
    return process, ours


def _start(role: str, theirs: socket.socket, log: BinaryIO) -> subprocess.Popen[bytes]:
    # -P: a random.py in the current folder must not be imported instead of Python's own.
    command = [sys.executable, "-P", "-m", "justright._worker", role, str(os.getpid())]
    if sys.platform == "win32":
        process = subprocess.Popen(
            [*command, "-"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(),
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )
        assert process.stdin is not None
        process.stdin.write(theirs.share(process.pid))
        process.stdin.close()
        return process
    return subprocess.Popen(
        [*command, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(theirs.fileno(),),
        env=_environment(),
        process_group=0,  # the terminal's Ctrl-C goes to the group in front, not to this one
    )


def _environment() -> dict[str, str]:
    """Ours, with one thread, and able to import this very package."""
    environment = {**os.environ, **ENVIRONMENT}
    source = str(Path(__file__).resolve().parents[2])
    if source not in (*site.getsitepackages(), site.getusersitepackages()):
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{source}{os.pathsep}{before}" if before else source
    return environment
