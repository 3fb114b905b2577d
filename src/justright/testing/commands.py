"""The command line in a process of its own, as a user calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def justright(
    *words: str | Path, cwd: Path, timeout: float = 150.0
) -> subprocess.CompletedProcess[str]:
    """Run one command, and wait for its end.

    Args:
        words: The command and its arguments.
        cwd: Folder in which it runs.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: If it was.

    >>> justright("--version", cwd=Path()).returncode
    0
    """
    return subprocess.run(
        [sys.executable, "-m", "justright.cli.main", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
