"""The live screen of a terminal; with `screen.py` the only place that knows rich."""

from __future__ import annotations

import time
from typing import Self, TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from justright.cli.screen_base import AbstractScreen, SafeStream, clock
from justright.core.progress import Snapshot

REFRESHES_PER_S = 4
"""A clock that counts seconds needs no more, and a slow terminal bears no more."""

BAR = 28
"""Characters of the bar."""

LABEL = 10
"""Characters of a headline's label, as in the verdict lines."""

WORKERS = 8
"""Workers listed, with `verbose` all of them."""


class LiveScreen(AbstractScreen):
    """Headlines, the stage with its clock, the best so far, and what the workers do.

    rich draws from a thread of its own; `show` only hands over the snapshot. All of it vanishes on
    `close`, so that the closing verdict stands alone.

    Args:
        console: A rich console on a terminal.
        verbose: List all workers.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._snapshot: Snapshot | None = None
        self._received = time.monotonic()
        self._headlines: list[str] = []
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=True,  # a stray warning goes above the screen, not through it
            vertical_overflow="crop",
        )

    @classmethod
    def on(cls, stream: TextIO, *, verbose: bool = False) -> Self | None:
        """A live screen on this stream, or None if it is no terminal that can move its cursor."""
        safe = SafeStream(stream)
        if not safe.isatty():
            return None
        file = cast(TextIO, safe)  # all that rich asks of a stream
        console = Console(file=file, highlight=False, markup=False, emoji=False)
        able = console.is_terminal and not console.is_dumb_terminal
        return cls(console, verbose=verbose) if able else None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._live.start()
        return self

    def show(self, snapshot: Snapshot) -> None:
        """Hand over the newest snapshot."""
        if snapshot.headline and snapshot.headline not in self._headlines:
            self._headlines.append(snapshot.headline)
        self._received = time.monotonic()
        self._snapshot = snapshot

    def close(self) -> None:
        """Stop drawing, wipe the screen's lines, show the cursor."""
        self._live.stop()
        self._console.show_cursor(True)

    def _draw(self) -> RenderableType:
        snapshot = self._snapshot
        if snapshot is None:
            return Text("starting …", style="dim")
        try:
            return self._picture(snapshot, time.monotonic() - self._received)
        except Exception as error:  # drawing must never end the study
            return Text(f"{snapshot.stage} ({type(error).__name__} while drawing)", style="dim")

    def _picture(self, snapshot: Snapshot, age: float) -> RenderableType:
        room = max(self._console.height - 8, 1)
        activity = snapshot.activity[: max(min(room - 2, self._shown_workers(snapshot)), 0)]
        hidden = len(snapshot.activity) - len(activity)
        room = max(room - len(activity) - bool(hidden), 1)
        lines: list[RenderableType] = [_headline(line) for line in self._headlines[-room:]]
        if lines:
            lines.append(Text(""))
        lines.append(_progress(snapshot, age))
        if snapshot.champion or snapshot.baseline:
            lines.append(_best(snapshot))
        lines += [_cut(f"  {entry}", "dim") for entry in activity]
        if hidden:
            lines.append(_cut(f"  and {hidden} more", "dim"))
        return Group(*lines)

    def _shown_workers(self, snapshot: Snapshot) -> int:
        return len(snapshot.activity) if self._verbose else WORKERS


def _cut(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _headline(line: str) -> Text:
    """The label of a headline ("Data", "Baselines") stands out; the rest is as it is."""
    text = _cut(line)
    if line[LABEL - 1 : LABEL] == " ":
        text.stylize("bold", 0, LABEL)
    return text


def _progress(snapshot: Snapshot, age: float) -> RenderableType:
    elapsed = snapshot.elapsed_s + age
    stage = Text(f"{snapshot.index} of {snapshot.total}  {snapshot.stage}", style="bold")
    if snapshot.left_s is None:
        times = f"{clock(elapsed)} elapsed"
        share = (snapshot.index - 1) / max(snapshot.total, 1)
    else:
        left = max(snapshot.left_s - age, 0.0)
        times = f"{clock(elapsed)} elapsed  {clock(left)} left"
        share = elapsed / max(elapsed + left, 1e-9)
    full = min(max(round(share * BAR), 0), BAR)
    bar = Text("━" * full, style="blue") + Text("━" * (BAR - full), style="bright_black")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_row(stage, bar, Text(times))
    return grid


def _best(snapshot: Snapshot) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    if snapshot.champion:
        text.append("best network ", style="dim")
        text.append(snapshot.champion, style="bold")
    if snapshot.baseline:
        text.append("   best baseline " if snapshot.champion else "best baseline ", style="dim")
        text.append(snapshot.baseline)
    return text
