"""Names of points in a figure do not lie on each other."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from justright.views.labels import GAP, HEIGHT, LETTER, LINE, WIDTH, label_positions

shares = st.floats(0.0, 1.0)
names = ("constant", "linear", "k-NN", "network (start recipe)")


def box(point, name, position):
    """Drawn anew, from the words that Plotly reads."""
    x, y, width = WIDTH * point[0], HEIGHT * point[1], LETTER * len(name)
    down, across = position.split()
    left = {"right": x, "left": x - width, "center": x - width / 2}[across]
    if down == "middle":
        left += GAP if across == "right" else -GAP
    top = {"middle": y - LINE / 2, "top": y - GAP - LINE, "bottom": y + GAP}[down]
    return left, top, left + width, top + LINE


def overlap(one, other):
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return min(wide, high)


def test_points_apart_have_their_names_on_the_right():
    points = [(0.1, 0.1), (0.2, 0.5), (0.3, 0.9)]
    assert label_positions(points, names[:3]) == ["middle right"] * 3


@given(st.tuples(shares, shares), st.tuples(shares, shares))
def test_two_names_never_lie_on_each_other(first, second):
    points = (first, second)
    found = label_positions(points, names[2:])
    boxes = [box(*each) for each in zip(points, names[2:], found, strict=True)]
    assert all(overlap(a, b) <= 1e-9 for a, b in combinations(boxes, 2))


def test_crowded_names_are_drawn_nevertheless():
    crowd = [(0.5, 0.5)] * 30
    assert len(label_positions(crowd, ["boosting"] * 30)) == 30
