"""What a well-behaved process of the command line does with its standard files."""

from __future__ import annotations

import contextlib
import os
import sys


def standard_files() -> None:
    """Open the null device in place of closed standard files.

    Otherwise the next file that is opened, such as the store, would take the number of standard
    output, and whatever is printed would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for good)


def calm_output() -> None:
    """Send what is still buffered for a reader that left to the null device."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
