"""Where the name of a point is written, so that names do not lie on each other."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 700.0, 260.0
"""Pixels of a figure's inner area, about."""

LETTER, LINE, GAP = 6.8, 15.0, 8.0
"""Pixels of a letter's width at 12 points, of a line's height, and between point and name."""

POSITIONS = {
    "middle right": (1, 0),
    "top center": (0, -1),
    "bottom center": (0, 1),
    "middle left": (-1, 0),
    "top right": (1, -1),
    "bottom right": (1, 1),
    "top left": (-1, -1),
    "bottom left": (-1, 1),
}
"""Plotly's words, the best first, with the direction that each goes to."""

Box = tuple[float, float, float, float]


def label_positions(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """A text position for each point: the first at which its name covers no other name or point.

    Args:
        points: (right, down) in shares of the figure, both from 0 to 1.
        names: What is written beside them.

    Returns:
        Plotly's ``textposition`` of each; "middle right" where nothing is free.

    >>> label_positions([(0.5, 0.5), (0.52, 0.5)], ["boosting", "LightGBM"])
    ['top center', 'middle right']
    """
    marks = [_around(WIDTH * x, HEIGHT * y, GAP, GAP) for x, y in points]
    taken: list[Box] = []
    found: list[str] = []
    for place, (mark, name) in enumerate(zip(marks, names, strict=True)):
        others = [*taken, *marks[:place], *marks[place + 1 :]]
        boxes = {word: _box(mark, name, way) for word, way in POSITIONS.items()}
        free = [word for word, box in boxes.items() if not any(_meet(box, o) for o in others)]
        word = free[0] if free else next(iter(POSITIONS))
        taken.append(boxes[word])
        found.append(word)
    return found


def _around(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _box(mark: Box, name: str, way: tuple[int, int]) -> Box:
    """What a name covers beside its point."""
    x, y = (mark[0] + mark[2]) / 2, (mark[1] + mark[3]) / 2
    width = LETTER * len(name)
    across, down = way
    aside = across * (width / 2 + (GAP if down == 0 else 0.0))
    return _around(x + aside, y + down * (LINE / 2 + GAP), width, LINE)


def _meet(one: Box, other: Box) -> bool:
    return all(one[a] < other[a + 2] and other[a] < one[a + 2] for a in (0, 1))
