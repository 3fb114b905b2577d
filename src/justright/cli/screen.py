"""What `fit` shows while it works: a live screen, plain lines, or nothing."""

from __future__ import annotations

import sys
from typing import TextIO

from justright.cli.screen_base import AbstractScreen
from justright.cli.screen_live import LiveScreen
from justright.cli.screen_plain import PlainScreen, QuietScreen

__all__ = ["AbstractScreen", "open_screen"]


def open_screen(
    stream: TextIO | None = None, *, quiet: bool = False, verbose: bool = False
) -> AbstractScreen:
    """The screen that suits the stream; use it as a context manager.

    Args:
        stream: Where to write; None = standard error, which leaves standard output to results.
        quiet: Show nothing.
        verbose: Also tell what the workers do, off a terminal too.
    """
    if quiet:
        return QuietScreen()
    target = sys.stderr if stream is None else stream
    live = LiveScreen.on(target, verbose=verbose)
    return live if live is not None else PlainScreen(target, verbose=verbose)
