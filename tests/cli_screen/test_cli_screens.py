"""Screens: live on a terminal, plain elsewhere, silent on request, harmless always."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from justright.cli.screen import open_screen
from justright.cli.screen_live import LiveScreen
from justright.cli.screen_plain import PlainScreen, QuietScreen
from justright.core.progress import Snapshot

DATA = "Data      20,433 rows"
FIRST = Snapshot(
    "baselines", 3, 8, 6.2, 53.8, baseline="boosting 0.437", activity=("worker 1 k-NN",)
)

LIVE = """
import sys, time
from justright.cli.screen import open_screen
from justright.core.progress import Snapshot
with open_screen(sys.stdout) as screen:
    for number in range(400):
        screen.show(Snapshot("champion", 4, 8, number / 20, 60 - number / 20, "0.411 ± 0.006",
                             "boosting 0.437", ("worker 1 step 300",), "Data      20,433 rows"))
        time.sleep(0.05)
"""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """A stream whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def isatty(self) -> bool:
        raise ValueError("closed")


def test_one_line_for_each_stage_and_headline_and_no_more() -> None:
    stream = io.StringIO()
    with open_screen(stream) as screen:
        for tick in range(50):
            screen.show(replace(FIRST, elapsed_s=6.2 + tick))
        screen.show(replace(FIRST, headline=DATA, elapsed_s=60.0))
        screen.show(replace(FIRST, headline=DATA, elapsed_s=61.0))
        screen.show(
            replace(FIRST, stage="champion", index=4, champion="0.41 ± 0.01", elapsed_s=75.0)
        )
    assert stream.getvalue().splitlines() == [
        "   0:06  3/8 baselines",
        f"   1:00  {DATA}",
        "   1:15  4/8 champion",
        "   1:15  best so far 0.41 ± 0.01",
    ]


def test_verbose_tells_what_workers_do_when_it_changes() -> None:
    stream = io.StringIO()
    with open_screen(stream, verbose=True) as screen:
        screen.show(FIRST)
        screen.show(FIRST)
        screen.show(replace(FIRST, activity=("worker 1 boosting",)))
    assert [text[9:] for text in stream.getvalue().splitlines()] == [
        "3/8 baselines",
        "  worker 1 k-NN",
        "  worker 1 boosting",
    ]


def test_quiet_is_quiet() -> None:
    stream = Terminal()
    with open_screen(stream, quiet=True) as screen:
        screen.show(FIRST)
    assert isinstance(screen, QuietScreen)
    assert stream.getvalue() == ""


def test_the_stream_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(open_screen(io.StringIO()), PlainScreen)
    assert isinstance(open_screen(Broken()), PlainScreen)
    assert isinstance(open_screen(Terminal()), LiveScreen)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(open_screen(Terminal()), PlainScreen)


def test_a_reader_that_left_costs_nothing() -> None:
    with PlainScreen(Broken(), verbose=True) as screen:
        screen.show(FIRST)
        screen.show(replace(FIRST, stage="next", index=4))


def test_a_terminal_that_went_away_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with open_screen(stream) as screen:
        screen.show(FIRST)
        stream.close()
        screen.show(FIRST)
        time.sleep(0.6)
        screen.close()


@pytest.mark.parametrize("width", [20, 80])
def test_the_live_screen_shows_stage_clock_best_and_workers(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Terminal()
    with open_screen(stream) as screen:
        many = tuple(f"worker {i}" for i in range(40))
        screen.show(replace(FIRST, champion="0.411 ± 0.006", headline=DATA, activity=many))
        time.sleep(0.6)
    text = stream.getvalue()
    assert "Data" in text
    if width == 80:
        for part in ("3 of 8  baselines", "0:06 elapsed", "0:53 left", "boosting 0.437"):
            assert part in text
        assert "and 32 more" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


def test_ctrl_c_leaves_the_terminal_as_it_was() -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "90", "LINES": "24"}
    child = subprocess.Popen(
        [sys.executable, "-c", LIVE], stdout=slave, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(slave)
    seen = b""
    deadline = time.monotonic() + 30
    try:
        while b"elapsed" not in seen and time.monotonic() < deadline:
            if select.select([master], [], [], 0.2)[0]:
                seen += os.read(master, 65536)
        child.send_signal(signal.SIGINT)
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 0.2)[0]:
                if child.poll() is not None:
                    break
                continue
            try:
                part = os.read(master, 65536)
            except OSError:  # the other side closed
                break
            if not part:
                break
            seen += part
        assert child.wait(timeout=10) != 0
    finally:
        if child.poll() is None:
            child.kill()
        os.close(master)
    assert b"4 of 8" in seen
    assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
