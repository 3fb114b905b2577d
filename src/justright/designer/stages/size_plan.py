"""How long the runs of a size search are, and how they stand in a work plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from justright.designer.work.admission import SHORTEST
from justright.sizing.evidence import SHARES
from justright.sizing.goal import Ask
from justright.sizing.shapes import Hidden

PARTS = tuple(round(1 / share) for share in reversed(SHARES))
"""The network's own length over these is what sizes are compared at, where time is short; a ninth
is for large tables only. Measured on the grid of eight tables, two blocks at a ninth against four
others in full: rank correlation 0.81 and 0.97 on the two largest, diamonds and letter (two blocks
in full: 0.70 and 0.99), but 0.61 and 0.55 on satellite and bikeshare (in full: 0.95 and 0.97),
where large sizes overfit later than that."""

SHARES_BY_KEY = {round(1000 * s / part): s / part for s in SHARES for part in PARTS}
"""Shares of the network's own length at which runs end, as they stand in a work plan."""


def parts_of(steps: int, begun: Sequence[float], *, large: bool) -> tuple[int, ...]:
    """By what a network's own length may be divided where sizes are compared.

    Args:
        steps: Its own length.
        begun: Shares of it at which runs of an earlier search ended: they are not cut short.
        large: Whether all blocks share one hold-out.

    >>> parts_of(6_000, [], large=True), parts_of(6_000, [], large=False)
    ((1, 3, 9), (1, 3))
    >>> parts_of(6_000, [1 / 9, 1 / 3], large=True), parts_of(500, [], large=True)
    ((1, 3), (1,))
    """
    most = min(steps / SHORTEST, (1.0 + 1e-9) / max([*begun, 1 / PARTS[-1]]))
    return tuple(
        part for part in PARTS if part == 1 or (part <= most and (large or part < PARTS[-1]))
    )


def key_of(ask: Ask, part: int) -> str:
    """The ask's key in the work plan, by the share of the network's own length.

    >>> key_of(Ask((64, 64), (0, 1), 1 / 3, "ladder"), 1)
    'size ask ladder/64-64/0,1/333'
    >>> key_of(Ask((64, 64), (0, 1), 1.0, "length"), 3)
    'size ask length/64-64/0,1/333'
    """
    shape = "-".join(map(str, ask.hidden))
    blocks = ",".join(map(str, ask.blocks))
    return f"size ask {ask.stage}/{shape}/{blocks}/{round(1000 * ask.share / part)}"


def recorded_asks(granted: Mapping[str, int], part: int) -> list[Ask]:
    """The asks of a work plan in their order.

    >>> ask = Ask((64, 64), (0, 1), 1 / 3, "ladder")
    >>> recorded_asks({key_of(ask, 1): 1}, 1) == [ask]
    True
    """
    return [
        Ask(hidden, blocks, share * part, stage)
        for stage, hidden, blocks, share in recorded(granted)
    ]


def recorded(granted: Mapping[str, int]) -> Iterator[tuple[str, Hidden, tuple[int, ...], float]]:
    """Stage, size, blocks and share of the network's own length of what was asked for."""
    for key, amount in granted.items():
        if key.startswith("size ask ") and amount:
            stage, shape, blocks, share = key.removeprefix("size ask ").split("/")
            hidden = tuple(int(units) for units in shape.split("-"))
            numbers = tuple(int(number) for number in blocks.split(","))
            yield stage, hidden, numbers, SHARES_BY_KEY[int(share)]
